/**
 * What the v1 dashboards’ client reads from a published folder and computes from it (docs/formats/published.md 5.9),
 * in code of its own.
 */

/** Files of one folder: name → JSON text. */
export type PublishedFolder = ReadonlyMap<string, string>;

/** Positions from the end of a published row. */
const SUM = -7;
const LOG_SUM = -6;
const SUM_SQ_LO = -4;
const SUM_SQ_HI = -3;
const SUBMISSIONS = -2;
const FILTER_ID = -1;
const SPECIAL = 7;

type TreeNode = { readonly _id: number; readonly name?: string } & Readonly<Record<string, unknown>>;
type Definition = Readonly<Record<string, unknown>>;
export type Row = readonly (number | null)[];

export function parseFile(folder: PublishedFolder, name: string): unknown {
  const text = folder.get(name);
  if (text === undefined) throw new Error(`404: ${name}`);
  return JSON.parse(text);
}

/** The client takes the leading number of a text. */
function number(value: unknown): number {
  return typeof value === 'number' ? value : parseInt(String(value), 10);
}

/** Lower bounds as the client computes them; `[0]` for a definition of a kind it does not know. */
export function clientBuckets(definition: Definition): number[] {
  const kind = definition['kind'];
  if (kind === 'boolean' || kind === 'flag') return linear(1, 2, 3);
  if (kind === 'enumerated') return linear(1, number(definition['n_values']), number(definition['n_values']) + 1);
  const low = number(definition['low']) || 1;
  if (kind === 'linear') return linear(low, number(definition['high']), number(definition['n_buckets']));
  if (kind === 'exponential') return exponential(low, number(definition['high']), number(definition['n_buckets']));
  return [0];
}

function linear(low: number, high: number, count: number): number[] {
  const bounds = Array.from({ length: count }, () => 0);
  for (let i = 1; i < count; i += 1) {
    bounds[i] = Math.floor((low * (count - 1 - i) + high * (i - 1)) / (count - 2) + 0.5);
  }
  return bounds;
}

function exponential(low: number, high: number, count: number): number[] {
  const bounds = [0, low];
  for (let i = 2; i < count; i += 1) {
    const current = Math.log(bounds[i - 1]!);
    const next = Math.floor(Math.exp(current + (Math.log(high) - current) / (count - i)) + 0.5);
    bounds.push(Math.max(next, bounds[i - 1]! + 1));
  }
  return bounds;
}

/** Filter path → id of every leaf of a filter tree. */
export function leafIds(tree: unknown): Map<string, number> {
  const leaves = new Map<string, number>();
  const visit = (node: TreeNode, path: readonly string[]): void => {
    const options = Object.entries(node).filter(([name]) => name !== '_id' && name !== 'name');
    if (node.name === undefined) leaves.set(path.join('/'), node._id);
    for (const [option, child] of options) visit(child as TreeNode, [...path, option]);
  };
  visit(tree as TreeNode, []);
  return leaves;
}

/** One measure of a folder, by one of its dates, restricted to a part of the filter tree. */
export class Evolution {
  readonly #kind: unknown;
  readonly #bounds: readonly number[];
  readonly #total: number[];

  /**
   * @param filter options from the root, such as `saved_session/Firefox`; empty for everything
   * @throws Error for a missing file, measure or option, where the client would fail as well
   */
  constructor(folder: PublishedFolder, measure: string, byDate: string, filter = '', onlyDate?: string) {
    const definition = (parseFile(folder, 'histograms.json') as Record<string, Definition>)[measure];
    if (definition === undefined) throw new Error(`no definition of ${measure}`);
    this.#kind = definition['kind'];
    this.#bounds = clientBuckets(definition);
    const leaves = leafIds(parseFile(folder, 'filter-tree.json'));
    const chosen = [...leaves].filter(([path]) => filter === '' || `${path}/`.startsWith(`${filter}/`));
    if (chosen.length === 0) throw new Error(`no option ${filter}`);
    const ids = new Set<unknown>(chosen.map(([, id]) => id));
    const rows = parseFile(folder, `${measure}-${byDate}.json`) as Record<string, Row[]>;
    this.#total = Array.from({ length: this.#bounds.length + SPECIAL }, () => 0);
    for (const [date, list] of Object.entries(rows)) {
      if (onlyDate !== undefined && date !== onlyDate) continue;
      for (const row of list.filter((candidate) => ids.has(candidate.at(FILTER_ID)))) this.#add(row);
    }
  }

  #add(row: Row): void {
    if (row.length !== this.#total.length) throw new Error(`row of ${row.length}, expected ${this.#total.length}`);
    row.forEach((value, i) => (this.#total[i]! += value ?? 0));
  }

  get #hits(): number[] {
    return this.#total.slice(0, -SPECIAL);
  }

  submissions(): number {
    return this.#total.at(SUBMISSIONS)!;
  }

  count(): number {
    return this.#hits.reduce((a, b) => a + b, 0);
  }

  mean(): number {
    return this.#total.at(SUM)! / this.count();
  }

  percentile(p: number): number {
    const hits = this.#hits;
    let wanted = (this.count() * p) / 100;
    let i = 0;
    while (i < hits.length - 1 && wanted - hits[i]! > 0) {
      wanted -= hits[i]!;
      i += 1;
    }
    const start = this.#bounds[i]!;
    const end = this.#bounds[i + 1] ?? this.lastBucketEnd();
    const part = wanted / (hits[i]! + 1);
    if (this.#kind === 'exponential') return start + Math.exp(Math.log(end - start) * part);
    return start + (end - start) * part;
  }

  lastBucketEnd(): number {
    const hits = this.#hits;
    const start = this.#bounds.at(-1)!;
    let others = 0;
    for (let i = 0; i < hits.length - 1; i += 1) {
      others += hits[i]! * ((this.#bounds[i + 1]! - this.#bounds[i]!) / 2 + this.#bounds[i]!);
    }
    return start + 2 * ((this.#total.at(SUM)! - others) / hits.at(-1)! - start);
  }

  /** Not really: it has neither root nor the second division. Three decimals. */
  standardDeviation(): number {
    const squares = this.#total.at(SUM_SQ_LO)! + this.#total.at(SUM_SQ_HI)! * 2 ** 32;
    const count = this.count();
    return Math.round(((count * squares - this.#total.at(SUM)! ** 2) / count) * 1000) / 1000;
  }

  /** Not really: the mean of the logarithms. */
  geometricMean(): number {
    return this.#total.at(LOG_SUM)! / this.count();
  }
}

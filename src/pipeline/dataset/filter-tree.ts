/**
 * The filter tree of one channel/version: filter-tree.json, which gives every filter path its id
 * (docs/formats/published.md 5.2).
 */
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';

/** The dimension of the options at each level. Clients rely on these positions and names. */
const LEVELS = ['reason', 'appName', 'OS', 'osVersion', 'arch'] as const;

/** Members of a node that are no options; no option can have these names. */
export const RESERVED_OPTIONS: ReadonlySet<string> = new Set(['_id', 'name']);

const LONGEST_RESERVED = Math.max(...Array.from(RESERVED_OPTIONS, (option) => option.length));

/** Paths whose ids are at hand. */
const MAX_KNOWN = 1 << 16;

interface Node {
  readonly id: number;
  /** In the order the options were first needed, which is the order of their ids. */
  readonly options: Map<string, Node>;
}

/** True for a filter path `reason/appName/OS/osVersion/arch` that a filter tree can hold. */
export function isFilterPath(path: string): boolean {
  let options = 0;
  // Without a list of the options: every row is asked.
  for (let start = 0; start <= path.length; options += 1) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    if (end === start || (end - start <= LONGEST_RESERVED && RESERVED_OPTIONS.has(path.slice(start, end))))
      return false;
    start = end + 1;
  }
  return options === LEVELS.length;
}

/** Ids are only ever added: an id that was published means the same path in every later snapshot. */
export class FilterTree {
  readonly #root: Node;
  #highestId: number;
  readonly #known = new Map<string, number>();

  private constructor(root: Node, highestId: number) {
    this.#root = root;
    this.#highestId = highestId;
  }

  /** The tree of a channel/version that was never published: a root with id 0. */
  static empty(): FilterTree {
    return new FilterTree({ id: 0, options: new Map() }, 0);
  }

  /**
   * Reads a published filter-tree.json.
   * @throws InvalidDataError `bad_filter_tree` for anything that this class cannot have written
   */
  static parse(json: string): FilterTree {
    const ids = new Set<number>();
    const root = readNode(StoredJson.parse(json, 'bad_filter_tree', 'filter-tree.json'), 0, ids);
    return new FilterTree(
      root,
      Iterator.from(ids).reduce((a, b) => Math.max(a, b)),
    );
  }

  /**
   * The id of a filter path. Nodes that are missing along the path are added, inner ones too, each with 1 + the highest
   * id of the tree.
   * @throws InvalidDataError `bad_filter_path` when `isFilterPath` is false
   */
  idOf(path: string): number {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const id = this.#find(path);
    if (this.#known.size === MAX_KNOWN) this.#known.clear();
    this.#known.set(path, id);
    return id;
  }

  #find(path: string): number {
    if (!isFilterPath(path)) {
      throw new InvalidDataError('bad_filter_path', `${JSON.stringify(path)} is no filter path`);
    }
    let node = this.#root;
    for (const option of path.split('/')) {
      let next = node.options.get(option);
      if (next === undefined) {
        this.#highestId += 1;
        next = { id: this.#highestId, options: new Map() };
        node.options.set(option, next);
      }
      node = next;
    }
    return node.id;
  }

  /** Filter path of every leaf's id; options with a slash, which no path can name, are skipped. */
  paths(): Map<number, string> {
    const paths = new Map<number, string>();
    const visit = ({ id, options }: Node, path: readonly string[]): void => {
      if (path.length === LEVELS.length && isFilterPath(path.join('/'))) paths.set(id, path.join('/'));
      for (const [option, child] of options) visit(child, [...path, option]);
    };
    visit(this.#root, []);
    return paths;
  }

  /** The text of filter-tree.json. Equal ids give equal text, whether or not the tree was read back in between. */
  toJson(): string {
    return nodeText(this.#root, 0);
  }
}

// Written by hand: an object would move options such as Android's OS version `16` to the front.
function nodeText(node: Node, depth: number): string {
  const name = LEVELS[depth];
  const members = [`"_id":${node.id}`];
  if (name !== undefined) members.push(`"name":"${name}"`);
  for (const [option, child] of node.options) members.push(`${JSON.stringify(option)}:${nodeText(child, depth + 1)}`);
  return `{${members.join(',')}}`;
}

function readNode(stored: StoredJson, depth: number, ids: Set<number>): Node {
  const id = stored.member('_id').count();
  if (ids.has(id)) stored.member('_id').fail('an id of its own');
  if (depth === 0 && id !== 0) stored.member('_id').fail('0, the id of the root');
  ids.add(id);
  const level = LEVELS[depth];
  if (stored.optional('name')?.value !== level) stored.fail(`a node with the name ${level ?? 'left out'}`);
  const options = stored.entries().filter(([name]) => !RESERVED_OPTIONS.has(name));
  if (level === undefined && options.length > 0) stored.fail(`a leaf, ${LEVELS.length} levels below the root`);
  const children = options.map(([name, child]): [string, Node] => [name, readNode(child, depth + 1, ids)]);
  return { id, options: new Map(children.toSorted(([, a], [, b]) => a.id - b.id)) };
}

/**
 * Whether two published folders say the same, though one is the original's work and one ours: filter ids go by path, order
 * is free, numbers are compared with the original's precision, and definitions by the buckets a client makes of them.
 */
import { clientBuckets, leafIds, parseFile, type PublishedFolder, type Row } from './v1-client.ts';

const FIXED_FILES = ['filter-tree.json', 'histograms.json', 'revisions.json'];
/** Additions that no client of the original asks for. */
const OWN_FILES = /^(?:(?:_manifest|_measures|_summary-\d+|builds)\.json|aggregates\.parquet)$/;
/** The original printed 9 decimals, and 7 digits of numbers beyond this. */
const LARGE = 2 ** 31;

interface Revision {
  readonly revision: string;
  readonly buildId: string;
  readonly length: number;
}

/**
 * Differences between the original's folder and ours, one sentence each; none means equal.
 * @param original file name → JSON text
 */
export function comparePublished(original: PublishedFolder, ours: PublishedFolder): string[] {
  return [
    ...differentNames('file', names(original.keys()), names(ours.keys())),
    ...compareLeaves(original, ours),
    ...compareRevisions(original, ours),
    ...compareDefinitions(original, ours),
    ...[...original.keys()]
      .filter((name) => ours.has(name) && !FIXED_FILES.includes(name))
      .flatMap((name) => compareMeasure(name, original, ours)),
  ];
}

/** True for numbers that are equal as far as the original printed them: 1e-6 relative above 2^31, 1e-9 below. */
export function sameNumber(a: number, b: number): boolean {
  const tolerance = Math.max(Math.abs(a), Math.abs(b)) > LARGE ? 1e-6 * Math.abs(a) : 1e-9;
  return a === b || Math.abs(a - b) <= tolerance;
}

function names(keys: Iterable<string>): string[] {
  return [...keys].filter((name) => !OWN_FILES.test(name));
}

function differentNames(what: string, original: Iterable<string>, ours: Iterable<string>): string[] {
  const [a, b] = [new Set(original), new Set(ours)];
  return [
    ...[...a.difference(b)].map((name) => `${what} ${name} is missing`),
    ...[...b.difference(a)].map((name) => `${what} ${name} is too many`),
  ];
}

function compareLeaves(original: PublishedFolder, ours: PublishedFolder): string[] {
  const [a, b] = [original, ours].map((folder) => leafIds(parseFile(folder, 'filter-tree.json')));
  return differentNames('filter path', a!.keys(), b!.keys());
}

function compareRevisions(original: PublishedFolder, ours: PublishedFolder): string[] {
  const [a, b] = [original, ours].map((folder) => parseFile(folder, 'revisions.json') as Record<string, Revision>);
  const differences = differentNames('revision of measure', Object.keys(a!), Object.keys(b!));
  for (const [measure, expected] of Object.entries(a!)) {
    for (const member of ['revision', 'buildId', 'length'] as const) {
      const actual = b![measure]?.[member];
      if (actual !== undefined && actual !== expected[member]) {
        differences.push(`revisions.json ${measure}: ${member} ${actual}, expected ${expected[member]}`);
      }
    }
  }
  return differences;
}

// Where the original had no definition, ours still must cut the rows right.
function compareDefinitions(original: PublishedFolder, ours: PublishedFolder): string[] {
  type Definitions = Record<string, Record<string, unknown>>;
  const [a, b] = [original, ours].map((folder) => parseFile(folder, 'histograms.json') as Definitions);
  const revisions = parseFile(ours, 'revisions.json') as Record<string, Revision>;
  const differences = differentNames('definition of measure', Object.keys(a!), Object.keys(b!));
  for (const [measure, definition] of Object.entries(b!)) {
    const buckets = clientBuckets(definition).length;
    const expected = a![measure]?.['kind'] === undefined ? buckets : clientBuckets(a![measure]).length;
    if (buckets !== expected) differences.push(`definition of ${measure}: ${buckets} buckets, expected ${expected}`);
    if (buckets + 6 !== revisions[measure]?.length) differences.push(`definition of ${measure} does not fit its rows`);
  }
  return differences;
}

function compareMeasure(name: string, original: PublishedFolder, ours: PublishedFolder): string[] {
  const [a, b] = [original, ours].map((folder) => rowsByPath(folder, name));
  const differences = differentNames(`${name}: row`, a!.keys(), b!.keys());
  for (const [place, expected] of a!) {
    const actual = b!.get(place);
    if (actual === undefined) continue;
    const same = actual.length === expected.length && expected.every((value, i) => sameNumber(value, actual[i]!));
    if (!same) differences.push(`${name}: row ${place} is ${actual.join()}, expected ${expected.join()}`);
  }
  return differences;
}

/** `date/path` → values without the filter id; a null counts as 0. */
function rowsByPath(folder: PublishedFolder, name: string): Map<string, number[]> {
  const paths = new Map([...leafIds(parseFile(folder, 'filter-tree.json'))].map(([path, id]) => [id, path]));
  const rows = new Map<string, number[]>();
  for (const [date, list] of Object.entries(parseFile(folder, name) as Record<string, Row[]>)) {
    for (const row of list) {
      const id = row.at(-1)!;
      const place = `${date}/${paths.get(id) ?? `unknown filter id ${id}`}`;
      if (rows.has(place)) throw new Error(`${name} has two rows for ${place}`);
      rows.set(
        place,
        row.slice(0, -1).map((value) => value ?? 0),
      );
    }
  }
  return rows;
}

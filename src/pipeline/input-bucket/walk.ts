/**
 * The partition walk: lists only those folders of the input bucket that the filter admits
 * (docs/formats/input-bucket.md 1.4).
 */
import { compileFilter, type Filter } from '../filter/filter.ts';
import type { InputFile } from '../task-queue/pack.ts';
import { PassingError } from '../passing-error.ts';
import { hasControl } from '../object-key.ts';
import { compareText } from '../text-order.ts';
import { classifyFileName } from './key.ts';

/** One entry of a listing: a folder (common prefix, ending in the delimiter) or an object directly in it. */
export type ListedEntry =
  { readonly kind: 'folder'; readonly name: string } | ({ readonly kind: 'object' } & InputFile);

/** Lists one level, all pages, in any order; `delimiter` undefined lists everything below the prefix. */
export type ListLevel = (prefix: string, delimiter: '/' | '.' | undefined) => AsyncIterable<ListedEntry>;

/** Why objects were left out, counted; `adopted`: the history taken over from the original counts the file. */
type SkipReason = 'adopted' | 'malformed_key' | 'unrecognised' | 'other_version' | 'folder_marker' | 'empty_object';
export type SkipCounts = Partial<Record<SkipReason, number>>;

const LEVELS = 6;
/** Levels 0…3 are folders; build id and submission date are dot parts of the file name. */
const FIRST_DOT_LEVEL = 4;

/**
 * Partitions that are listed before it is their turn, since a store answers a page in a tenth of a second, and how many files
 * they may hold: the memory of a walk is bounded, whatever the bucket holds beside one partition.
 */
const LISTED_AHEAD = 8;
const FILES_AHEAD = 20_000;

/**
 * Yields the admitted submission files in key order within each partition, partitions sorted by their name's bytes.
 * Anything else is counted in `skipped`, never fatal; a folder that cannot hold any counts once.
 */
export async function* walkPartitions(list: ListLevel, filter: Filter, skipped: SkipCounts): AsyncGenerator<InputFile> {
  const skip = (reason: SkipReason): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  const partitions = partitionsBelow('', 0, list, compileFilter(filter), skip);
  const listFiles = (prefix: string, found: Found): Promise<InputFile[]> =>
    filesOf(list(prefix, undefined), prefix, skip, found);
  for await (const files of listedAhead(partitions, listFiles)) yield* files;
}

/** Prefixes of the admitted partitions: everything below is of one build and submission day. */
async function* partitionsBelow(
  prefix: string,
  level: number,
  list: ListLevel,
  admits: (level: number, value: string) => boolean,
  skip: (reason: SkipReason) => void,
): AsyncGenerator<string> {
  if (level === LEVELS) {
    yield prefix;
    return;
  }
  const folders: string[] = [];
  for await (const entry of list(prefix, level < FIRST_DOT_LEVEL ? '/' : '.')) {
    if (entry.kind === 'folder') {
      const value = entry.name.slice(prefix.length, -1);
      // A slash that survived sanitising shifts the levels; nothing below it is a key of the grammar. A control character
      // would break the lists of files, which have a key in each line.
      if (isMalformed(level, value)) skip('malformed_key');
      else if (admits(level, value)) folders.push(entry.name);
    } else {
      const value = entry.key.slice(prefix.length);
      if (value === '' || value.endsWith('/')) skip('folder_marker');
      else if (admits(level, value)) skip('malformed_key');
    }
  }
  // A set: a store may name a folder on each of the pages that it reaches into.
  for (const folder of [...new Set(folders)].sort(compareText))
    yield* partitionsBelow(folder, level + 1, list, admits, skip);
}

function isMalformed(level: number, value: string): boolean {
  return hasControl(value) || (level >= FIRST_DOT_LEVEL && value.includes('/'));
}

interface Listing {
  readonly files: Promise<InputFile[]>;
  /** The partition's turn has come: it may take what memory it needs. */
  readonly go: () => void;
}

/** Called for each file that was found; a listing waits for what it returns. */
type Found = () => Promise<void> | undefined;

/** The files of partitions, in the order of the partitions; the next ones are being listed meanwhile. */
async function* listedAhead(
  partitions: AsyncGenerator<string>,
  listFiles: (prefix: string, found: Found) => Promise<InputFile[]>,
): AsyncGenerator<InputFile[]> {
  const ahead: Listing[] = [];
  let filesAhead = 0;
  let areMore = true;
  /** False when all have begun. */
  const begin = async (): Promise<boolean> => {
    const next = await partitions.next();
    if (next.done === true) return false;
    const { promise: turn, resolve } = Promise.withResolvers<undefined>();
    let isTurn = false;
    const go = (): void => {
      isTurn = true;
      resolve(undefined);
    };
    const found: Found = () => {
      filesAhead += 1;
      return filesAhead > FILES_AHEAD && !isTurn ? turn : undefined;
    };
    const files = listFiles(next.value, found);
    // It is thrown where the partition's turn comes; until then nothing awaits it.
    files.catch(() => undefined);
    ahead.push({ files, go });
    return true;
  };
  for (;;) {
    while (areMore && (ahead.length === 0 || (ahead.length < LISTED_AHEAD && filesAhead < FILES_AHEAD)))
      areMore = await begin();
    const next = ahead.shift();
    if (next === undefined) return;
    next.go();
    const files = await next.files;
    filesAhead -= files.length;
    yield files;
  }
}

async function filesOf(
  entries: AsyncIterable<ListedEntry>,
  prefix: string,
  skip: (reason: SkipReason) => void,
  onFound: Found,
): Promise<InputFile[]> {
  const found: InputFile[] = [];
  for await (const entry of entries) {
    if (entry.kind === 'folder') continue;
    const rest = entry.key.slice(prefix.length);
    const kind = classifyFileName(rest);
    if (entry.key.endsWith('/')) skip('folder_marker');
    else if (rest.includes('/')) skip('malformed_key');
    else if (kind !== 'submissions') skip(kind);
    else if (entry.size === 0) skip('empty_object');
    else {
      found.push({ key: entry.key, size: entry.size });
      const pause = onFound();
      if (pause !== undefined) await pause;
    }
  }
  // Stores differ in the order of their listings; the plan must not.
  found.sort((a, b) => compareText(a.key, b.key));
  for (const [index, { key }] of found.entries()) if (key === found[index + 1]?.key) throw listedTwice(key, prefix);
  return found;
}

/** The file would be counted twice. Not every store sorts, so the port cannot see it of all. */
function listedTwice(key: string, prefix: string): PassingError {
  return new PassingError(
    `The listing of ${prefix} in the input bucket names ${key} twice; see whether the endpoint is the service itself, and not a proxy or another server`,
  );
}

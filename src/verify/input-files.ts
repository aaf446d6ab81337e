/** The lists of input files: each is what its name says (I4, I6), no file is processed in two entries (I2), and the published lists are their sum (C9). */
import { join } from 'node:path';
import pMap from 'p-map';
import { keysOf } from '../state/file-lists.ts';
import type { Pointer } from '../state/pointer.ts';
import { lookAtProjections } from '../state/projections.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import { publishedNames } from '../state/keys.ts';
import { ObjectMissingError } from '../ports.ts';
import { inWorkFolder } from '../work-folder.ts';
import { dataSetStores } from '../state/owner.ts';
import { countOnce, RESTORE, runAgain, sentence } from './remedies.ts';
import { linesOfFile, readListBody, StoredDamage } from './stored-content.ts';
import type { About, Walk } from './walk.ts';

const LISTS_AT_ONCE = 4;
const MAX_SHARED = 20;
/** Projections are written within minutes after a commit. */
const PROJECTION_GRACE_MS = 600_000;

/** Keys of lists by the name of their entry. */
type Lists = ReadonlyMap<string, string>;

export async function checkInputFiles(walk: Walk, pointer: Pointer): Promise<void> {
  const { ledger } = pointer;
  walk.step('lists of input files');
  const [processed, missing] = [listsOf(ledger, 'processed'), listsOf(ledger, 'missing')];
  const isWhole = walk.quick || (await checkLists(walk, ledger));
  if (!walk.quick && isWhole) await checkShared(walk, processed);
  const stale = await staleProjections(walk, pointer);
  if (!walk.quick && isWhole && ledger.seq > 0) {
    walk.step('projections');
    const read = (lists: Lists) => [...lists.values()].map((key) => keysOf(walk.ports.analysis, key, walk.signal));
    await compareList(walk, publishedNames.filesProcessed, processedFiles(read(processed)), stale);
    await compareList(walk, publishedNames.filesMissing, missingFiles(read(processed), read(missing)), stale);
  }
  reportStale(walk, pointer, stale);
}

function listsOf({ entries }: Ledger, which: 'processed' | 'missing'): Lists {
  return new Map(
    [...entries].flatMap(([name, { fileLists }]) => {
      const key = fileLists[which];
      return key === null ? [] : [[name, key] as const];
    }),
  );
}

/** @returns whether all of them can be read */
async function checkLists(walk: Walk, { entries }: Ledger): Promise<boolean> {
  const lists = [...entries].flatMap(([name, { files, fileLists }]) =>
    (['processed', 'missing'] as const).map((which) => ({ name, which, key: fileLists[which], count: files[which] })),
  );
  const read = await pMap(lists, (list) => checkList(walk, list), { concurrency: LISTS_AT_ONCE });
  return read.every(Boolean);
}

async function checkList(
  walk: Walk,
  { name, which, key, count }: { name: string; which: string; key: string | null; count: number },
): Promise<boolean> {
  const action = /^\d/.test(name) ? sentence(runAgain(name)) : RESTORE;
  const about: About = { invariant: 'I4', what: `the list of files ${which} of ${name}`, action };
  if (key === null) {
    if (count > 0)
      walk.error(
        'I8',
        'wrong-count',
        walk.stateAddress(''),
        `${about.what} is empty, its entry counts ${count}`,
        action,
      );
    return true;
  }
  const stored = await walk.get(walk.ports.analysis, key, about);
  if (stored === undefined) return false;
  const where = walk.stateAddress(key);
  try {
    const { sha256, lines, ascending } = await readListBody(stored.body);
    const digits = /-([0-9a-f]{16})\.gz$/.exec(key)?.[1] ?? '';
    if (!sha256.startsWith(digits))
      walk.error('I6', 'wrong-hash', where, `${about.what} is not what its name says`, action);
    if (lines !== count)
      walk.error('I8', 'wrong-count', where, `${about.what} has ${lines}, its entry says ${count}`, action);
    if (!ascending)
      walk.error('I2', 'double-file', where, `${about.what} is not in order, or has a file twice`, action);
    return ascending;
  } catch (error) {
    if (!(error instanceof StoredDamage)) throw error;
    walk.error('I6', 'wrong-hash', where, `${about.what} is damaged: ${error.message}`, action);
    return false;
  }
}

/** I2: one merge of all lists, each key with the number of its entry behind it, brings equal keys together. */
async function checkShared(walk: Walk, processed: Lists): Promise<void> {
  const names = [...processed.keys()];
  const marked = [...processed.values()].map((key, index) =>
    mark(keysOf(walk.ports.analysis, key, walk.signal), index),
  );
  let last = ['', ''];
  let shared = 0;
  for await (const line of processedFiles(marked)) {
    const [key = '', index = ''] = line.split(SEPARATOR);
    if (key === last[0]) {
      const [one, other] = [names[Number(last[1])] ?? '', names[Number(index)] ?? ''];
      const where = walk.stateAddress(processed.get(other) ?? '');
      walk.error(
        'I2',
        'double-file',
        where,
        `${key} is counted by ${one} and by ${other}`,
        sentence(countOnce(key, one, other)),
      );
      shared += 1;
      if (shared === MAX_SHARED) return;
    }
    last = [key, index];
  }
}

// Less than every character of a key, so that the order of keys stays.
const SEPARATOR = '\0';

async function* mark(keys: AsyncIterable<string>, index: number): AsyncGenerator<string> {
  for await (const key of keys) yield `${key}${SEPARATOR}${index}`;
}

interface Stale {
  readonly names: Map<string, string>;
  readonly behind: boolean;
}

/** By what status.json says about the lists, without reading them. */
async function staleProjections(walk: Walk, pointer: Pointer): Promise<Stale> {
  if (pointer.ledger.seq === 0) return { names: new Map(), behind: false };
  const { differing, behind } = await lookAtProjections(dataSetStores(walk.ports), pointer, walk.signal);
  return {
    names: new Map(
      differing.map((name) => [name, behind ? 'shows an earlier commit' : 'is not what was written with the commit']),
    ),
    behind,
  };
}

async function compareList(walk: Walk, name: string, expected: AsyncIterable<string>, { names }: Stale): Promise<void> {
  const { published, settings } = walk.ports;
  await inWorkFolder(settings.workDirectory, async (work) => {
    const path = join(work, name);
    try {
      walk.counted((await published.getToFile(settings.publishedPrefix + name, path, { signal: walk.signal })).size);
    } catch (error) {
      if (!(error instanceof ObjectMissingError)) throw error;
      names.set(name, 'is gone');
      return;
    }
    const difference = await firstDifference(expected, linesOfFile(path));
    if (difference !== undefined) names.set(name, difference);
  });
}

/** Where two lists differ, in words; undefined when they are equal. */
async function firstDifference(
  expected: AsyncIterable<string>,
  found: AsyncGenerator<string>,
): Promise<string | undefined> {
  let line = 0;
  try {
    for await (const key of expected) {
      line += 1;
      const next = await found.next();
      if (next.done === true) return `ends before line ${line}, which should be ${key}`;
      if (next.value !== key)
        return `has ${JSON.stringify(next.value.slice(0, 200))} in line ${line}, the ledger ${key}`;
    }
    const more = await found.next();
    return more.done === true ? undefined : `has more than the ${line} files of the ledger`;
  } catch (error) {
    if (!(error instanceof StoredDamage)) throw error;
    return `cannot be read: ${error.message}`;
  } finally {
    await found.return(undefined);
  }
}

function reportStale(walk: Walk, { versions }: Pointer, { names, behind }: Stale): void {
  const age = walk.now.getTime() - Date.parse(versions.head.at);
  for (const [name, how] of names) {
    const where = walk.publishedAddress(name);
    const what = `${name} ${how}`;
    if (behind && age < PROJECTION_GRACE_MS)
      walk.note(
        'C9',
        'stale-projection',
        where,
        `${what}; commit ${versions.head.seq} came minutes ago`,
        'Nothing while its run goes on; otherwise run "telemetry check", which writes it again',
      );
    else walk.error('C9', 'stale-projection', where, what, 'Run "telemetry check", which writes it again');
  }
}

/** The lists of input files: each is what its name says (I4, I6), no file is processed in two entries (I2), and the published lists are their sum (`projections.ts`). */
import pMap from 'p-map';
import { keysOf } from '../state/file-lists.ts';
import type { Pointer } from '../state/pointer.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { missingFiles, processedFiles } from '../pipeline/dataset/file-lists.ts';
import { checkProjections } from './projections.ts';
import { countOnce, RESTORE, runAgain, sentence } from './remedies.ts';
import { readListBody, StoredDamage } from './stored-content.ts';
import type { About, Walk } from './walk.ts';

const LISTS_AT_ONCE = 4;
const MAX_SHARED = 20;

/** Keys of lists by the name of their entry. */
type Lists = ReadonlyMap<string, string>;

export async function checkInputFiles(walk: Walk, pointer: Pointer): Promise<void> {
  const { ledger } = pointer;
  walk.step('lists of input files');
  const [processed, missing] = [listsOf(ledger, 'processed'), listsOf(ledger, 'missing')];
  const isWhole = walk.quick || (await checkLists(walk, ledger));
  if (!walk.quick && isWhole) await checkShared(walk, processed);
  const read = (lists: Lists) => [...lists.values()].map((key) => keysOf(walk.ports.analysis, key, walk.signal));
  await checkProjections(
    walk,
    pointer,
    walk.quick || !isWhole
      ? undefined
      : { processed: processedFiles(read(processed)), missing: missingFiles(read(processed), read(missing)) },
  );
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

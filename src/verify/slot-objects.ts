/** Objects with slots: segments and bases (I4, I6). Those that the ledger names must be there; all must be what their names say. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { stateKeys } from '../state/keys.ts';
import { type NamedSlots, slotsNamedBy } from '../pipeline/dataset/named-slots.ts';
import { ObjectMissingError } from '../ports.ts';
import { inWorkFolder } from '../work-folder.ts';
import type { Commits } from './commits.ts';
import { RESTORE, runAgain, sentence } from './remedies.ts';
import { type PartContent, readPartFile, StoredDamage } from './stored-content.ts';
import type { Walk } from './walk.ts';

const TRANSFERS_AT_ONCE = 8;
const HASH = /-([0-9a-f]{16,64})\.ndjson\.zst$/;

/** Fetches an object that the ledger names to a local file. @returns whether it is what the ledger says */
export async function checkSlots(walk: Walk, slots: NamedSlots, path: string, remedy: string): Promise<boolean> {
  const what = nameOf(slots);
  if ((await walk.file(walk.ports.analysis, slots.key, path, { invariant: 'I4', what, action: remedy })) === undefined)
    return false;
  const content = await contentOf(walk, slots.key, path, what, remedy);
  if (content === undefined) return false;
  const where = walk.stateAddress(slots.key);
  if (content.sha256 !== slots.sha || !isNamed(slots.key, content)) {
    walk.error('I6', 'wrong-hash', where, `${what} is not what the ledger says`, remedy);
    return false;
  }
  if (content.slots === slots.slots) return true;
  walk.error('I4', 'wrong-count', where, `${what} has ${content.slots} slots, the ledger says ${slots.slots}`, RESTORE);
  return false;
}

/**
 * Walks all segments that are stored. What a ledger names and is not there is found here for recent commits, and for the
 * current one by a quick walk; a full one reads those by itself. Others, left by runs that were replaced or never published,
 * are read for their hash: a later run of equal content would take them over as they are.
 */
export async function checkStoredSlots(walk: Walk, ledger: Ledger, { recent }: Commits): Promise<void> {
  walk.step('stored segments');
  const current = namedBy(ledger);
  const earlier = new Map(recent.flatMap((commit) => [...namedBy(commit.ledger)]));
  const found = new Set<string>();
  await inWorkFolder(walk.ports.settings.workDirectory, async (work) => {
    await pMap(
      walk.ports.analysis.objects(stateKeys.allSegments, walk.signal),
      async ({ key }, index) => {
        if (current.has(key) || earlier.has(key)) found.add(key);
        if (!walk.quick && !current.has(key)) await checkOther(walk, key, join(work, `other-${index}`));
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  });
  for (const [key, slots] of walk.quick ? current : []) {
    if (!found.has(key))
      walk.error('I4', 'missing', walk.stateAddress(key), `${nameOf(slots)} is gone`, sentence(runAgain(slots.day)));
  }
  for (const [key, slots] of earlier) {
    if (!current.has(key) && !found.has(key))
      walk.error(
        'I10',
        'missing',
        walk.stateAddress(key),
        `${nameOf(slots)}, which a commit of the last 72 h names, is gone`,
        'Find out who deletes there too early; the current data set does not need it',
      );
  }
}

/** Checks an object that its own name gives the hash of. */
export async function checkNamedPart(
  walk: Walk,
  key: string,
  what: string,
  path: string,
  remedy: string,
): Promise<PartContent | undefined> {
  try {
    const { size } = await walk.ports.analysis.getToFile(key, path, { signal: walk.signal });
    walk.counted(size);
    const content = await contentOf(walk, key, path, what, remedy);
    if (content !== undefined && !isNamed(key, content))
      walk.error('I6', 'wrong-hash', walk.stateAddress(key), `${what} is not what its name says`, remedy);
    return content;
  } catch (error) {
    // Listed a moment ago and collected since: no commit references it.
    if (error instanceof ObjectMissingError) return undefined;
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}

async function checkOther(walk: Walk, key: string, path: string): Promise<void> {
  await checkNamedPart(
    walk,
    key,
    'a segment that the current commit does not name',
    path,
    'Delete it: a run with equal content would count it as it is',
  );
}

async function contentOf(
  walk: Walk,
  key: string,
  path: string,
  what: string,
  remedy: string,
): Promise<PartContent | undefined> {
  try {
    return await readPartFile(path);
  } catch (error) {
    if (!(error instanceof StoredDamage)) throw error;
    walk.error('I6', 'wrong-hash', walk.stateAddress(key), `${what} is damaged: ${error.message}`, remedy);
    return undefined;
  }
}

function isNamed(key: string, { sha256 }: PartContent): boolean {
  const digits = HASH.exec(key)?.[1];
  return digits === undefined || sha256.startsWith(digits);
}

function namedBy({ channelVersions }: Ledger): Map<string, NamedSlots> {
  return new Map(
    [...channelVersions].flatMap(([name, entry]) =>
      slotsNamedBy(name, entry).map((slots) => [slots.key, slots] as const),
    ),
  );
}

function nameOf({ channelVersion, day }: NamedSlots): string {
  return day === null ? `the base of ${channelVersion}` : `the segment of ${day} of ${channelVersion}`;
}

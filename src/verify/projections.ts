/** The projections: FILES_PROCESSED, FILES_MISSING and `status.json` say what the ledger says (C9). */
import { join } from 'node:path';
import { ObjectMissingError } from '../ports.ts';
import { publishedNames } from '../state/keys.ts';
import { dataSetStores } from '../state/owner.ts';
import type { Pointer } from '../state/pointer.ts';
import { lookAtProjections } from '../state/projections.ts';
import { inWorkFolder } from '../work-folder.ts';
import { linesOfFile, StoredDamage } from './stored-content.ts';
import type { Walk } from './walk.ts';

/** They are written within minutes after a commit. */
const PROJECTION_GRACE_MS = 600_000;

/** What the published lists should hold. */
export interface ExpectedLists {
  readonly processed: AsyncIterable<string>;
  readonly missing: AsyncIterable<string>;
}

/** @param lists undefined when the lists themselves are not compared */
export async function checkProjections(walk: Walk, pointer: Pointer, lists: ExpectedLists | undefined): Promise<void> {
  const stale = await staleProjections(walk, pointer);
  if (lists !== undefined && pointer.ledger.seq > 0) {
    walk.step('projections');
    await compareList(walk, publishedNames.filesProcessed, lists.processed, stale);
    await compareList(walk, publishedNames.filesMissing, lists.missing, stale);
  }
  reportStale(walk, pointer, stale);
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

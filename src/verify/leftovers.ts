/** Folders that no commit references; and the quarantine, whose objects are named by their hash (I6). */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { isAdopted } from '../pipeline/dataset/entry-name.ts';
import { adoptedOn } from '../pipeline/dataset/adoption/adopted-entry.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { stateKeys } from '../state/keys.ts';
import { publishedFolders } from '../state/listing.ts';
import { judgeUnreferenced, type Unreferenced } from './rules/folder-rules.ts';
import { ObjectMissingError } from '../ports.ts';
import type { Commits } from './commits.ts';
import type { Walk } from './walk.ts';

const AT_ONCE = 8;

export async function checkUnreferenced(walk: Walk, ledger: Ledger, { chain, named }: Commits): Promise<void> {
  walk.step('unreferenced folders');
  const { published, settings } = walk.ports;
  const current = new Set(chain[0]?.folders);
  const adoptedUntil =
    [...ledger.entries.keys()].filter(isAdopted).map((name) => `${adoptedOn(name)}235959`)[0] ?? null;
  await pMap(
    publishedFolders(published, settings.publishedPrefix, walk.signal),
    async ({ folder, stamp }) => {
      if (current.has(folder)) return;
      if (named.has(folder)) walk.counts.superseded += 1;
      else await judge(walk, folder, stamp, adoptedUntil);
    },
    { concurrency: AT_ONCE },
  );
}

async function judge(walk: Walk, folder: string, stamp: string, adoptedUntil: string | null): Promise<void> {
  const { published, analysis, settings } = walk.ports;
  let youngest = new Date(0);
  let objects = 0;
  for await (const { lastModified } of published.objects(`${settings.publishedPrefix}${folder}/`, walk.signal)) {
    objects += 1;
    if (lastModified > youngest) youngest = lastModified;
  }
  if (objects === 0) return;
  const claimed = (await analysis.head(stateKeys.folderClaim(folder), walk.signal)) !== undefined;
  const verdict = judgeUnreferenced({ stamp, claimed, youngest }, adoptedUntil, walk.now);
  const { isError, what, action } = VERDICTS[verdict];
  const where = walk.publishedAddress(`${folder}/`);
  const text = `folder ${folder} (${objects} ${objects === 1 ? 'object' : 'objects'}) is named by no commit: ${what}`;
  if (isError) walk.error('GC', 'unreferenced', where, text, action);
  else walk.note('GC', 'unreferenced', where, text, action);
}

const VERDICTS: Readonly<Record<Unreferenced, { isError: boolean; what: string; action: string }>> = {
  'in progress': {
    isError: false,
    what: 'a publish of ours began it, and is at work or was broken off',
    action: 'Nothing: it becomes visible with its commit, or garbage collection deletes it when it is 7 days old',
  },
  'left behind': {
    isError: true,
    what: 'a publish of ours was broken off more than 8 days ago, and garbage collection has not deleted it',
    action: 'Find out why garbage collection does not run; no reader knows the folder',
  },
  'of the original': {
    isError: false,
    what: 'it is older than the adoption',
    action: 'Nothing: the original published it and adoption did not take it over; garbage collection may delete it',
  },
  stray: {
    isError: true,
    what: 'no publish of this deployment began it',
    action: 'Find out who writes there; then delete it, no reader knows the folder',
  },
};

export async function checkQuarantine(walk: Walk): Promise<void> {
  if (walk.quick) return;
  walk.step('quarantine');
  const { analysis } = walk.ports;
  await pMap(
    analysis.objects(stateKeys.allQuarantined, walk.signal),
    async (entry) => {
      try {
        const { body } = await analysis.get(entry.key, { signal: walk.signal });
        walk.counted(body.length);
        if (stateKeys.quarantine(createHash('sha256').update(body).digest('hex')) === entry.key) return;
      } catch (error) {
        if (error instanceof ObjectMissingError) return;
        throw error;
      }
      walk.error(
        'I6',
        'wrong-hash',
        walk.stateAddress(entry.key),
        'a quarantine object is not what its name says',
        'Restore it from the bucket’s versions, or delete it; it is not counted either way',
      );
    },
    { concurrency: AT_ONCE },
  );
}

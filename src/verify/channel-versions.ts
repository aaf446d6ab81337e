/** Each channel/version of the ledger: its folder, its slots, and that the folder is made of the slots (I3, I4). */
import { join } from 'node:path';
import pMap from 'p-map';
import type { Pointer } from '../state/pointer.ts';
import type { ChannelVersionEntry } from '../pipeline/dataset/ledger.ts';
import { partsOf, slotsNamedBy } from '../pipeline/dataset/named-slots.ts';
import { countSameDays, daysWithoutEntry, isAdoptedFolder, isRenderedFrom } from './rules/sum-rules.ts';
import { parseLedger } from '../pipeline/dataset/ledger-document.ts';
import { inWorkFolder } from '../work-folder.ts';
import type { Commits } from './commits.ts';
import { type CheckedFolder, checkFolder } from './published-folders.ts';
import { RESTORE, runAgain } from './remedies.ts';
import { compareRendered } from './rendering.ts';
import { checkSlots } from './slot-objects.ts';
import type { Walk } from './walk.ts';

const TRANSFERS_AT_ONCE = 8;

export async function checkChannelVersions(walk: Walk, pointer: Pointer, commits: Commits): Promise<void> {
  const { channelVersions } = pointer.ledger;
  walk.counts.folders = pointer.versions.folders.size;
  let ready = 0;
  const tell = (): void => {
    walk.step(`folders and segments (${ready} of ${channelVersions.size} channel/versions)`);
  };
  tell();
  await pMap(
    channelVersions,
    async ([name, entry]) => {
      await checkOne(walk, name, entry, commits);
      ready += 1;
      tell();
    },
    // Each holds its slots on disk and a thread.
    { concurrency: walk.ports.settings.threads },
  );
  for (const { channelVersion, day } of daysWithoutEntry(pointer.ledger)) {
    walk.error(
      'I3',
      'wrong-sum',
      walk.stateAddress(pointer.versions.head.ledger),
      `${channelVersion} counts ${day}, of which the ledger has no entry`,
      `Publish any day with data of ${channelVersion}, which takes it out; restore its segments first if they are damaged`,
    );
  }
}

async function checkOne(walk: Walk, name: string, entry: ChannelVersionEntry, commits: Commits): Promise<void> {
  const folder = await checkFolder(walk, entry.folder, entry, name);
  const adopted = folder !== undefined && isAdoptedFolder(folder.manifest, entry);
  if (adopted) walk.counts.adopted += 1;
  const isOf = folder !== undefined && (adopted || (await checkMadeOf(walk, name, entry, folder, commits)));
  // The listing has shown whether the objects are there.
  if (walk.quick) return;
  await inWorkFolder(walk.ports.settings.workDirectory, async (work) => {
    const paths = new Map<string, string>();
    await pMap(
      slotsNamedBy(name, entry).entries(),
      async ([index, slots]) => {
        const path = join(work, `part-${index}`);
        const remedy = slots.day === null ? RESTORE : `Delete what is there, if anything, and ${runAgain(slots.day)}`;
        if (await checkSlots(walk, slots, path, remedy)) paths.set(slots.key, path);
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
    const parts = partsOf(entry).flatMap((key) => paths.get(key) ?? []);
    const isReady = isOf && !adopted && folder.whole && parts.length === partsOf(entry).length;
    if (isReady) await compareRendered(walk, folder, parts, work);
  });
}

/** A folder that was kept while its days were folded into a base still names what it was rendered from. */
async function checkMadeOf(
  walk: Walk,
  name: string,
  entry: ChannelVersionEntry,
  { manifest }: CheckedFolder,
  { chain }: Commits,
): Promise<boolean> {
  if (isRenderedFrom(manifest, entry)) return true;
  for (const { key } of chain.filter(({ folders }) => folders.includes(entry.folder))) {
    const about = { invariant: 'I6', what: 'a ledger', action: RESTORE } as const;
    const ledger = (await walk.document(walk.ports.analysis, key, about, parseLedger))?.value;
    const then = ledger?.channelVersions.get(name);
    if (then?.folder === entry.folder && isRenderedFrom(manifest, then) && countSameDays(then, entry)) return true;
  }
  walk.error(
    'I3',
    'wrong-sum',
    walk.publishedAddress(entry.folder),
    `folder ${entry.folder} was not rendered from what the ledger has for ${name}`,
    `Publish any day with data of ${name}, which renders a new folder from the ledger’s segments`,
  );
  return false;
}

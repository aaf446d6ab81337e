/**
 * `changes.json`: what the folders of the current commit show, compared date with date (docs/formats/published.md 5.12).
 * A projection: written again after every commit, and made from the folders alone when it is gone.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import pMap from 'p-map';
import type { Change } from '../pipeline/changes/change.ts';
import {
  type ChangesDocument,
  limited,
  type LookedAt,
  MAX_OF_ONE,
  newestFirst,
  readChanges,
  serialiseChanges,
  type SkippedFolder,
} from '../pipeline/changes/changes-document.ts';
import type { FolderChanges } from '../pipeline/changes/folder-changes.ts';
import { analysedDays } from '../pipeline/changes/analysed-days.ts';
import { silenceChange, silences } from '../pipeline/changes/silence.ts';
import { isFailure } from '../failures.ts';
import { isSummaryFile, SUMMARY_PREFIX } from '../pipeline/dataset/measure-index.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { ThreadPool } from '../threads/pool.ts';
import { inWorkFolder } from '../work-folder.ts';
import { getIfPresent, inflatedText } from './documents.ts';
import { publishedNames } from './keys.ts';
import { LocalObjects } from './local-objects.ts';
import { type DataSetStores, type Pointer, readPointer } from './pointer.ts';

/** Measures that changed, and are not among the largest, whose parts are looked at. */
const MAX_MOVED = 20;
const HEADERS = { contentType: 'application/json', contentEncoding: 'gzip', cacheControl: 'no-cache' } as const;

export interface ChangesPorts extends DataSetStores {
  readonly threads: Pick<ThreadPool, 'findFolderChanges' | 'findPartChanges'>;
}

export interface ChangesLook {
  readonly document: ChangesDocument;
  /** Those of `document.changes` that the file before did not have; all, where there was none. */
  readonly fresh: readonly Change[];
}

/**
 * Compares the folders that changed since the last look, and writes the file; once more when a commit came meanwhile.
 * @param looked is told of each channel/version
 */
export async function writeChanges(
  ports: ChangesPorts,
  workDirectory: string,
  looked: (channelVersion: string) => void,
  signal: AbortSignal,
): Promise<ChangesLook> {
  const { published, publishedPrefix } = ports;
  const before = await storedChanges(ports, signal);
  const known = new Set(before?.changes.map(({ id }) => id));
  for (let previous = before; ;) {
    const pointer = await readPointer(ports, signal);
    const document = await look({ ...ports, workDirectory, looked, signal }, pointer, previous);
    const body = await promisify(gzip)(serialiseChanges(document));
    await published.put(publishedPrefix + publishedNames.changes, body, HEADERS, signal);
    previous = document;
    if ((await readPointer(ports, signal)).etag !== pointer.etag) continue;
    return { document, fresh: document.changes.filter(({ id }) => !known.has(id)) };
  }
}

/** Null when there is none that this release can read. */
export async function storedChanges(
  { published, publishedPrefix }: Pick<DataSetStores, 'published' | 'publishedPrefix'>,
  signal: AbortSignal,
): Promise<ChangesDocument | null> {
  const stored = await getIfPresent(published, publishedPrefix + publishedNames.changes, signal);
  return stored === undefined ? null : readChanges(textOrEmpty(stored.body));
}

function textOrEmpty(body: Buffer): string {
  try {
    return inflatedText(body);
  } catch {
    // A projection that cannot be read is made again.
    return '';
  }
}

interface Looking extends ChangesPorts {
  readonly workDirectory: string;
  readonly looked: (channelVersion: string) => void;
  readonly signal: AbortSignal;
}

interface FolderOutcome {
  readonly looked?: LookedAt;
  readonly skipped?: SkippedFolder;
  readonly changes: readonly Change[];
}

async function look(
  looking: Looking,
  { versions, ledger }: Pointer,
  previous: ChangesDocument | null,
): Promise<ChangesDocument> {
  const changes: Change[] = [];
  const skipped: SkippedFolder[] = [];
  const looked = new Map<string, LookedAt>();
  for (const [channelVersion, folder] of versions.folders) {
    looking.looked(channelVersion);
    const outcome =
      unchanged(previous, channelVersion, folder) ?? (await lookAt(looking, channelVersion, folder, previous));
    changes.push(...outcome.changes);
    if (outcome.looked !== undefined) looked.set(channelVersion, outcome.looked);
    if (outcome.skipped !== undefined) skipped.push(outcome.skipped);
  }
  const counts = new Map([...looked].map(([name, { submissions }]) => [name, submissions]));
  const silent = silences(counts, analysedDays(ledger, counts, versions.head.at)).map(silenceChange);
  const found = [...looked.values()].reduce((sum, one) => sum + one.found, silent.length);
  const shown = limited(changes, silent);
  const { at, seq } = versions.head;
  return { at, seq, changes: shown, leftOut: found - shown.length, skipped, looked };
}

/** What the last look found, where the folder is the same. */
function unchanged(
  previous: ChangesDocument | null,
  channelVersion: string,
  folder: string,
): FolderOutcome | undefined {
  const looked = previous?.looked.get(channelVersion);
  const skipped = previous?.skipped.find((one) => one.channelVersion === channelVersion && one.folder === folder);
  if (looked?.folder === folder)
    return { looked, ...(skipped !== undefined && { skipped }), changes: changesOf(previous, channelVersion) };
  return skipped === undefined ? undefined : { skipped, changes: [] };
}

/** Without silences, which are looked for again each time. */
function changesOf(previous: ChangesDocument | null, channelVersion: string): Change[] {
  return (previous?.changes ?? []).filter((one) => one.channelVersion === channelVersion && one.kind !== 'silence');
}

async function lookAt(
  looking: Looking,
  channelVersion: string,
  folder: string,
  previous: ChangesDocument | null,
): Promise<FolderOutcome> {
  const { threads, workDirectory, signal } = looking;
  const summaries = await summariesOf(looking, folder);
  const skip = (reason: string): FolderOutcome => ({ skipped: { channelVersion, folder, reason }, changes: [] });
  if (summaries.length === 0) return skip('it has no summaries, as folders of earlier releases');
  return inWorkFolder(workDirectory, async (work) => {
    const objects = new LocalObjects(
      looking.published,
      work,
      { what: 'a published folder', name: 'published' },
      signal,
    );
    const before = await definitionsBefore(looking, previous?.looked.get(channelVersion)?.folder, folder);
    try {
      const paths = await objects.paths([definitionsKey(looking, folder), ...(before === null ? [] : [before])]);
      const [definitions = '', earlier = null] = paths;
      const files = { definitions, definitionsBefore: earlier, summaries: await objects.paths(summaries) };
      const known = changesOf(previous, channelVersion);
      const whole = await objects.reading(() => threads.findFolderChanges({ channelVersion, ...files, known }, signal));
      const { changes, found, reason } = await withParts({ ...looking, channelVersion, folder, objects }, whole, known);
      const submissions = new Map(Object.entries(whole.submissions));
      return {
        looked: { folder, found, submissions },
        ...(reason !== undefined && {
          skipped: { channelVersion, folder, reason: `only its largest parts: ${reason}` },
        }),
        changes,
      };
    } catch (error) {
      const reason = damageOf(error);
      // One folder that cannot be read must not hide what the others show.
      if (reason === undefined) throw error;
      return skip(reason);
    }
  });
}

interface LookingAtParts extends Looking {
  readonly channelVersion: string;
  readonly folder: string;
  readonly objects: LocalObjects;
}

/** What the largest parts show of the measures with the most submissions, and of those that changed. */
async function withParts(
  { threads, channelVersion, folder, objects, publishedPrefix, signal }: LookingAtParts,
  whole: FolderChanges,
  known: readonly Change[],
): Promise<Pick<FolderChanges, 'changes' | 'found'> & { readonly reason?: string }> {
  const { changes, largest, tested, found } = whole;
  const moved = changes.flatMap(({ measure, pValue }) => (measure === null || pValue === null ? [] : [measure]));
  const wanted = new Set([...largest, ...new Set(moved)].slice(0, largest.length + MAX_MOVED));
  if (wanted.size === 0) return whole;
  const inFolder = `${publishedPrefix}${folder}/`;
  try {
    const measures = await pMap(
      wanted,
      async (measure) => {
        const keys = ['build', 'submission'].map((by) => `${inFolder}${measure}-by-${by}-date.json`);
        const [build = '', submission = ''] = await objects.paths(keys);
        return { measure, build, submission, isWatched: largest.includes(measure) };
      },
      { concurrency: 4 },
    );
    const [definitions = '', filterTree = ''] = await objects.paths([
      `${inFolder}histograms.json`,
      `${inFolder}filter-tree.json`,
    ]);
    const all = await objects.reading(() =>
      threads.findPartChanges(
        { channelVersion, definitions, filterTree, measures, whole: changes, tested, known },
        signal,
      ),
    );
    return {
      changes: all.toSorted(newestFirst).slice(0, MAX_OF_ONE),
      found: found + all.length - changes.length,
    };
  } catch (error) {
    const reason = damageOf(error);
    // What all submissions show is not lost with it.
    if (reason === undefined) throw error;
    return { changes, found, reason };
  }
}

async function summariesOf({ published, publishedPrefix, signal }: Looking, folder: string): Promise<string[]> {
  const keys: string[] = [];
  const inFolder = `${publishedPrefix}${folder}/`;
  for await (const { key } of published.objects(inFolder + SUMMARY_PREFIX, signal))
    if (isSummaryFile(key.slice(inFolder.length))) keys.push(key);
  return keys.toSorted();
}

/** Null when there was no other folder, or when garbage collection has removed it. */
async function definitionsBefore(looking: Looking, before: string | undefined, folder: string): Promise<string | null> {
  if (before === undefined || before === folder) return null;
  const key = definitionsKey(looking, before);
  return (await looking.published.head(key, looking.signal)) === undefined ? null : key;
}

function definitionsKey({ publishedPrefix }: { readonly publishedPrefix: string }, folder: string): string {
  return `${publishedPrefix}${folder}/histograms.json`;
}

function damageOf(error: unknown): string | undefined {
  if (error instanceof InvalidDataError || isFailure(error, 'StateDamaged')) return (error as Error).message;
  const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
  return isTooLarge ? 'a thread ran out of memory over its files' : undefined;
}

/**
 * Stage 6: one channel/version is rendered from its segments into a folder of its own, which no reader sees before the
 * commit.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cancellationSignal, log } from '@temporalio/activity';
import pLimit, { type LimitFunction } from 'p-limit';
import pMap from 'p-map';
import { failpoint } from '../failpoints.ts';
import { withBodies } from '../file-body.ts';
import { failureTypeOf } from '../error-classes.ts';
import { failure, isFailure } from '../failures.ts';
import { compactedEntry, type Compaction, type Fold } from '../pipeline/dataset/compaction.ts';
import { nextFolderName } from '../pipeline/dataset/folder-name.ts';
import type { FoldedDays } from '../pipeline/dataset/ledger.ts';
import { MANIFEST_NAME, serialiseManifest } from '../pipeline/dataset/manifest.ts';
import { PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import { partsOf } from '../pipeline/dataset/named-slots.ts';
import type { PreviousFiles } from '../pipeline/dataset/previous-snapshot.ts';
import type { HiddenSubmissions } from '../pipeline/dataset/snapshot.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { addressOf, inflatedText, readObject, undamaged } from '../state/documents.ts';
import { stateKeys } from '../state/keys.ts';
import { LocalParts } from '../state/parts.ts';
import {
  findStaged,
  folderFileHeaders,
  readPublicationOf,
  type SnapshotPlan,
  stagedSnapshot,
  type StagedSnapshot,
} from '../state/publication.ts';
import { answeringPort } from '../threads/definition-port.ts';
import type { RenderedFile, RenderSnapshotInput, RenderSnapshotResult } from '../threads/render-snapshot.ts';
import { inWorkFolder } from '../work-folder.ts';
import type { PublicationInput } from './commit.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';

export interface StagedSummary {
  readonly channelVersion: string;
  readonly folder: string | null;
  readonly damage: string | null;
  readonly files: number;
  readonly measures: number;
  readonly definitionsPending: number;
  readonly definitionsDerived: number;
  readonly lengthMismatch: number;
  /** The worst few; the stored record has more. */
  readonly hidden: readonly HiddenSubmissions[];
  /** Measures that no definition knows, too many to be shown. */
  readonly measuresLeftOut: number;
  /** Rows that no folder can show, such as those of a histogram with one bucket. */
  readonly rowsLeftOut: number;
  /** Definition files that are there and broken. */
  readonly definitionFaults: readonly string[];
}

const MAX_FAULTS_KEPT = 3;

/** Each channel/version has them in the workflow's history. */
const MAX_HIDDEN_TOLD = 3;

/**
 * Of all snapshots that this worker stages. Each costs the event loop one or two milliseconds, so that hundreds at once would
 * hold up everything else.
 */
const UPLOADS_AT_ONCE = 16;
/** Characters of a damage that the history keeps. */
const MAX_DAMAGE = 1000;

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'findHistogramsFile' | 'settings'>;

/** One call of the activity. */
interface Call {
  readonly run: RunRef;
  readonly attempt: number;
  readonly index: number;
  /** Files uploaded, for the heartbeat. */
  readonly counts: { files: number };
  readonly uploads: LimitFunction;
  readonly signal: AbortSignal;
}

export function createStageActivities(ports: Ports) {
  const uploads = pLimit(UPLOADS_AT_ONCE);
  return {
    /**
     * Renders one channel/version into a folder that no reader sees yet (C4, C5). An unchanged one of an earlier
     * attempt is reused.
     */
    async stageSnapshot({
      run,
      attempt,
      index,
    }: PublicationInput & { readonly index: number }): Promise<StagedSummary> {
      const counts = { files: 0 };
      const call: Call = { run, attempt, index, counts, uploads, signal: cancellationSignal() };
      return heartbeating(
        () => counts,
        async () => {
          const make = (): Promise<StagedSnapshot> => stage(ports, call);
          const staged = await stagedSnapshot(ports.analysis, run, attempt, index, make, call.signal);
          const { channelVersion, folder, files } = staged;
          log.info('snapshot staged', { runId: run.runId, channelVersion, folder, files });
          return stagedSummary(staged);
        },
      );
    },
  };
}

/** What the history and the report keep of a staged snapshot. */
export function stagedSummary(staged: StagedSnapshot): StagedSummary {
  const { channelVersion, folder, damage, files, measures, definitionsDerived, lengthMismatch } = staged;
  const definitionsPending = staged.definitionsPending.length;
  const definitions = { definitionsPending, definitionsDerived };
  const shown = damage === null ? null : damage.slice(0, MAX_DAMAGE);
  const unseen = {
    lengthMismatch,
    hidden: staged.hidden.slice(0, MAX_HIDDEN_TOLD),
    measuresLeftOut: staged.measuresLeftOut,
    rowsLeftOut: staged.rowsLeftOut,
    definitionFaults: staged.definitionFaults,
  };
  return { channelVersion, folder, damage: shown, files, measures, ...definitions, ...unseen };
}

async function stage(ports: Ports, call: Call): Promise<StagedSnapshot> {
  const { run, attempt, index, signal } = call;
  const publication = await readPublicationOf(ports.analysis, run, attempt, signal);
  const plan = publication.snapshots[index];
  if (plan === undefined)
    throw failure('StateDamaged', `Publication ${attempt} of ${run.runId} has no snapshot ${index}; run the day again`);
  const earlier = await stagedBefore(ports.analysis, call, plan);
  if (earlier !== undefined) return earlier;
  try {
    return await render(ports, plan, call);
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    log.error('channel/version cannot be rendered', { channelVersion: plan.channelVersion, damage });
    return {
      ...plan,
      folder: null,
      damage,
      measures: 0,
      rows: 0,
      files: 0,
      definitionsPending: [],
      definitionsDerived: 0,
      lengthMismatch: 0,
      hidden: [],
      measuresLeftOut: 0,
      rowsLeftOut: 0,
      definitionFaults: [],
    };
  }
}

async function render(ports: Ports, plan: SnapshotPlan, call: Call): Promise<StagedSnapshot> {
  const { analysis, published, settings } = ports;
  const { signal } = call;
  return inWorkFolder(settings.workDirectory, async (work) => {
    const previous = plan.previousFolder === null ? null : await readPrevious(ports, plan.previousFolder, signal);
    const parts = new LocalParts(analysis, work, signal);
    const stored = plan.sealing === undefined ? undefined : await compact(ports, plan, plan.sealing, call, parts);
    const keys = stored === undefined ? plan.parts : partsOf(stored);
    const output = join(work, 'rendered');
    const { channelVersion } = plan;
    const table = settings.publishParquet ? { output: join(work, 'table'), channelVersion } : undefined;
    const input = { parts: await parts.paths(keys), previous, output, table };
    const { files, summary, definitionFaults } = await parts.reading(() => renderFiles(ports, input, signal));
    if (table !== undefined && !files.some(({ name }) => name === PARQUET_NAME))
      log.warn('the table for analysts is too large and is left out', { channelVersion });
    const folder = await claimFolder(analysis, plan, call);
    await uploadFolder(ports, folder, files, call);
    await failpoint('stage.beforeManifest', signal);
    const { measuresLeftOut } = summary;
    const manifest = serialiseManifest({ channelVersion, segments: keys, files, measuresLeftOut });
    const key = `${settings.publishedPrefix}${folder}/${MANIFEST_NAME}`;
    await published.createOnce(key, gzipSync(manifest), folderFileHeaders(MANIFEST_NAME), signal);
    const { pending, missing, mismatch } = summary.definitions;
    return {
      ...plan,
      folder,
      damage: null,
      measures: summary.measures,
      rows: summary.rows,
      files: files.length,
      definitionsPending: [...pending],
      definitionsDerived: missing.length + mismatch.length,
      lengthMismatch: summary.lengthMismatch.submissions,
      hidden: [...summary.hidden],
      measuresLeftOut,
      rowsLeftOut: Object.values(summary.dropped).reduce((sum, rows) => sum + rows, 0),
      definitionFaults: definitionFaults.slice(0, MAX_FAULTS_KEPT),
      ...(stored !== undefined && { stored: { base: stored.base, segments: [...stored.segments] } }),
    };
  });
}

/** Folds old days; a repeated call finds the objects of the first. */
async function compact(
  { analysis, threads }: Ports,
  { channelVersion }: SnapshotPlan,
  compaction: Compaction,
  { run, signal }: Call,
  parts: LocalParts,
) {
  const sum = async ({ days, parts: keys, existing }: Fold): Promise<FoldedDays> => {
    if (existing !== null) return existing;
    const output = parts.newPath();
    const paths = await parts.paths(keys);
    const merged = await parts.reading(() => threads.mergePartFiles({ parts: paths, output }, signal));
    const key = stateKeys.compactedDays(channelVersion, merged.sha256, run);
    const body = { path: output, size: merged.storedBytes };
    await analysis.createOnce(key, body, { contentType: 'application/zstd' }, signal);
    parts.keep(key, output);
    return { key, sha: merged.sha256, slots: merged.slots, days };
  };
  const base = await sum(compaction.base);
  const beneath = compaction.beneath === null ? null : await sum(compaction.beneath);
  log.info('old days compacted', { channelVersion, days: base.days.length, kept: compaction.kept.length });
  return compactedEntry(compaction, { base, beneath });
}

async function renderFiles(
  { threads, findHistogramsFile }: Ports,
  input: Omit<RenderSnapshotInput, 'definitions'>,
  signal: AbortSignal,
): Promise<RenderSnapshotResult & { readonly definitionFaults: readonly string[] }> {
  const answering = findHistogramsFile === null ? null : answeringPort(findHistogramsFile);
  try {
    const rendered = await threads.renderSnapshotFiles({ ...input, definitions: answering?.port ?? null }, signal);
    return { ...rendered, definitionFaults: answering?.faults() ?? [] };
  } finally {
    answering?.close();
  }
}

/** A rebase renders only what the other commit touched. */
async function stagedBefore(
  analysis: ObjectStore,
  { run, attempt, signal }: Call,
  plan: SnapshotPlan,
): Promise<StagedSnapshot | undefined> {
  if (attempt === 1) return undefined;
  const before = await readPublicationOf(analysis, run, attempt - 1, signal);
  const index = before.snapshots.findIndex(
    ({ channelVersion, previousFolder, parts, sealing }) =>
      channelVersion === plan.channelVersion &&
      previousFolder === plan.previousFolder &&
      parts.join('\n') === plan.parts.join('\n') &&
      JSON.stringify(sealing) === JSON.stringify(plan.sealing),
  );
  return index < 0 ? undefined : findStaged(analysis, run, attempt - 1, index, signal);
}

/** @throws ApplicationFailure StateDamaged */
async function readPrevious(
  { published, settings }: Ports,
  folder: string,
  signal: AbortSignal,
): Promise<PreviousFiles> {
  const read = async (name: string): Promise<string> => {
    const key = `${settings.publishedPrefix}${folder}/${name}`;
    const what = `a file of the published folder ${folder}`;
    const { body } = await readObject(published, key, what, signal);
    return undamaged(addressOf(published, key), what, () => inflatedText(body));
  };
  return {
    filterTree: await read('filter-tree.json'),
    histograms: await read('histograms.json'),
    revisions: await read('revisions.json'),
  };
}

/** A name that no other publisher, and no other attempt, writes into. */
async function claimFolder(
  analysis: ObjectStore,
  { channelVersion, previousFolder }: SnapshotPlan,
  { run, signal }: Call,
): Promise<string> {
  let folder = nextFolderName(channelVersion, new Date(), previousFolder ?? undefined);
  while ((await analysis.createOnce(stateKeys.folderClaim(folder), Buffer.from(run.runId), {}, signal)) === 'exists') {
    folder = nextFolderName(channelVersion, new Date(), folder);
  }
  return folder;
}

async function uploadFolder(
  { published, settings }: Ports,
  folder: string,
  files: readonly RenderedFile[],
  { counts, uploads, signal }: Call,
): Promise<void> {
  await pMap(
    withBodies(files, ({ path, start, bytes }) => ({ path, start, size: bytes })),
    async ([{ name }, body]) => {
      const key = `${settings.publishedPrefix}${folder}/${name}`;
      await uploads(async () => {
        signal.throwIfAborted();
        return published.createOnce(key, body, folderFileHeaders(name), signal);
      });
      counts.files += 1;
      await failpoint('stage.midFolder', signal);
    },
    // With the signal it ends at once, also while uploads of others keep its own waiting.
    { concurrency: UPLOADS_AT_ONCE, signal },
  );
}

/** What is wrong with the stored data of a channel/version, in words; undefined for any other kind of error. */
function damageOf(error: unknown): string | undefined {
  // A thread reads the previous folder's files as text and does not know their addresses.
  const isData = isFailure(error, 'StateDamaged') || error instanceof InvalidDataError;
  return isData && failureTypeOf(error) === 'StateDamaged' ? error.message : undefined;
}

/** Stage 7: what a run publishes is planned from the pointer, and one conditional PUT shows all staged snapshots (PROTOCOL.md C1–C3, C6–C8). */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failure } from '../failures.ts';
import { failpoint } from '../failpoints.ts';
import {
  completeLedger,
  type Contribution as DayContribution,
  decide,
  isAdopted,
  isRound,
  keepAsTheyAre,
  type RenderedFolder,
  replaceDay,
} from '../pipeline/dataset/day-replacement.ts';
import { type Ledger, type Segment, serialiseLedger } from '../pipeline/dataset/ledger.ts';
import { MANIFEST_NAME } from '../pipeline/dataset/manifest.ts';
import { partsOf } from '../pipeline/dataset/named-slots.ts';
import { firstShared } from '../pipeline/dataset/overlap.ts';
import { newestDay, planCompaction } from '../pipeline/dataset/compaction.ts';
import { nextVersions, serialiseVersions } from '../pipeline/dataset/versions.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { type RunRef, stateKeys } from '../state/keys.ts';
import type { Contribution } from './build.ts';
import { keysOf } from '../state/file-lists.ts';
import { heartbeating } from './context.ts';
import { swapPointer, type Pointer, readLedger, readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import type {
  Publication,
  PublicationDecision,
  PublicationInput,
  SnapshotPlan,
  StagedSnapshot,
} from '../state/publication.ts';
import { createJsonOnce, readJson, readJsonIfPresent } from '../state/documents.ts';

export interface PublicationSummary {
  readonly decision: PublicationDecision;
  readonly snapshots: number;
  /** Commit that the attempt builds on. */
  readonly seq: number;
}

export interface CommitResult {
  /** `moved`: another commit came first; plan again. */
  readonly outcome: 'committed' | 'moved' | 'superseded';
  readonly seq: number;
}

const TRANSFERS_AT_ONCE = 32;
const LISTS_AT_ONCE = 4;

export function createDatasetActivities(ports: Pick<ActivityPorts, 'analysis' | 'published' | 'metrics' | 'settings'>) {
  const { analysis, published, metrics, settings } = ports;
  const { publishedPrefix } = settings;
  const stores = { analysis, published, publishedPrefix, metrics };

  return {
    /** Reads the pointer and decides what this run has to render (C1–C3). */
    async planPublication({ run, attempt, commit }: PublicationInput): Promise<PublicationSummary> {
      const signal = cancellationSignal();
      const key = stateKeys.publication(run, attempt);
      const known = (await readJsonIfPresent(analysis, key, signal)) as Publication | undefined;
      const publication =
        known ??
        (await heartbeating(
          () => ({ attempt }),
          async () =>
            createJsonOnce(
              analysis,
              key,
              await planFrom(await readPointer(stores, signal), run, commit, signal),
              signal,
            ),
        ));
      const { decision, snapshots, seq, displaced = [] } = publication;
      log.info('publication planned', {
        runId: run.runId,
        attempt,
        decision,
        snapshots: snapshots.length,
        seq,
        displaced: displaced.length,
      });
      return { decision, snapshots: snapshots.length, seq };
    },

    /** Writes the ledger and flips the pointer (C6–C8). After a lost answer nothing is cleaned up: the pointer tells what happened. */
    async commitDataset(input: PublicationInput): Promise<CommitResult> {
      const signal = cancellationSignal();
      return heartbeating(
        () => ({ attempt: input.attempt }),
        () => commit(input, signal),
      );
    },
  };

  async function commit({ run, attempt }: PublicationInput, signal: AbortSignal): Promise<CommitResult> {
    const publication = (await readJson(analysis, stateKeys.publication(run, attempt), signal)) as Publication;
    const contribution = await readContribution(run, signal);
    const pointer = await readPointer(stores, signal);
    if (pointer.versions.head.ledger !== publication.baseLedger) {
      metrics.add('telemetry_flip_conflicts', 1);
      return resolve(pointer, contribution);
    }

    const staged = await pMap(
      publication.snapshots,
      async (_, index) => (await readJson(analysis, stateKeys.staged(run, attempt, index), signal)) as StagedSnapshot,
      { concurrency: TRANSFERS_AT_ONCE },
    );
    const rendered = new Map<string, RenderedFolder>();
    for (const { channelVersion, folder, definitionsPending, stored } of staged)
      if (folder !== null) rendered.set(channelVersion, { folder, definitionsPending, ...stored });
    await pMap(rendered.values(), ({ folder }) => demandManifest(folder, signal), { concurrency: TRANSFERS_AT_ONCE });
    const base = await readLedger(analysis, publication.baseLedger, signal);
    const damaged = staged.filter(({ folder }) => folder === null).map(({ channelVersion }) => channelVersion);
    const draft = keepAsTheyAre(replaceDay(base, contribution, publication.displaced).draft, base, damaged);
    const ledger = completeLedger(base, draft, publication.commit, rendered);
    const ledgerKey = await storeLedger(ledger, signal);
    const versions = nextVersions(pointer.versions, ledger, ledgerKey, new Date());
    await failpoint('flip.before', signal);
    const flip = await swapPointer(stores, publication.pointerEtag, gzipSync(serialiseVersions(versions)), signal);
    await failpoint('flip.after', signal);
    metrics.add(flip === 'committed' ? 'telemetry_commits' : 'telemetry_flip_conflicts', 1);
    log.info('pointer flipped', { runId: run.runId, attempt, flip, seq: ledger.seq });
    return flip === 'committed'
      ? { outcome: 'committed', seq: ledger.seq }
      : resolve(await readPointer(stores, signal), contribution);
  }

  async function planFrom(pointer: Pointer, run: RunRef, commit: string, signal: AbortSignal): Promise<Publication> {
    const contribution = await readContribution(run, signal);
    const { ledger } = pointer;
    const isDay = !isRound(contribution.day);
    let decision: PublicationDecision = decide(ledger, contribution);
    if (decision === 'publish') refuseNothing(ledger, contribution);
    const shared = decision === 'publish' ? await sharing(ledger, contribution, signal) : new Map<string, string>();
    if (!isDay && (shared.size > 0 || (await isReturned(run, signal)))) decision = 'overlapping';
    if (isDay) refuseAdopted(contribution.day, shared);
    const displaced = isDay ? [...shared.keys()] : [];
    const { head } = pointer.versions;
    const replacement = decision === 'publish' ? replaceDay(ledger, contribution, displaced) : undefined;
    const newest = newestDay([...ledger.days.keys(), contribution.day]);
    const snapshots = (replacement?.affected ?? []).map((channelVersion): SnapshotPlan => {
      const entry = replacement?.draft.channelVersions.get(channelVersion) ?? { base: null, segments: [] };
      const parts = partsOf(entry);
      const compaction = planCompaction(entry, newest, settings.compaction);
      const previousFolder = pointer.versions.folders.get(channelVersion) ?? null;
      return { channelVersion, previousFolder, parts, ...(compaction !== undefined && { sealing: compaction }) };
    });
    return {
      commit,
      decision,
      pointerEtag: pointer.etag,
      baseLedger: head.ledger,
      seq: head.seq,
      snapshots,
      displaced,
    };
  }

  /**
   * Entries of the ledger that count an input file of the contribution, with the first such file: of all entries for a
   * round, of rounds and the adopted history for a day.
   */
  async function sharing(
    ledger: Ledger,
    { day, entry }: DayContribution,
    signal: AbortSignal,
  ): Promise<Map<string, string>> {
    const own = entry.fileLists.processed;
    if (own === null) return new Map();
    const mayShare = (name: string): boolean => isRound(day) || isRound(name) || isAdopted(name);
    const others = [...ledger.days].filter(([name]) => name !== day && mayShare(name));
    const found = await pMap(
      others,
      async ([name, { fileLists }]): Promise<[string, string][]> => {
        if (fileLists.processed === null) return [];
        const key = await firstShared(keysOf(analysis, own, signal), keysOf(analysis, fileLists.processed, signal));
        return key === undefined ? [] : [[name, key]];
      },
      { concurrency: LISTS_AT_ONCE },
    );
    return new Map(found.flat());
  }

  /** A round whose results were given back must not come into the data set any more. */
  async function isReturned(run: RunRef, signal: AbortSignal): Promise<boolean> {
    return (await analysis.head(stateKeys.roundReturned(run), signal)) !== undefined;
  }

  /** What a pointer that is not the expected one means for this run: its contribution is in, or newer data is, or neither. */
  function resolve(pointer: Pointer, contribution: DayContribution): CommitResult {
    const decision = decide(pointer.ledger, contribution);
    const outcome = decision === 'no-op' ? 'committed' : decision === 'superseded' ? 'superseded' : 'moved';
    return { outcome, seq: pointer.versions.head.seq };
  }

  async function readContribution(run: RunRef, signal: AbortSignal): Promise<DayContribution> {
    const stored = (await readJson(analysis, stateKeys.contribution(run), signal)) as Contribution;
    const { runId, day, planAt, planned, done, failed, missing, files } = stored;
    const segments = new Map(
      stored.segments.map(({ channelVersion, key, sha256, slots }): [string, Omit<Segment, 'day'>] => [
        channelVersion,
        { key, sha: sha256, slots },
      ]),
    );
    const fileLists = { processed: stored.filesProcessedKey, missing: stored.filesMissingKey };
    return {
      day,
      entry: {
        runId,
        planAt,
        planned,
        done,
        failed,
        missing,
        files: { processed: files.processed, missing: files.missing },
        fileLists,
      },
      segments,
    };
  }

  async function demandManifest(folder: string, signal: AbortSignal): Promise<void> {
    const key = `${publishedPrefix}${folder}/${MANIFEST_NAME}`;
    if ((await published.head(key, signal)) === undefined) {
      throw failure('StateDamaged', `s3://${published.bucket}/${key} is gone although the folder was staged`);
    }
  }

  async function storeLedger(ledger: Ledger, signal: AbortSignal): Promise<string> {
    const text = serialiseLedger(ledger);
    const key = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
    await analysis.createOnce(key, gzipSync(text), { contentType: 'application/gzip' }, signal);
    return key;
  }
}

/** @throws ApplicationFailure NothingAnalysed: a run without any result is no better state of a day that has some */
function refuseNothing(ledger: Ledger, { day, entry }: DayContribution): void {
  const current = ledger.days.get(day);
  if (current === undefined || current.done === 0 || entry.done > 0) return;
  throw failure(
    'NothingAnalysed',
    `None of the ${entry.planned} tasks of this run of ${day} gave a result (${entry.failed} failed, ${entry.missing} missing); the data set keeps the day as run ${current.runId} has it`,
  );
}

/** @throws InvalidDataError `adopted_files`: the original kept no counts per day, so its part cannot be taken out again */
function refuseAdopted(day: string, shared: ReadonlyMap<string, string>): void {
  for (const [name, key] of shared) {
    if (!isAdopted(name)) continue;
    throw new InvalidDataError(
      'adopted_files',
      `${day} cannot be published: it has ${key}, which the history adopted from the original (${name}) counts already and cannot give back. Publish days whose files are not in FILES_PROCESSED; to see the others for themselves use "telemetry investigate"`,
    );
  }
}

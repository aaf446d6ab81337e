/**
 * Stage 7: what a run publishes is planned from the pointer, and one conditional PUT shows all staged snapshots
 * (docs/protocol.md C1–C3, C6–C8).
 */
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failure } from '../failures.ts';
import { newestDay, planCompaction } from '../pipeline/dataset/compaction.ts';
import { ledgerContribution } from '../pipeline/dataset/contribution.ts';
import {
  completeLedger,
  type Contribution,
  decide,
  keepAsTheyAre,
  type RenderedFolder,
  replaceDay,
} from '../pipeline/dataset/day-replacement.ts';
import { isAdopted, isRound } from '../pipeline/dataset/entry-name.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { partsOf } from '../pipeline/dataset/named-slots.ts';
import { firstShared } from '../pipeline/dataset/overlap.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { readContribution } from '../state/contribution.ts';
import { keysOf } from '../state/file-lists.ts';
import { readLedger } from '../state/ledgers.ts';
import { claimState } from '../state/owner.ts';
import { commitLedger, type DataSetStores, type Pointer, readPointer } from '../state/pointer.ts';
import {
  type Publication,
  type PublicationDecision,
  publicationOf,
  readPublicationOf,
  readStagedSnapshots,
  type SnapshotPlan,
  type StagedSnapshot,
} from '../state/publication.ts';
import { isReturned } from '../state/rounds.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';

export interface PublicationInput {
  readonly run: RunRef;
  /** From 1; every rebase onto another commit is a new attempt. */
  readonly attempt: number;
  /** Id of the commit to be. */
  readonly commit: string;
}

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

const LISTS_AT_ONCE = 4;

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'metrics' | 'settings'>;

export function createCommitActivities(ports: Ports) {
  const { analysis } = ports;
  return {
    /** Reads the pointer and decides what this run has to render (C1–C3). */
    async planPublication({ run, attempt, commit }: PublicationInput): Promise<PublicationSummary> {
      const signal = cancellationSignal();
      const plan = async (): Promise<Publication> =>
        heartbeating(
          () => ({ attempt }),
          async () => planFrom(ports, await claimedPointer(storesOf(ports), signal), run, commit, signal),
        );
      const publication = await publicationOf(analysis, run, attempt, plan, signal);
      const { decision, seq, displaced = [] } = publication;
      const snapshots = publication.snapshots.length;
      log.info('publication planned', {
        ...{ runId: run.runId, attempt, decision, snapshots, seq, displaced: displaced.length },
      });
      return { decision, snapshots, seq };
    },

    /**
     * Writes the ledger and swaps the pointer (C6–C8). After a lost answer nothing is cleaned up: the pointer shows
     * what happened.
     */
    async commitDataset(input: PublicationInput): Promise<CommitResult> {
      const signal = cancellationSignal();
      return heartbeating(
        () => ({ attempt: input.attempt }),
        () => commitStaged(ports, input, signal),
      );
    },
  };
}

/** @throws ApplicationFailure WrongDataSet, before anything is staged */
async function claimedPointer(stores: DataSetStores, signal: AbortSignal): Promise<Pointer> {
  const pointer = await readPointer(stores, signal);
  await claimState(stores, pointer.ledger, signal);
  return pointer;
}

function storesOf({ analysis, published, metrics, settings }: Ports) {
  return { analysis, published, metrics, publishedPrefix: settings.publishedPrefix };
}

async function commitStaged(
  ports: Ports,
  { run, attempt }: PublicationInput,
  signal: AbortSignal,
): Promise<CommitResult> {
  const { analysis, metrics } = ports;
  const stores = storesOf(ports);
  const publication = await readPublicationOf(analysis, run, attempt, signal);
  const contribution = ledgerContribution(await readContribution(analysis, run, signal));
  const pointer = await readPointer(stores, signal);
  if (pointer.versions.head.ledger !== publication.baseLedger) {
    metrics.add('telemetry_flip_conflicts', 1);
    return resolve(pointer, contribution);
  }
  const staged = await readStagedSnapshots(analysis, run, attempt, publication.snapshots, signal);
  const base = await readLedger(analysis, publication.baseLedger, signal);
  refuseNothingRendered(staged, run);
  const ledger = nextLedger(base, contribution, publication, staged);
  const current = { etag: publication.pointerEtag, versions: pointer.versions, ledger: base };
  const swap = await commitLedger(stores, current, ledger, signal);
  metrics.add(swap === 'committed' ? 'telemetry_commits' : 'telemetry_flip_conflicts', 1);
  log.info('pointer swapped', { runId: run.runId, attempt, swap, seq: ledger.seq });
  return swap === 'committed'
    ? { outcome: 'committed', seq: ledger.seq }
    : resolve(await readPointer(stores, signal), contribution);
}

/** A day of which readers would see nothing is not published: its entry would say that it is. */
function refuseNothingRendered(staged: readonly StagedSnapshot[], { runId }: RunRef): void {
  const [first] = staged;
  if (first === undefined || staged.some(({ folder }) => folder !== null)) return;
  throw failure(
    'StateDamaged',
    `None of the ${staged.length} channel/versions of run ${runId} could be rendered, so nothing is published; ${first.channelVersion}: ${first.damage ?? ''}`,
  );
}

function nextLedger(
  base: Ledger,
  contribution: Contribution,
  { commit, displaced }: Publication,
  staged: readonly StagedSnapshot[],
): Ledger {
  const rendered = new Map<string, RenderedFolder>();
  for (const { channelVersion, folder, definitionsPending, stored } of staged)
    if (folder !== null) rendered.set(channelVersion, { folder, definitionsPending, ...stored });
  const damaged = staged.filter(({ folder }) => folder === null).map(({ channelVersion }) => channelVersion);
  const draft = keepAsTheyAre(replaceDay(base, contribution, displaced).draft, base, damaged);
  return completeLedger(base, draft, commit, rendered);
}

/** What an unexpected pointer means for this run: its contribution is in, or newer data is, or neither. */
function resolve(pointer: Pointer, contribution: Contribution): CommitResult {
  const decision = decide(pointer.ledger, contribution);
  const outcome = decision === 'no-op' ? 'committed' : decision === 'superseded' ? 'superseded' : 'moved';
  return { outcome, seq: pointer.versions.head.seq };
}

async function planFrom(
  { analysis, settings }: Ports,
  pointer: Pointer,
  run: RunRef,
  commit: string,
  signal: AbortSignal,
): Promise<Publication> {
  const contribution = ledgerContribution(await readContribution(analysis, run, signal));
  const { ledger, etag, versions } = pointer;
  const isDay = !isRound(contribution.day);
  let decision: PublicationDecision = decide(ledger, contribution);
  if (decision === 'publish') refuseNothing(ledger, contribution);
  const shared =
    decision === 'publish' ? await sharing(analysis, ledger, contribution, signal) : new Map<string, string>();
  if (!isDay && (shared.size > 0 || (await isReturned(analysis, run, signal)))) decision = 'overlapping';
  if (isDay) refuseAdopted(contribution.day, shared);
  const displaced = isDay ? [...shared.keys()] : [];
  const replacement = decision === 'publish' ? replaceDay(ledger, contribution, displaced) : undefined;
  const newest = newestDay([...ledger.entries.keys(), contribution.day]);
  const snapshots = (replacement?.affected ?? []).map((channelVersion): SnapshotPlan => {
    const entry = replacement?.draft.channelVersions.get(channelVersion) ?? { base: null, segments: [] };
    const compaction = planCompaction(entry, newest, settings.compaction);
    return {
      channelVersion,
      previousFolder: versions.folders.get(channelVersion) ?? null,
      parts: partsOf(entry),
      ...(compaction !== undefined && { sealing: compaction }),
    };
  });
  const { ledger: baseLedger, seq } = versions.head;
  return { commit, decision, pointerEtag: etag, baseLedger, seq, snapshots, displaced };
}

/**
 * Entries of the ledger that count an input file of the contribution, with the first such file: of all entries for a
 * round, of rounds and the adopted history for a day.
 */
async function sharing(
  analysis: ObjectStore,
  ledger: Ledger,
  { day, entry }: Contribution,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const own = entry.fileLists.processed;
  if (own === null) return new Map();
  const mayShare = (name: string): boolean => isRound(day) || isRound(name) || isAdopted(name);
  const others = [...ledger.entries].filter(([name]) => name !== day && mayShare(name));
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

/** @throws ApplicationFailure NothingAnalysed: a run without results must not replace a day that has some */
function refuseNothing(ledger: Ledger, { day, entry }: Contribution): void {
  const current = ledger.entries.get(day);
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

/**
 * Stage 7: what a run publishes is planned from the pointer, and one conditional PUT shows all staged snapshots
 * (docs/protocol.md C1–C3, C6–C8).
 */
import { cancellationSignal, log } from '@temporalio/activity';
import { failure } from '../failures.ts';
import { agesIn, planCompaction } from '../pipeline/dataset/compaction.ts';
import { ledgerContribution } from '../pipeline/dataset/contribution.ts';
import {
  completeLedger,
  type Contribution,
  type DayReplacement,
  decide,
  keepAsTheyAre,
  type RenderedFolder,
  replaceDay,
} from '../pipeline/dataset/day-replacement.ts';
import { isRound } from '../pipeline/dataset/entry-name.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { partsOf } from '../pipeline/dataset/named-slots.ts';
import type { Versions } from '../pipeline/dataset/versions.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { readContribution } from '../state/contribution.ts';
import { readLedger } from '../state/ledgers.ts';
import { claimState, dataSetStores } from '../state/owner.ts';
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
import { refuseLess, refuseShared, sharing } from './publication-guards.ts';

export interface PublicationInput {
  readonly run: RunRef;
  /** From 1; every rebase onto another commit is a new attempt. */
  readonly attempt: number;
  /** Id of the commit to be. */
  readonly commit: string;
}

export interface PlanPublicationInput extends PublicationInput {
  /** Replace the day also when this run has less than the data set. */
  readonly replaceAnyway?: boolean;
}

/** A list of 1,000 would be a large payload. */
const MAX_NAMED = 100;

export interface PublicationSummary {
  readonly decision: PublicationDecision;
  readonly snapshots: number;
  /** Channel/versions of the first of them; results of earlier releases have none. */
  readonly named?: readonly string[];
  /** Commit that the attempt builds on. */
  readonly seq: number;
}

export interface CommitResult {
  /** `moved`: another commit came first; plan again. */
  readonly outcome: 'committed' | 'moved' | 'superseded';
  readonly seq: number;
}

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'metrics' | 'settings'>;

export function createCommitActivities(ports: Ports) {
  const { analysis } = ports;
  return {
    /**
     * Reads the pointer and decides what this run has to render (C1–C3).
     * @throws ApplicationFailure NothingAnalysed, PoorerRun, WrongDataSet
     */
    async planPublication(input: PlanPublicationInput): Promise<PublicationSummary> {
      const { run, attempt } = input;
      const signal = cancellationSignal();
      const plan = async (): Promise<Publication> =>
        heartbeating(
          () => ({ attempt }),
          async () => planFrom(ports, await claimedPointer(storesOf(ports), signal), input, signal),
        );
      const publication = await publicationOf(analysis, run, attempt, plan, signal);
      const { decision, seq, displaced = [] } = publication;
      const snapshots = publication.snapshots.length;
      log.info('publication planned', {
        ...{ runId: run.runId, attempt, decision, snapshots, seq, displaced: displaced.length },
      });
      const named = publication.snapshots.slice(0, MAX_NAMED).map(({ channelVersion }) => channelVersion);
      return { decision, snapshots, named, seq };
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

function storesOf(ports: Ports) {
  return { ...dataSetStores(ports), metrics: ports.metrics };
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
  { run, commit, replaceAnyway = false }: PlanPublicationInput,
  signal: AbortSignal,
): Promise<Publication> {
  const contribution = ledgerContribution(await readContribution(analysis, run, signal));
  const { ledger, etag, versions } = pointer;
  const isDay = !isRound(contribution.day);
  let decision: PublicationDecision = decide(ledger, contribution);
  const isWanted = decision === 'publish';
  if (isWanted && isDay) refuseLess(ledger, contribution, replaceAnyway);
  const shared = isWanted ? await sharing(analysis, ledger, contribution, signal) : new Map<string, string>();
  if (!isDay && (shared.size > 0 || (await isReturned(analysis, run, signal)))) decision = 'overlapping';
  if (isDay) refuseShared(contribution.day, shared);
  const displaced = isDay ? [...shared.keys()] : [];
  const { ledger: baseLedger, seq } = versions.head;
  const snapshots =
    decision === 'publish' ? snapshotPlans(versions, replaceDay(ledger, contribution, displaced), settings) : [];
  return { commit, decision, pointerEtag: etag, baseLedger, seq, snapshots, displaced };
}

function snapshotPlans(
  { folders }: Versions,
  { draft, affected }: DayReplacement,
  { compaction: limits }: Ports['settings'],
): SnapshotPlan[] {
  const ageOf = agesIn(draft.entries);
  return affected.map((channelVersion): SnapshotPlan => {
    const entry = draft.channelVersions.get(channelVersion) ?? { base: null, segments: [] };
    const compaction = planCompaction(entry, ageOf, limits);
    return {
      channelVersion,
      previousFolder: folders.get(channelVersion) ?? null,
      parts: partsOf(entry),
      ...(compaction !== undefined && { sealing: compaction }),
    };
  });
}

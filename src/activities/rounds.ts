/**
 * Continuous aggregation: results that other launchers asked for, taken off the done queue and planned as rounds
 * (docs/protocol.md 6).
 */
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failure } from '../failures.ts';
import { instantOfRound, isRound, roundName } from '../pipeline/dataset/entry-name.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { chunkSize } from '../pipeline/done-queue/chunk.ts';
import { countedReceipt, type ForeignReceipt } from '../pipeline/done-queue/foreign-result.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { roundRun, stateKeys } from '../state/keys.ts';
import type { PlanHead } from '../pipeline/task-queue/plan.ts';
import { keysOf } from '../state/file-lists.ts';
import { callDeadline } from './context.ts';
import { heartbeating } from './context.ts';
import type { PlanSummary } from './plan.ts';
import { DoneQueueConsumer } from '../done-queue/consumer.ts';
import { KnownRuns } from '../done-queue/known-runs.ts';
import { claimState, dataSetStores, isOwnState } from '../state/owner.ts';
import { readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import type { ObjectStore } from '../ports.ts';
import { quarantine } from '../state/quarantine.ts';
import { addressOf } from '../state/documents.ts';
import { compressedTasks, createPlan } from '../state/plan.ts';
import { createReceipt, readForeignReceipt } from '../state/receipts.ts';
import {
  findRoundTaken,
  isReturned,
  markReturned,
  readRoundTaken,
  type RoundTaken,
  storedRounds,
  takenBy,
} from '../state/rounds.ts';
import { letGo, letWait, listWaiting, type WaitingResult } from '../state/waiting-results.ts';

export interface AggregationSettings {
  readonly doneQueue: string;
  /** A round is due when this many results wait, or this many seconds after the last publish. */
  readonly results: number;
  readonly seconds: number;
}

export interface CollectWaitingInput {
  readonly doneQueue: string;
  /** The call returns once this many results wait, or after this time. */
  readonly results: number;
  readonly maxSeconds: number;
  /** As for the drain: the alert was sent. */
  readonly heldIsKnown?: boolean;
}

export interface WaitingResults {
  readonly waiting: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly held: number;
}

export interface PlanRoundInput {
  readonly run: RunRef;
  readonly instant: string;
  readonly results: number;
}

export interface RoundPlan {
  /** `tasks` 0: nothing new was waiting. */
  readonly plan: PlanSummary;
  /** Results quarantined because an input file of theirs is counted already. */
  readonly overlapping: number;
  /** Waiting results that the data set has already. */
  readonly settled: number;
  /** Results given back by rounds that are not in the data set. */
  readonly returned: number;
}

interface Refused {
  readonly candidate: ForeignReceipt;
  readonly overlap: Overlap;
}

/** A file of a result, and the entry of the ledger, or the task of the same round, that counts it already. */
interface Overlap {
  readonly key: string;
  readonly entry: string;
}

const CALLS_AT_ONCE = 32;
const LISTS_AT_ONCE = 4;
/** Other drains of the queue adopt results too: how often this one looks for them while it receives nothing. */
const LOOK_FOR_WAITING_MS = 30_000;

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'queues' | 'metrics' | 'settings'>;

export function createRoundActivities(ports: Ports) {
  const { analysis, settings } = ports;
  const knownRuns = new KnownRuns(analysis);
  return {
    /** @throws ApplicationFailure ForeignResultsRefused (final) when drains would not keep foreign results */
    async aggregationSettings(): Promise<AggregationSettings> {
      if (!settings.adoptForeignResults)
        throw failure(
          'ForeignResultsRefused',
          'Results of other launchers go to quarantine here; set TELEMETRY_FOREIGN_RESULTS=adopt for all workers, then start continuous aggregation again',
        );
      return { doneQueue: settings.doneQueue, ...settings.round };
    },

    /** Files messages, for whichever runs, until `results` foreign results wait or the time is up. */
    async collectWaiting(input: CollectWaitingInput): Promise<WaitingResults> {
      const { doneQueue, results, maxSeconds, heldIsKnown = false } = input;
      const signal = cancellationSignal();
      const deadline = callDeadline(maxSeconds);
      await isOwnState(dataSetStores(ports), signal);
      const consumer = new DoneQueueConsumer(ports, doneQueue, knownRuns, signal);
      let waiting = new Set<string>();
      let lookedAt = 0;
      const count = (): number => waiting.union(consumer.adopted).size;
      return heartbeating(
        () => ({ waiting: count(), ...consumer.counts }),
        async () => {
          for (;;) {
            if (Date.now() - lookedAt >= LOOK_FOR_WAITING_MS) {
              waiting = new Set(
                (await listWaiting(analysis, signal)).map(({ taskId, outcome }) => `${taskId}.${outcome}`),
              );
              lookedAt = Date.now();
            }
            const secondsLeft = Math.ceil((deadline - Date.now()) / 1000);
            if (count() >= results || secondsLeft <= 0 || (consumer.counts.held > 0 && !heldIsKnown)) break;
            await consumer.take(secondsLeft);
          }
          const { duplicates, quarantined, held, foreign } = consumer.counts;
          log.info('foreign results collected', { waiting: count(), duplicates, quarantined, held, filed: foreign });
          return { waiting: count(), duplicates, quarantined, held };
        },
      );
    },

    /**
     * Makes the oldest waiting results the plan of a round, stored once. Results whose input files the data set counts
     * already go to quarantine (`duplicate_input`); those of rounds that did not stay in the data set wait again first.
     */
    async planRound({ run, instant, results }: PlanRoundInput): Promise<RoundPlan> {
      const signal = cancellationSignal();
      return heartbeating(
        () => ({ instant }),
        async () => {
          const taken = await takenBy(analysis, run, () => take(ports, run, results, signal), signal);
          const plan = await storePlan(ports, run, instant, taken.results, signal);
          const { overlapping, settled, returned } = taken;
          log.info('round planned', { runId: run.runId, tasks: plan.tasks, overlapping, settled, returned });
          return { plan, overlapping, settled, returned };
        },
      );
    },

    /** After the commit: the results of the round no longer wait. */
    async settleRound({ run }: { readonly run: RunRef }): Promise<void> {
      const signal = cancellationSignal();
      await heartbeating(
        () => ({ runId: run.runId }),
        async () => letGo(analysis, (await readRoundTaken(analysis, run, signal)).results, signal),
      );
    },
  };
}

async function take(ports: Ports, run: RunRef, limit: number, signal: AbortSignal): Promise<RoundTaken> {
  const { analysis } = ports;
  const stores = dataSetStores(ports);
  const { ledger } = await readPointer(stores, signal);
  await claimState(stores, ledger, signal);
  const returned = await returnLostRounds(analysis, ledger, run, signal);
  const oldest = (await listWaiting(analysis, signal)).slice(0, limit);
  const received = await readReceipts(analysis, oldest, signal);
  // A task that was given up and done after all counts as done.
  const done = new Set(received.filter(({ outcome }) => outcome === 'done').map(({ id }) => id));
  const isCandidate = ({ id, outcome }: ForeignReceipt): boolean => outcome === 'done' || !done.has(id);
  const [candidates, replaced] = [received.filter(isCandidate), received.filter((receipt) => !isCandidate(receipt))];
  await letGo(analysis, replaced.map(nameOf), signal);
  const overlaps = await findOverlaps(analysis, ledger, candidates, signal);
  const results: WaitingResult[] = [];
  const refused: Refused[] = [];
  for (const candidate of candidates) {
    const overlap = overlaps.get(candidate);
    if (overlap === undefined) results.push(nameOf(candidate));
    else refused.push({ candidate, overlap });
  }
  const settled = await setAside(ports, ledger, refused, signal);
  return { results, settled: settled + replaced.length, overlapping: refused.length - settled, returned };
}

function readReceipts(
  analysis: ObjectStore,
  results: readonly WaitingResult[],
  signal: AbortSignal,
): Promise<ForeignReceipt[]> {
  return pMap(results, ({ taskId, outcome }) => readForeignReceipt(analysis, taskId, outcome, signal), {
    concurrency: CALLS_AT_ONCE,
  });
}

/** Results with an input file that the data set, or an older one of these, counts. */
async function findOverlaps(
  analysis: ObjectStore,
  ledger: Ledger,
  candidates: readonly ForeignReceipt[],
  signal: AbortSignal,
): Promise<Map<ForeignReceipt, Overlap>> {
  const overlaps = new Map<ForeignReceipt, Overlap>();
  const owners = new Map<string, ForeignReceipt>();
  for (const candidate of candidates) {
    if (countedReceipt(candidate).outcome === 'failed') continue;
    const first = candidate.files.find((key) => owners.has(key));
    const owner = first === undefined ? undefined : owners.get(first);
    if (first !== undefined && owner !== undefined) overlaps.set(candidate, { key: first, entry: owner.id });
    else for (const key of candidate.files) owners.set(key, candidate);
  }
  await pMap(
    ledger.entries,
    async ([entry, { fileLists }]) => {
      if (fileLists.processed === null) return;
      for await (const key of keysOf(analysis, fileLists.processed, signal)) {
        const owner = owners.get(key);
        if (owner !== undefined && !overlaps.has(owner)) overlaps.set(owner, { key, entry });
      }
    },
    { concurrency: LISTS_AT_ONCE },
  );
  return overlaps;
}

/** @returns how many of them the data set has already, as results of these very tasks; the others go to quarantine */
async function setAside(
  ports: Ports,
  ledger: Ledger,
  refused: readonly Refused[],
  signal: AbortSignal,
): Promise<number> {
  const { analysis } = ports;
  const taken = new Map<string, Promise<ReadonlySet<string>>>();
  let settled = 0;
  for (const { candidate, overlap } of refused) {
    const round = isRound(overlap.entry) ? ledger.entries.get(overlap.entry) : undefined;
    if (round !== undefined) {
      const ref = roundRun(instantOfRound(overlap.entry), round.runId);
      const ids = taken.get(ref.runId) ?? takenIds(analysis, ref, signal);
      taken.set(ref.runId, ids);
      if ((await ids).has(candidate.id)) {
        settled += 1;
        continue;
      }
    }
    const message = `${candidate.id} was to count ${overlap.key}, which ${overlap.entry} counts already`;
    const content = addressOf(analysis, stateKeys.result(candidate.id));
    await quarantine(ports, { what: 'result', reason: 'duplicate_input', message, content }, signal);
  }
  await letGo(
    analysis,
    refused.map(({ candidate }) => nameOf(candidate)),
    signal,
  );
  return settled;
}

async function takenIds(analysis: ObjectStore, ref: RunRef, signal: AbortSignal): Promise<ReadonlySet<string>> {
  return new Set((await findRoundTaken(analysis, ref, signal))?.results.map(({ taskId }) => taskId));
}

/** A round that is not in the ledger was never committed, or a day took its place: its results wait again. */
async function returnLostRounds(
  analysis: ObjectStore,
  ledger: Ledger,
  current: RunRef,
  signal: AbortSignal,
): Promise<number> {
  const inLedger = new Set([...ledger.entries.values()].map(({ runId }) => runId));
  let returned = 0;
  for await (const ref of storedRounds(analysis, signal)) {
    if (ref.runId === current.runId || inLedger.has(ref.runId)) continue;
    if (await isReturned(analysis, ref, signal)) continue;
    const results = (await findRoundTaken(analysis, ref, signal))?.results ?? [];
    await pMap(results, (result) => letWait(analysis, result, signal), { concurrency: CALLS_AT_ONCE });
    // After the results: once it is there, no later round looks at this one again.
    await markReturned(analysis, ref, results.length, signal);
    returned += results.length;
  }
  return returned;
}

/** Receipts under their numbers in the round, then the plan: from here on a round is merged and published like a day. */
async function storePlan(
  { analysis, settings }: Ports,
  run: RunRef,
  instant: string,
  results: readonly WaitingResult[],
  signal: AbortSignal,
): Promise<PlanSummary> {
  const { chunkTasks, owner, doneQueue, pack } = settings;
  const receipts = await readReceipts(analysis, results, signal);
  await pMap(receipts, (receipt, index) => createReceipt(analysis, run, index + 1, countedReceipt(receipt), signal), {
    concurrency: CALLS_AT_ONCE,
  });
  const tasks = receipts.map(({ id, files }) => ({ id, files, size: 0 }));
  const files = receipts.reduce((sum, receipt) => sum + receipt.files.length, 0);
  const counts = { files, tasks: tasks.length, bytes: 0, skipped: {} };
  if (tasks.length > 0) {
    const head: PlanHead = {
      runId: run.runId,
      day: null,
      filter: null,
      job: { name: roundName(instant), owner, code: '', targetQueue: doneQueue },
      limits: { ...pack, maxMessageBytes: 0 },
      ...counts,
      missingKeys: [],
    };
    await createPlan(analysis, run, head, await compressedTasks(tasks), signal);
  }
  return { ...counts, missingKeys: 0, chunkTasks: chunkSize(tasks.length, chunkTasks) };
}

function nameOf({ id, outcome }: ForeignReceipt): WaitingResult {
  return { taskId: id, outcome };
}

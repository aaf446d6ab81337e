/** Continuous aggregation: results that other launchers asked for, taken off the done queue and planned as rounds (PROTOCOL.md 6). */
import { gzipSync } from 'node:zlib';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failure } from '../failures.ts';
import { isRound, roundName } from '../pipeline/dataset/day-replacement.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { resultKey } from '../pipeline/done-queue/done-message.ts';
import { countedReceipt, type ForeignReceipt, parseForeignReceipt } from '../pipeline/done-queue/foreign-result.ts';
import { roundRun, type RunRef, stateKeys } from '../state/keys.ts';
import { type PlanHead, planLine } from '../pipeline/task-queue/plan.ts';
import { keysOf } from '../state/file-lists.ts';
import { callDeadline } from './context.ts';
import { heartbeating } from './context.ts';
import type { PlanSummary } from './plan.ts';
import { DoneQueueConsumer } from '../done-queue/consumer.ts';
import { readPointer } from '../state/pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { quarantine } from '../state/quarantine.ts';
import { createJson, createJsonOnce, readJson, readJsonIfPresent } from '../state/documents.ts';
import { letGo, letWait, listWaiting, type WaitingResult } from '../state/waiting-results.ts';

export interface AggregationSettings {
  readonly doneQueue: string;
  /** A round is due when so many results wait, or when the last publish is so many seconds ago. */
  readonly results: number;
  readonly seconds: number;
}

export interface CollectWaitingInput {
  readonly doneQueue: string;
  /** The call returns once so many results wait, or after this time. */
  readonly results: number;
  readonly maxSeconds: number;
  /** As of a drain. */
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

/** What a round takes of the waiting results, in order; stored once, so that every attempt plans the same round. */
interface RoundTaken {
  readonly results: readonly WaitingResult[];
  readonly settled: number;
  readonly overlapping: number;
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
/** Other drains of the queue adopt results as well; while nothing comes, this one looks for them so often. */
const LOOK_FOR_WAITING_MS = 30_000;

export function createRoundActivities(
  ports: Pick<ActivityPorts, 'analysis' | 'published' | 'queues' | 'metrics' | 'settings'>,
) {
  const { analysis, published, settings } = ports;
  const stores = { analysis, published, publishedPrefix: settings.publishedPrefix };

  return {
    /** @throws ApplicationFailure ForeignResultsRefused (non-retryable) when drains would not keep foreign results */
    async aggregationSettings(): Promise<AggregationSettings> {
      if (!settings.adoptForeignResults) {
        throw failure(
          'ForeignResultsRefused',
          'Results of other launchers go to quarantine here; set TELEMETRY_FOREIGN_RESULTS=adopt for all workers, then start continuous aggregation again',
        );
      }
      return { doneQueue: settings.doneQueue, ...settings.round };
    },

    /** Files messages, for whichever runs, until so many foreign results wait or the time is up. */
    async collectWaiting(input: CollectWaitingInput): Promise<WaitingResults> {
      const { doneQueue, results, maxSeconds, heldIsKnown = false } = input;
      const signal = cancellationSignal();
      const deadline = callDeadline(maxSeconds);
      const filing = new DoneQueueConsumer(ports, doneQueue, signal);
      let waiting = new Set<string>();
      let lookedAt = 0;
      const count = (): number => waiting.union(filing.adopted).size;
      return heartbeating(
        () => ({ waiting: count(), ...filing.counts }),
        async () => {
          for (;;) {
            if (Date.now() - lookedAt >= LOOK_FOR_WAITING_MS) {
              waiting = new Set(
                (await listWaiting(analysis, signal)).map(({ taskId, outcome }) => `${taskId}.${outcome}`),
              );
              lookedAt = Date.now();
            }
            const secondsLeft = Math.ceil((deadline - Date.now()) / 1000);
            if (count() >= results || secondsLeft <= 0 || (filing.counts.held > 0 && !heldIsKnown)) break;
            await filing.take(secondsLeft);
          }
          const { duplicates, quarantined, held, foreign } = filing.counts;
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
          const known = (await readJsonIfPresent(analysis, stateKeys.roundTaken(run), signal)) as
            RoundTaken | undefined;
          const taken =
            known ??
            (await createJsonOnce(analysis, stateKeys.roundTaken(run), await take(run, results, signal), signal));
          const plan = await storePlan(run, instant, taken.results, signal);
          const { overlapping, settled, returned } = taken;
          log.info('round planned', { runId: run.runId, tasks: plan.tasks, overlapping, settled, returned });
          return { plan, overlapping, settled, returned };
        },
      );
    },

    /** After the commit: the results of the round wait no longer. */
    async settleRound({ run }: { readonly run: RunRef }): Promise<void> {
      const signal = cancellationSignal();
      await heartbeating(
        () => ({ runId: run.runId }),
        async () => {
          const taken = (await readJson(analysis, stateKeys.roundTaken(run), signal)) as RoundTaken;
          await letGo(analysis, taken.results, signal);
        },
      );
    },
  };

  async function take(run: RunRef, limit: number, signal: AbortSignal): Promise<RoundTaken> {
    const { ledger } = await readPointer(stores, signal);
    const returned = await returnLostRounds(ledger, run, signal);
    const oldest = (await listWaiting(analysis, signal)).slice(0, limit);
    const received = await pMap(oldest, (result) => readForeign(result, signal), { concurrency: CALLS_AT_ONCE });
    // A task that was given up and done after all counts as done.
    const done = new Set(received.filter(({ outcome }) => outcome === 'done').map(({ id }) => id));
    const [candidates, replaced] = [received.filter(isCandidate), received.filter((receipt) => !isCandidate(receipt))];
    await letGo(analysis, replaced.map(nameOf), signal);
    const overlaps = await findOverlaps(ledger, candidates, signal);
    const results: WaitingResult[] = [];
    const refused: Refused[] = [];
    for (const candidate of candidates) {
      const overlap = overlaps.get(candidate);
      if (overlap === undefined) results.push(nameOf(candidate));
      else refused.push({ candidate, overlap });
    }
    const settled = await setAside(ledger, refused, signal);
    return { results, settled: settled + replaced.length, overlapping: refused.length - settled, returned };

    function isCandidate({ id, outcome }: ForeignReceipt): boolean {
      return outcome === 'done' || !done.has(id);
    }
  }

  async function readForeign({ taskId, outcome }: WaitingResult, signal: AbortSignal): Promise<ForeignReceipt> {
    const { body } = await analysis.get(stateKeys.foreignReceipt(taskId, outcome), { signal });
    return parseForeignReceipt(body.toString('utf8'));
  }

  /** Results with an input file that the data set, or an older one of these, counts. */
  async function findOverlaps(
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
      ledger.days,
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
  async function setAside(ledger: Ledger, refused: readonly Refused[], signal: AbortSignal): Promise<number> {
    const taken = new Map<string, Promise<ReadonlySet<string>>>();
    let settled = 0;
    for (const { candidate, overlap } of refused) {
      const round = isRound(overlap.entry) ? ledger.days.get(overlap.entry) : undefined;
      if (round !== undefined) {
        const ref = roundRun(overlap.entry.slice(roundName('').length), round.runId);
        const ids = taken.get(ref.runId) ?? takenIds(ref, signal);
        taken.set(ref.runId, ids);
        if ((await ids).has(candidate.id)) {
          settled += 1;
          continue;
        }
      }
      const message = `${candidate.id} was to count ${overlap.key}, which ${overlap.entry} counts already`;
      const content = `s3://${analysis.bucket}/${resultKey(candidate.id)}`;
      await quarantine(ports, { what: 'result', reason: 'duplicate_input', message, content }, signal);
    }
    await letGo(
      analysis,
      refused.map(({ candidate }) => nameOf(candidate)),
      signal,
    );
    return settled;
  }

  async function takenIds(ref: RunRef, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const taken = (await readJsonIfPresent(analysis, stateKeys.roundTaken(ref), signal)) as RoundTaken | undefined;
    return new Set(taken?.results.map(({ taskId }) => taskId));
  }

  /** A round that is not in the ledger was never committed, or a day took its place: its results wait again. */
  async function returnLostRounds(ledger: Ledger, current: RunRef, signal: AbortSignal): Promise<number> {
    const inLedger = new Set([...ledger.days.values()].map(({ runId }) => runId));
    let returned = 0;
    for await (const { instant, runId } of storedRounds(signal)) {
      const ref = roundRun(instant, runId);
      if (runId === current.runId || inLedger.has(runId)) continue;
      if ((await analysis.head(stateKeys.roundReturned(ref), signal)) !== undefined) continue;
      const taken = (await readJsonIfPresent(analysis, stateKeys.roundTaken(ref), signal)) as RoundTaken | undefined;
      const results = taken?.results ?? [];
      await pMap(results, (result) => letWait(analysis, result, signal), { concurrency: CALLS_AT_ONCE });
      // Behind the results: once it is there, nobody looks at the round again.
      await createJsonOnce(analysis, stateKeys.roundReturned(ref), { results: results.length }, signal);
      returned += results.length;
    }
    return returned;
  }

  async function* storedRounds(signal: AbortSignal): AsyncGenerator<{ instant: string; runId: string }> {
    for await (const instant of folders(stateKeys.rounds, signal)) {
      for await (const runId of folders(`${stateKeys.rounds}${instant}/`, signal)) yield { instant, runId };
    }
  }

  async function* folders(prefix: string, signal: AbortSignal): AsyncGenerator<string> {
    for await (const entry of analysis.list(prefix, '/', signal))
      if (entry.kind === 'folder') yield entry.name.slice(prefix.length, -1);
  }

  /** Receipts under their numbers in the round, then the plan: from here on a round is merged and published like a day. */
  async function storePlan(
    run: RunRef,
    instant: string,
    results: readonly WaitingResult[],
    signal: AbortSignal,
  ): Promise<PlanSummary> {
    const { chunkTasks, owner, doneQueue, pack } = settings;
    const receipts = await pMap(results, (result) => readForeign(result, signal), {
      concurrency: CALLS_AT_ONCE,
    });
    await pMap(
      receipts,
      async (receipt, index) => {
        const counted = countedReceipt(receipt);
        const key = stateKeys.receipt(run, index + 1, counted.outcome);
        await createJson(analysis, key, counted, signal);
      },
      { concurrency: CALLS_AT_ONCE },
    );
    const files = receipts.reduce((sum, receipt) => sum + receipt.files.length, 0);
    const head: PlanHead = {
      runId: run.runId,
      day: null,
      filter: null,
      job: { name: roundName(instant), owner, code: '', targetQueue: doneQueue },
      limits: { ...pack, maxMessageBytes: 0 },
      files,
      tasks: receipts.length,
      bytes: 0,
      skipped: {},
      missingKeys: [],
    };
    const lines = [
      JSON.stringify(head),
      ...receipts.map(({ id, files: keys }) => planLine({ id, files: keys, size: 0 })),
    ];
    const plan = { files, tasks: receipts.length, bytes: 0, skipped: {}, missingKeys: 0, chunkTasks };
    if (receipts.length === 0) return plan;
    const text = gzipSync(lines.map((line) => `${line}\n`).join(''));
    await analysis.createOnce(stateKeys.plan(run), text, { contentType: 'application/gzip' }, signal);
    return plan;
  }
}

function nameOf({ id, outcome }: ForeignReceipt): WaitingResult {
  return { taskId: id, outcome };
}

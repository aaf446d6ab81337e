/** Rounds of continuous aggregation: which waiting results each took, and whether it gave them back. */
import type { Outcome } from '../pipeline/done-queue/receipt.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import { isTaskId } from '../pipeline/task-queue/message-body.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, createDocumentOnce, readDocument, readDocumentIfPresent, readOrCreate } from './documents.ts';
import { roundRun, stateKeys } from './keys.ts';

/** What a round takes of the waiting results, in order; stored once, so that every attempt plans the same round. */
export type RoundTaken = ReturnType<typeof readTaken>;

function readTaken(root: StoredJson) {
  return {
    results: root.member('results').list((result) => {
      const taskId = result.member('taskId').textThat(isTaskId, 'a task id');
      return { taskId, outcome: result.member('outcome').text(/^(?:done|failed)$/) as Outcome };
    }),
    /** Waiting results that the data set had already. */
    settled: root.member('settled').count(),
    /** Results quarantined because an input file of theirs is counted already. */
    overlapping: root.member('overlapping').count(),
    /** Results given back by rounds that are not in the data set. */
    returned: root.member('returned').count(),
  };
}

export const TAKEN: Codec<RoundTaken> = {
  what: 'the list of results that a round took',
  parse: (text) => readTaken(StoredJson.document(text, 'bad_round', 'taken.json')),
};
const RETURNED: Codec<{ readonly results: number }> = {
  what: 'the mark of a round that gave its results back',
  parse: (text) => ({ results: StoredJson.document(text, 'bad_round', 'returned.json').member('results').count() }),
};

/** The list that is stored, or what `take` brings. */
export async function takenBy(
  store: ObjectStore,
  run: RunRef,
  take: () => Promise<RoundTaken>,
  signal: AbortSignal,
): Promise<RoundTaken> {
  return (await readOrCreate(store, stateKeys.roundTaken(run), TAKEN, take, signal)).value;
}

/** @throws ApplicationFailure StateDamaged */
export async function readRoundTaken(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<RoundTaken> {
  return readDocument(store, stateKeys.roundTaken(run), TAKEN, signal);
}

/** Undefined for a round that was broken off before it took anything. @throws ApplicationFailure StateDamaged */
export async function findRoundTaken(
  store: ObjectStore,
  run: RunRef,
  signal: AbortSignal,
): Promise<RoundTaken | undefined> {
  return readDocumentIfPresent(store, stateKeys.roundTaken(run), TAKEN, signal);
}

/** Whether the results of a round were given back: it must no longer enter the data set. */
export async function isReturned(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<boolean> {
  return (await store.head(stateKeys.roundReturned(run), signal)) !== undefined;
}

export async function markReturned(
  store: ObjectStore,
  run: RunRef,
  results: number,
  signal: AbortSignal,
): Promise<void> {
  await createDocumentOnce(store, stateKeys.roundReturned(run), RETURNED, { results }, signal);
}

/** Instants of all rounds, those outside the data set as well. */
export function roundInstants(store: ObjectStore, signal: AbortSignal): AsyncIterable<string> {
  return store.folders(stateKeys.rounds, signal);
}

/** Every round that was started. */
export async function* storedRounds(store: ObjectStore, signal: AbortSignal): AsyncGenerator<RunRef> {
  for await (const instant of roundInstants(store, signal))
    for await (const runId of store.folders(`${stateKeys.rounds}${instant}/`, signal)) yield roundRun(instant, runId);
}

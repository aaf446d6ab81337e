/** Tells the workflow of a drain how far it is: the call itself returns with a whole chunk only, which may be the whole day. */
import { activityInfo, Context, log } from '@temporalio/activity';
import type { DrainedSoFar } from '../workflows/run-progress.ts';

/** Each signal adds four events to the history: soon at first, for days of a minute, then once a minute. */
const FIRST_MS = 2_000;
const MOST_MS = 60_000;
const SIGNAL_MS = 5_000;

export class DrainNews {
  #told: number;
  #pauseMs = FIRST_MS;
  #nextAt = Date.now() + FIRST_MS;

  /** @param known receipts that the workflow has heard of */
  constructor(known: number) {
    this.#told = known;
  }

  /** Sends what is new, unless it has just sent something. Never fails, and is not waited for: it is for people only. */
  tell({ done, failed, missing }: DrainedSoFar): void {
    const now = Date.now();
    if (done + failed === this.#told || now < this.#nextAt) return;
    this.#told = done + failed;
    this.#nextAt = now + this.#pauseMs;
    this.#pauseMs = Math.min(MOST_MS, 2 * this.#pauseMs);
    send({ done, failed, missing }).catch((error: unknown) => {
      log.debug('the progress of the drain could not be told', { error });
    });
  }
}

async function send(soFar: DrainedSoFar): Promise<void> {
  const { workflowExecution } = activityInfo();
  if (workflowExecution === undefined) return;
  const { client } = Context.current();
  const { workflowId, runId } = workflowExecution;
  await client.withAbortSignal(AbortSignal.timeout(SIGNAL_MS), () =>
    client.workflow.getHandle(workflowId, runId).signal('drainedSoFar', soFar),
  );
}

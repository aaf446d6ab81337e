/** Analysis workers that need no time: each task of the queue has its result at once, and is reported done. */
import pMap from 'p-map';
import type { Connected } from '../../src/composition.ts';
import { NO_REPORT } from '../../src/pipeline/done-queue/done-message.ts';
import { splitTaskId } from '../../src/pipeline/task-queue/message-body.ts';
import { decodeTaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { encodeDoneMessage } from '../../test/fakes/done-messages.ts';
import { stat } from 'node:fs/promises';

export interface Answers {
  readonly TELEMETRY_TASK_QUEUE: string;
  readonly TELEMETRY_DONE_QUEUE: string;
  /** Address of the object store. */
  readonly s3: string;
  /** Files that the tasks share as their results. */
  readonly results: readonly string[];
}

const AT_ONCE = 4;
const BATCH_BYTES = 262_144;
/** Submissions that each task reports. */
const RECORDS = 400;

/** Resolves when the task queue is empty. @returns bytes of all results together */
export async function answerTasks(
  { queues }: Pick<Connected['ports'], 'queues'>,
  { TELEMETRY_TASK_QUEUE: taskQueue, TELEMETRY_DONE_QUEUE: doneQueue, s3, results }: Answers,
): Promise<number> {
  let tasks = 0;
  let runId = '';
  await pMap(Array.from({ length: AT_ONCE }), async () => {
    for (;;) {
      const messages = await queues.receive(taskQueue, { waitSeconds: 0, visibilitySeconds: 1800 });
      if (messages.length === 0) return;
      const read = messages.map(({ body }) => decodeTaskMessage(body));
      ({ runId } = splitTaskId(read[0]?.id ?? ''));
      const report = { ...NO_REPORT, records: RECORDS };
      await sendAll(read.map((task) => encodeDoneMessage(task, { aborted: false, report })));
      await queues.deleteMessages(
        taskQueue,
        messages.map(({ receiptHandle }) => receiptHandle),
      );
      tasks += read.length;
    }
  });
  const body = JSON.stringify({ prefix: stateKeys.output(runId), tasks, paths: results });
  await fetch(`${s3}/-/results`, { method: 'POST', body });
  const sizes = await Promise.all(results.map(async (path) => (await stat(path)).size));
  return (sizes.reduce((sum, size) => sum + size, 0) / sizes.length) * tasks;

  async function sendAll(bodies: readonly string[]): Promise<void> {
    let batch: string[] = [];
    let bytes = 0;
    for (const body of bodies) {
      if (bytes + body.length > BATCH_BYTES) {
        await queues.send(doneQueue, batch);
        [batch, bytes] = [[], 0];
      }
      batch.push(body);
      bytes += body.length;
    }
    await queues.send(doneQueue, batch);
  }
}

/** A run whose plan was sent, for tests of what happens to its messages afterwards. */
import { resultKey } from './done-messages.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { decodeTaskMessage, type TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import type { Application } from './application.ts';
import { TASK_QUEUE } from './names.ts';
import { DayRun, inputKey } from './day-run.ts';

/** A sent plan of so many tasks; its messages are taken off the task queue. */
export async function sent(
  app: Application,
  tasks: number,
  number = 1,
): Promise<{ day: DayRun; tasks: TaskMessage[] }> {
  const day = new DayRun(app, number);
  day.storeInput(Array.from({ length: tasks }, (_, file) => inputKey('nightly/28', `f${String(file)}`)));
  await day.planTasks();
  await day.enqueue();
  const messages = app.queues.drain(TASK_QUEUE).map(decodeTaskMessage);
  app.trace.clear();
  return { day, tasks: messages };
}

export function storeResult(app: Application, task: TaskMessage, text = ''): void {
  app.analysis.store(resultKey(task.id), text);
}

export function receipts(day: DayRun): string[] {
  const prefix = stateKeys.receipts(day.run);
  return day.app.analysis.keys(prefix).map((key) => key.slice(prefix.length));
}

export function quarantined(app: Application): { reason: string; content: string; message: string }[] {
  const keys = app.analysis.keys('state/quarantine/');
  return keys.map((key) => app.analysis.json(key) as { reason: string; content: string; message: string });
}

/** Another launcher on the same done queue: results and done messages of runs that no plan of ours has. */
import { NO_REPORT } from '../../src/pipeline/done-queue/done-message.ts';
import { encodeDoneMessage, resultKey } from './done-messages.ts';
import type { Application } from './application.ts';
import { resultOf } from './day-run.ts';
import { DONE_QUEUE } from './names.ts';

export const FOREIGN_RUN = 'f0000000-0000-4000-8000-00000000000f';

export interface ForeignTask {
  readonly number: number;
  readonly files: readonly string[];
  readonly aborted?: boolean;
  readonly result?: string;
}

export function foreignId(number: number): string {
  return `${FOREIGN_RUN}/${number}`;
}

export function foreignMessage({ number, files, aborted = false }: ForeignTask): string {
  const task = {
    id: foreignId(number),
    name: 'other',
    owner: 'other@example.org',
    code: 'code/other.tar.gz',
    targetQueue: DONE_QUEUE,
    files,
    size: 10,
  };
  return encodeDoneMessage(task, { aborted, report: { ...NO_REPORT, records: files.length } });
}

/** Stores the result, unless the task was given up, and reports it. */
export function answerForeign(app: Application, task: ForeignTask): void {
  const { number, files, aborted = false, result = resultOf(files) } = task;
  if (!aborted) app.analysis.store(resultKey(foreignId(number)), result);
  app.queues.put(DONE_QUEUE, foreignMessage(task));
}

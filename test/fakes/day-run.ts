/** A run of a day, stage by stage, with made-up input files and analysis workers that answer at once. */
import type { EnqueueResult } from '../../src/activities/send.ts';
import type { ContributionSummary } from '../../src/activities/build.ts';
import type { CommitResult } from '../../src/activities/commit.ts';
import type { DrainInput, DrainResult } from '../../src/activities/drain.ts';
import type { PlanSummary } from '../../src/activities/plan.ts';
import { NO_REPORT, type TaskReport } from '../../src/pipeline/done-queue/done-message.ts';
import { encodeDoneMessage, resultKey } from './done-messages.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import type { RunRef } from '../../src/pipeline/run-ref.ts';
import { dailyRun } from '../../src/state/keys.ts';
import { decodeTaskMessage, type TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { type Application } from './application.ts';
import { DONE_QUEUE, TASK_QUEUE } from './names.ts';

export const DAY = '20131029';

/** `runId(1)`, `runId(2)` …: ascending. */
export function runId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** Key of a submission file of a channel/version. */
export function inputKey(channelVersion: string, file: string, day = DAY): string {
  const [channel = '', version = ''] = channelVersion.split('/');
  return `saved_session/Firefox/${channel}/${version}.0a1/20131028030204.${day}.v2.log.${file}.lzma`;
}

/** What an analysis task says about a file: one submission with GC_MS in the first of two buckets. */
export function resultOf(files: readonly string[], measure = 'GC_MS'): string {
  const counts = Map.groupBy(files, (key) => key.split('/').slice(2, 4).join('/').replace('.0a1', ''));
  const slots = [...counts].toSorted().map(([channelVersion, { length }]) => ({
    channelVersion,
    slot: {
      measure,
      byDate: 'by-build-date' as const,
      path: 'saved_session/Firefox/WINNT/6.1/x86',
      date: '20131028',
      values: [length, 0, 0, 0, -1, -1, 0, 0, length],
      buildId: '20131028030204',
      revision: 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4',
    },
  }));
  return [...resultLines(slots)].map((line) => `${line}\n`).join('');
}

export interface Answer {
  readonly result?: string | null;
  readonly aborted?: boolean;
  readonly report?: Partial<TaskReport>;
  /** Keeps the done message back. */
  readonly silent?: boolean;
}

export class DayRun {
  readonly app: Application;
  readonly day: string;
  readonly run: RunRef;
  plan: PlanSummary | undefined;
  leavesOutAdopted = true;

  constructor(app: Application, number = 1, day = DAY) {
    this.app = app;
    this.day = day;
    this.run = dailyRun(day, runId(number));
  }

  get tasks(): number {
    return this.plan?.tasks ?? 0;
  }

  get queues(): { taskQueue: string; doneQueue: string } {
    return { taskQueue: TASK_QUEUE, doneQueue: DONE_QUEUE };
  }

  /** Stores input files; with the application's `maxFiles: 0` each becomes a task. */
  storeInput(keys: readonly string[]): void {
    for (const key of keys) this.app.input.store(key, 'x'.repeat(10));
  }

  async planTasks(): Promise<PlanSummary> {
    const filter = await this.app.run('renderFilter', {
      day: this.day,
      now: '2014-01-01T00:00:00Z',
      allowFuture: false,
    });
    this.plan = await this.app.run('planTasks', {
      run: this.run,
      day: this.day,
      filter,
      leaveOutAdopted: this.leavesOutAdopted,
      jobName: `dashboard-${this.day}`,
      ...this.queues,
    });
    return this.plan;
  }

  async enqueue(): Promise<EnqueueResult> {
    return this.app.run('enqueueTasks', { run: this.run, taskQueue: TASK_QUEUE });
  }

  /** Analysis workers take every message of the task queue, store results and report. */
  answerTasks(answer: (task: TaskMessage) => Answer = () => ({})): void {
    for (const body of this.app.queues.drain(TASK_QUEUE)) {
      const task = decodeTaskMessage(body);
      const { result, aborted = false, report, silent } = answer(task);
      if (!aborted && result !== null) {
        this.app.analysis.store(resultKey(task.id), result ?? resultOf(task.files));
      }
      if (silent !== true) this.app.queues.put(task.targetQueue, doneMessage(task, { aborted, report }));
    }
  }

  async drain(more: Partial<DrainInput> = {}): Promise<DrainResult> {
    return this.app.run('drainDoneQueue', this.drainInput(more));
  }

  drainInput(more: Partial<DrainInput> = {}): DrainInput {
    const { chunkTasks } = this.app.settings;
    const merged = new Array<number>(Math.ceil(this.tasks / chunkTasks)).fill(-1);
    const { run, tasks } = this;
    return { run, doneQueue: DONE_QUEUE, tasks, chunkTasks, merged, maxSeconds: 60, ...more };
  }

  /** Drains until nothing is missing or the messages are used up, merges every chunk, builds the contribution. */
  async contribute(): Promise<ContributionSummary> {
    const { chunkTasks } = this.app.settings;
    const chunks = Math.ceil(this.tasks / chunkTasks);
    // Chunks that count as merged with everything are never ready, so this goes on to the end.
    await this.drain({ merged: new Array<number>(chunks).fill(this.tasks), maxSeconds: 600 });
    const merged = [];
    for (let chunk = 1; chunk <= chunks; chunk += 1) {
      merged.push(await this.app.run('mergeChunk', { run: this.run, chunk, tasks: this.tasks, chunkTasks }));
    }
    return this.app.run('buildContribution', {
      run: this.run,
      day: this.day,
      tasks: this.tasks,
      chunks: merged.map(({ ref }) => ref),
    });
  }

  /** Everything before publishing. */
  async analyse(keys: readonly string[], answer?: (task: TaskMessage) => Answer): Promise<ContributionSummary> {
    this.storeInput(keys);
    await this.planTasks();
    await this.enqueue();
    this.answerTasks(answer);
    return this.contribute();
  }

  publication(attempt = 1): { run: RunRef; attempt: number; commit: string } {
    return { run: this.run, attempt, commit: `commit-${this.run.runId}-${attempt}` };
  }

  /** Plans an attempt and stages its snapshots. */
  async stage(attempt = 1): Promise<{ decision: string; folders: string[] }> {
    const { decision, snapshots } = await this.app.run('planPublication', this.publication(attempt));
    const folders: string[] = [];
    for (let index = 0; index < snapshots; index += 1) {
      const { folder } = await this.app.run('stageSnapshot', { ...this.publication(attempt), index });
      if (folder !== null) folders.push(folder);
    }
    return { decision, folders };
  }

  async commit(attempt = 1): Promise<CommitResult> {
    return this.app.run('commitDataset', this.publication(attempt));
  }

  async publish(): Promise<CommitResult> {
    await this.stage();
    return this.commit();
  }
}

export function doneMessage(
  task: TaskMessage,
  { aborted = false, report = {} }: { aborted?: boolean; report?: Partial<TaskReport> | undefined } = {},
): string {
  const whole = { ...NO_REPORT, records: task.files.length, ...report };
  return encodeDoneMessage(task, { aborted, report: whole });
}

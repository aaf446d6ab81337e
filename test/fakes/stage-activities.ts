/** Activities of workflow tests: each notes its call and answers as a small, undisturbed run would. */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Activities } from '../../src/activities/index.ts';
import { DONE_QUEUE, TASK_QUEUE } from './names.ts';

export interface ActivityCall {
  readonly name: keyof Activities;
  readonly input: unknown;
}

const COUNTS = {
  planned: 3,
  done: 3,
  failed: 0,
  missing: 0,
  files: { processed: 6, missing: 0, partial: 0 },
  records: 12,
  skipped: {},
  missingReasons: {},
  badHistograms: {},
  dropped: {},
  failedTasks: {},
};

export const PLAN = { files: 6, tasks: 3, bytes: 60, skipped: {}, missingKeys: 0, chunkTasks: 2 };
/** What a drain answers when everything is in and nothing was merged before. */
export const ALL_IN = {
  done: 3,
  failed: 0,
  missing: 0,
  duplicates: 0,
  quarantined: 0,
  held: 0,
  foreign: 0,
  ready: [
    { chunk: 1, done: 2 },
    { chunk: 2, done: 1 },
  ],
};
export const SNAPSHOT = {
  damage: null,
  channelVersion: 'nightly/28',
  folder: '20131030133100-28-nightly',
  files: 5,
  measures: 1,
  definitionsPending: 0,
  definitionsDerived: 0,
  lengthMismatch: 0,
  hidden: [],
  measuresLeftOut: 0,
  rowsLeftOut: 0,
  definitionFaults: [],
};

export const GARBAGE = {
  folders: 2,
  objects: 11,
  bytes: 4096,
  left: 0,
  kept: 6,
  first: ['20131001120000-28-nightly'],
};

export const WEBSITE = {
  outcome: 'published',
  revision: '1f0c29a',
  uploaded: 2,
  deleted: 1,
  unchanged: 3,
  skipped: { hidden: 1 },
  firstUploaded: ['b.css', 'a.html'],
  firstDeleted: ['old.js'],
  memoryDamage: null,
} as const;

const UNDISTURBED: Activities = {
  renderFilter: async () => ({ version: 1, dimensions: [] }),
  parseFilterDocument: async () => ({ version: 1, dimensions: [] }),
  productionQueues: async () => ({ taskQueue: TASK_QUEUE, doneQueue: DONE_QUEUE }),
  planTasks: async () => PLAN,
  enqueueTasks: async () => ({ tasks: PLAN.tasks, resumedAt: 0 }),
  drainDoneQueue: async () => ALL_IN,
  recoverStragglers: async () => ({ recovered: 0, resent: 1 }),
  mergeChunk: async ({ chunk, tasks, chunkTasks }) => {
    const done = Math.min(chunk * chunkTasks, tasks) - (chunk - 1) * chunkTasks;
    return { ref: { chunk, done, failed: 0 }, done, failed: 0, missing: 0 };
  },
  buildContribution: async ({ run, day }) => ({
    ...COUNTS,
    runId: run.runId,
    day,
    planAt: '2013-10-30T13:31:00.000Z',
    channelVersions: 1,
  }),
  collectInvestigation: async ({ name }) => ({
    ...COUNTS,
    result: `s3://analysis/investigations/${name}/result.txt`,
    lines: 3,
  }),
  planPublication: async () => ({ decision: 'publish', snapshots: 1, seq: 0 }),
  stageSnapshot: async () => SNAPSHOT,
  commitDataset: async () => ({ outcome: 'committed', seq: 1 }),
  updateProjections: async () => ({ seq: 1, channelVersions: 1, versions: 's3://published/v7/versions.json' }),
  findChanges: async () => ({ changes: 2, fresh: 1, skipped: 0, warnings: [] }),
  writeReport: async ({ run }) => ({ report: `s3://analysis/${run.prefix}report.json`, warnings: [] }),
  createInvestigationQueues: async ({ name }) => ({ taskQueue: `inv-${name}-tasks`, doneQueue: `inv-${name}-done` }),
  removeInvestigationQueues: async () => undefined,
  aggregationSettings: async () => ({ doneQueue: DONE_QUEUE, results: 1000, seconds: 14_400 }),
  collectWaiting: async () => ({ waiting: 3, duplicates: 0, quarantined: 0, held: 0 }),
  planRound: async () => ({ plan: PLAN, overlapping: 0, settled: 0, returned: 0 }),
  settleRound: async () => undefined,
  describeWebsite: async () => ({ source: 'https://example.org/site branch master', site: 's3://site/' }),
  publishWebsite: async () => WEBSITE,
  planGarbage: async () => GARBAGE,
  removeLeftInvestigationQueues: async () => ({ investigations: 0, first: [] }),
  removeGarbage: async () => ({ objects: GARBAGE.objects }),
};

/** The undisturbed activities with some of them replaced; every call is noted before it begins. */
export function stageActivities(calls: ActivityCall[], replaced: Partial<Activities> = {}): Activities {
  const noted = Object.entries({ ...UNDISTURBED, ...replaced }).map(([name, activity]) => [
    name,
    async (input: never): Promise<unknown> => {
      calls.push({ name: name as keyof Activities, input });
      return activity(input);
    },
  ]);
  return Object.fromEntries(noted) as Activities;
}

/** Answers from a list, one a call; the last one again and again. */
export function inTurn<Answer>(...answers: readonly Answer[]): () => Promise<Answer> {
  let call = 0;
  return async () => {
    const answer = answers[Math.min(call, answers.length - 1)];
    call += 1;
    if (answer === undefined) throw new Error('no answer is left');
    return answer;
  };
}

/** A drain to which nothing comes: heartbeats until it is cancelled. */
export async function drainUntilCancelled(): Promise<never> {
  const signal = cancellationSignal();
  for (;;) {
    heartbeat();
    await delay(50, undefined, { signal });
  }
}

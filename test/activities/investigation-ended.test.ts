/** What an analysis worker says when a queue is gone: an investigation removes its own at its end, nobody the production one. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import pino from 'pino';
import { AnalysisWorker } from '../../src/analysis-worker/analysis-worker.ts';
import type { TaskRunnerPorts } from '../../src/analysis-worker/task-runner.ts';
import { loadConfig } from '../../src/config.ts';
import { submissionRules } from '../../src/submission-rules.ts';
import { SUBMISSION_LIMITS } from '../../src/limits.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { eventually } from '../fakes/eventually.ts';
import { inProcessThreads } from '../fakes/in-process-threads.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryMessageQueues } from '../fakes/memory-message-queues.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

const PRODUCTION = 'telemetry-tasks';
const INVESTIGATION = 'telemetry-tasks-investigation-x-tasks';
const SETTINGS = { visibilitySeconds: 300, delaySeconds: 0, retentionSeconds: 1000 };

let queues: MemoryMessageQueues;
let worker: AnalysisWorker;
let lines: { level: number; msg: string; queue?: string }[];

beforeEach(async () => {
  const trace = new CallTrace();
  queues = new MemoryMessageQueues(trace, new ManualClock('2013-10-30T13:31:00Z'));
  await queues.create(PRODUCTION, SETTINGS);
  await queues.create(INVESTIGATION, SETTINGS);
  // The deadlines of this test are real.
  mock.timers.reset();
  const receive = queues.receive.bind(queues);
  // Waits for tasks, as SQS does, until the queue is removed.
  queues.receive = async (queue, options) => {
    await eventually(async () => {
      assert.ok(!queues.queues.has(queue) || options.signal?.aborted === true);
    });
    options.signal?.throwIfAborted();
    return receive(queue, options);
  };
  lines = [];
  const logger = pino(
    { level: 'info' },
    { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[0]) },
  );
  const ports: TaskRunnerPorts = {
    input: new MemoryObjectStore('input', trace),
    analysis: new MemoryObjectStore('analysis', trace),
    queues,
    threads: inProcessThreads(),
    logger,
    presence: { during: (_task, run) => run() },
    settings: {
      rules: submissionRules(loadConfig({})),
      limits: SUBMISSION_LIMITS,
      workDirectory: '/nowhere',
      processor: undefined,
      mayReportTo: () => false,
    },
  };
  worker = new AnalysisWorker(
    {
      ...{ taskQueue: PRODUCTION, investigationPrefix: `${PRODUCTION}-investigation-`, visibilitySeconds: 300 },
      ...{ tasksAtOnce: 1, onAlive: () => undefined },
    },
    ports,
  );
  await worker.start();
  await eventually(async () => {
    assert.deepEqual(
      lines.map(({ queue }) => queue),
      [PRODUCTION, INVESTIGATION],
    );
  });
  lines.length = 0;
});
afterEach(async () => {
  await worker.stop();
});

describe('a task queue that is gone', () => {
  it('is the end of an investigation: one line, which is no error', async () => {
    await queues.remove(INVESTIGATION);
    await eventually(async () => {
      assert.equal(lines.length, 1);
    });
    assert.deepEqual(
      lines.map(({ level, msg, queue }) => [level, msg, queue]),
      [[30, 'an investigation has ended and removed its task queue', INVESTIGATION]],
    );
  });

  it('is an error, where it is the one of production', async () => {
    await queues.remove(PRODUCTION);
    await eventually(async () => {
      assert.deepEqual(
        lines.map(({ level, queue }) => [level, queue]),
        [[50, PRODUCTION]],
      );
    });
  });
});

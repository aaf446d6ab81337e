/** A Temporal server for a test file, the workflow bundle, and runs of workflows with fake activities. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundle,
  makeTelemetryFilterString,
} from '@temporalio/worker';
import type { AlertActivities, NotifyInput } from '../../src/activities/alerts.ts';
import type { Activities } from '../../src/activities/index.ts';
import { binarySources } from '../../local/directories.ts';
import { findBinary } from '../../local/stack/binaries.ts';
import type { BinaryName } from '../../local/stack/binary-releases.ts';
import { alertTaskQueue, analysisDayKey, analysisRunKey, SEARCH_ATTRIBUTES } from '../../src/names.ts';
import { workflowCode } from '../../src/workflow-bundle.ts';
import { readyBundle } from './ready-bundle.ts';
import { type ActivityCall, stageActivities } from './stage-activities.ts';

const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));
/** Payloads carry references and counts only (docs/architecture.md 4). */
const MAX_PAYLOAD_BYTES = 32 << 10;
const KEYWORD = 2;
const WORKER_TASK_QUEUE = 'tests';

type Handle = WorkflowHandleWithFirstExecutionRunId;
/** Workflow code, activities and tests agree on these names only. */
type WorkflowType = 'dailyAnalysis' | 'investigation' | 'continuousAggregation' | 'websiteUpdate' | 'garbageCollection';

type FakeAlerts = Pick<AlertActivities, 'notify' | 'pingDeadMan'>;
const SILENT: FakeAlerts = { notify: async () => ({ kind: null, channels: [] }), pingDeadMan: async () => undefined };

export interface Execution {
  readonly calls: readonly ActivityCall[];
  readonly names: readonly string[];
  /** What the notifier was told, repeats included. */
  readonly told: readonly NotifyInput[];
  /** What the workflow returned; undefined when it failed. */
  readonly result: Record<string, unknown> | undefined;
  /** The cause of its failure. */
  readonly failure: Error | undefined;
  readonly historyJson: string;
}

export interface Scenario {
  readonly type: WorkflowType;
  readonly input?: unknown;
  readonly activities?: Partial<Activities>;
  readonly alerts?: Partial<FakeAlerts>;
  /** More arguments for the development server that records its history. */
  readonly serverArgs?: readonly string[];
  /** Instead of the budget of usual runs. */
  readonly maxPayloadBytes?: number;
  /** What happens while the workflow runs. */
  readonly during?: (handle: Handle) => Promise<void>;
}

export class TemporalForTests {
  readonly env: TestWorkflowEnvironment;
  readonly #workers: readonly Worker[];
  readonly #ended: Promise<unknown>;
  #activities = stageActivities([]);
  #alerts: FakeAlerts = SILENT;
  #runs = 0;

  constructor(env: TestWorkflowEnvironment, workers: readonly Worker[]) {
    this.env = env;
    this.#workers = workers;
    this.#ended = Promise.all(workers.map((worker) => worker.run()));
  }

  /** One worker for all tests of a file; the activities of the test that runs now are behind it. */
  static async start(kind: ServerKind, extraArgs: readonly string[] = []): Promise<TemporalForTests> {
    installQuietRuntime();
    const [env, workflowBundle] = await Promise.all([startServer(kind, extraArgs), bundleWorkflows()]);
    const served = Object.keys(stageActivities([])).map((name) => [
      name,
      (input: never) => started.#activities[name as keyof Activities](input),
    ]);
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: WORKER_TASK_QUEUE,
      workflowBundle,
      activities: Object.fromEntries(served) as Activities,
      maxHeartbeatThrottleInterval: '50ms',
      defaultHeartbeatThrottleInterval: '50ms',
    });
    const alertWorker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: alertTaskQueue(WORKER_TASK_QUEUE),
      activities: {
        notify: (input: NotifyInput) => started.#alerts.notify(input),
        pingDeadMan: (input: { seq: number }) => started.#alerts.pingDeadMan(input),
      },
    });
    const started = new TemporalForTests(env, [worker, alertWorker]);
    return started;
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers) worker.shutdown();
    await this.#ended;
    await this.env.teardown();
  }

  /** Runs a workflow to its end, whatever that is; every payload of its history is checked. */
  async execute({
    type,
    input,
    activities,
    alerts,
    during,
    maxPayloadBytes = MAX_PAYLOAD_BYTES,
  }: Scenario): Promise<Execution> {
    const calls: ActivityCall[] = [];
    this.#activities = stageActivities(calls, activities);
    const told: NotifyInput[] = [];
    this.#alerts = {
      ...SILENT,
      ...alerts,
      notify: async (notice) => {
        told.push(notice);
        return (alerts?.notify ?? SILENT.notify)(notice);
      },
    };
    this.#runs += 1;
    const handle = await this.env.client.workflow.start(type, {
      taskQueue: WORKER_TASK_QUEUE,
      workflowId: `${type}-${this.#runs}`,
      args: input === undefined ? [] : [input],
    });
    await during?.(handle);
    let result: Record<string, unknown> | undefined;
    let failure: Error | undefined;
    try {
      result = (await handle.result()) as Record<string, unknown>;
    } catch (error) {
      failure = (error as Error).cause as Error;
    }
    // Of the run that was started, not of one that carried it on.
    const historyJson = historyToJSON(await this.#wholeHistory(handle));
    assertBudget(historyJson, maxPayloadBytes);
    return { calls, names: calls.map(({ name }) => name), told, result, failure, historyJson };
  }

  /** The time-skipping server answers with all of it at once, however much that is. */
  async #wholeHistory({ workflowId, firstExecutionRunId: runId }: Pick<Handle, 'workflowId' | 'firstExecutionRunId'>) {
    const connection = await Connection.connect({
      address: this.env.address,
      channelArgs: { 'grpc.max_receive_message_length': -1 },
    });
    try {
      return await new Client({ connection }).workflow.getHandle(workflowId, runId).fetchHistory();
    } finally {
      await connection.close();
    }
  }

  /** Lets activities answer whatever workflows run. */
  async serve<T>(activities: Activities, use: (workerTaskQueue: string) => Promise<T>): Promise<T> {
    this.#activities = activities;
    return use(WORKER_TASK_QUEUE);
  }
}

/** Time skipping for timers, the development server for schedules and real Updates. */
type ServerKind = 'time-skipping' | 'development';

/** Makes the development server suggest to continue as new after a round or two of continuous aggregation. */
export const CONTINUE_SOON = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60'] as const;

/** Started before the first test of the file, stopped after the last. */
export function temporalForTests(kind: ServerKind, extraArgs: readonly string[] = []): () => TemporalForTests {
  let temporal: TemporalForTests | undefined;
  before(async () => {
    temporal = await TemporalForTests.start(kind, extraArgs);
  });
  after(() => temporal?.stop());
  return () => temporal ?? assert.fail('only inside a test');
}

let isRuntimeQuiet = false;

/** Failures that a test provokes are not for its output; a process has one runtime for all its servers. */
export function installQuietRuntime(): void {
  if (isRuntimeQuiet) return;
  isRuntimeQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
}

/**
 * The code as workers take it, or with changes: what the runner of the tests has bundled for all of them, else bundled here.
 * @param changes other workflows, or modules of interceptors for them
 */
export async function bundleWorkflows(
  changes: { readonly path?: string; readonly interceptors?: readonly string[] } = {},
): Promise<WorkflowBundle> {
  const { path = workflowsPath, interceptors = [] } = changes;
  if (changes.path === undefined && interceptors.length === 0) return { code: await workflowCode() };
  const ready = changes.path === undefined ? readyBundle(interceptors) : undefined;
  if (ready !== undefined && existsSync(ready)) return { code: await readFile(ready, 'utf8') };
  return bundleWorkflowCode({
    workflowsPath: path,
    workflowInterceptorModules: [...interceptors],
    logger: new DefaultLogger('ERROR'),
  });
}

async function startServer(kind: ServerKind, extraArgs: readonly string[]): Promise<TestWorkflowEnvironment> {
  if (kind === 'development') {
    const executable = { type: 'existing-path', path: await binary('temporal') } as const;
    const searchAttributes = [analysisDayKey, analysisRunKey];
    return TestWorkflowEnvironment.createLocal({
      server: {
        ip: '127.0.0.1',
        executable,
        searchAttributes,
        extraArgs: [...extraArgs],
        log: { format: 'pretty', level: 'error' },
      },
    });
  }
  const executable = { type: 'existing-path', path: await binary('temporal-test-server') } as const;
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  // Else a workflow task that sets one is tried again for ever.
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD])),
  });
  return env;
}

function binary(name: BinaryName): Promise<string> {
  return findBinary(name, binarySources(), () => undefined);
}

/** No payload of the history is larger than the budget, and no activity without limits in time. */
function assertBudget(historyJson: string, maxBytes: number): void {
  const { events } = JSON.parse(historyJson) as { events: HistoryEvent[] };
  for (const payload of payloadsOf(events)) {
    const bytes = Buffer.from(payload, 'base64').length;
    assert.ok(
      bytes <= maxBytes,
      `a payload of ${bytes} bytes: ${Buffer.from(payload, 'base64').toString().slice(0, 200)}`,
    );
  }
  for (const { activityTaskScheduledEventAttributes: scheduled } of events) {
    if (scheduled === undefined) continue;
    const name = scheduled.activityType.name;
    assert.match(scheduled.startToCloseTimeout, /[1-9]/, `${name} may run for ever`);
    assert.match(scheduled.scheduleToCloseTimeout, /[1-9]/, `${name} may be tried for ever`);
  }
}

interface HistoryEvent {
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType: { readonly name: string };
    readonly startToCloseTimeout: string;
    readonly scheduleToCloseTimeout: string;
  };
}

export function* payloadsOf(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === 'data' && typeof member === 'string') yield member;
    else yield* payloadsOf(member);
  }
}

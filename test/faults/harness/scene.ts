/** One fault test's own world on the shared stack: buckets, queues, proxies before them, worker processes, a reader. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Duration } from '@temporalio/common';
import { createBucketAdministration, createQueueAdministration } from '../../../src/aws/provision.ts';
import { createObjectStores } from '../../../src/aws/s3.ts';
import { createMessageQueues } from '../../../src/aws/sqs.ts';
import type { DailyAnalysisInput } from '../../../src/pipeline/run-input.ts';
import type { ObjectStore } from '../../../src/ports.ts';
import { storageItems } from '../../../src/setup/deployment.ts';
import { assertGood, runItems } from '../../../src/setup/run-items.ts';
import type { DailyAnalysisResult } from '../../../src/workflows/daily-analysis.ts';
import { DAY_TEMPLATE } from '../../fakes/application.ts';
import { type Output, runToEnd, until } from '../../system/deployment.ts';
import { applicationProgram } from './application-program.ts';
import { ChaosProxy } from './chaos-proxy.ts';
import { madeUpKeys } from './made-up-days.ts';
import type { MutationName } from './mutations.ts';
import type { ReaderAccount } from './reader.ts';
import { type Script, ScriptedWorker } from './scripted-worker.ts';
import type { Stage } from './stage.ts';

const PREFIX = 'v7/';
const REGION = 'us-west-2';

export interface SceneOptions {
  readonly script?: Script;
  /** Settings of its workers. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A protection that its workers do without. */
  readonly without?: MutationName | undefined;
}

/** A run of a day that was started. */
export interface StartedDay {
  readonly workflowId: string;
  readonly day: string;
  result(): Promise<DailyAnalysisResult>;
}

export class Scene {
  readonly stage: Stage;
  readonly s3: ChaosProxy;
  readonly sqs: ChaosProxy;
  readonly input: ObjectStore;
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  readonly queues: ReturnType<typeof createMessageQueues>;
  readonly analysts: ScriptedWorker;
  readonly names: { readonly taskQueue: string; readonly doneQueue: string; readonly workerTaskQueue: string };
  readonly directory: string;
  /** Days of which files were stored: day → keys. */
  readonly days = new Map<string, readonly string[]>();
  readonly started: StartedDay[] = [];
  /** Signals by which worker processes ended before they were told to. */
  readonly deaths: string[] = [];
  readonly #options: SceneOptions;
  readonly #close: () => void;
  readonly #children = new Set<ChildProcess>();
  readonly #supervised = new Set<ChildProcess>();
  #reader: { readonly child: ChildProcess; readonly account: Promise<ReaderAccount> } | undefined;
  #processes = 0;
  #stopping = false;

  private constructor(
    stage: Stage,
    name: string,
    directory: string,
    proxies: [ChaosProxy, ChaosProxy],
    options: SceneOptions,
  ) {
    this.stage = stage;
    this.directory = directory;
    this.#options = options;
    [this.s3, this.sqs] = proxies;
    const stores = createObjectStores({ region: REGION, endpoint: stage.stack.links.s3 });
    this.input = stores.bucket(`input-${name}`);
    this.analysis = stores.bucket(`analysis-${name}`);
    this.published = stores.bucket(`published-${name}`);
    this.queues = createMessageQueues({ region: REGION, endpoint: stage.stack.links.sqs });
    this.names = { taskQueue: `tasks-${name}`, doneQueue: `done-${name}`, workerTaskQueue: `telemetry-${name}` };
    this.analysts = new ScriptedWorker(
      stage.stack.links.sqs,
      this.analysis,
      this.names.taskQueue,
      options.script ?? {},
    );
    this.#close = () => {
      stores.close();
      this.queues.close();
    };
  }

  static async open(stage: Stage, options: SceneOptions = {}): Promise<Scene> {
    const name = randomUUID().slice(0, 8);
    const directory = join(stage.directory, name);
    await mkdir(join(directory, 'work'), { recursive: true });
    await writeFile(join(directory, 'filter.json.in'), DAY_TEMPLATE);
    const { s3, sqs } = stage.stack.links;
    await provision(stage, name);
    const proxies: [ChaosProxy, ChaosProxy] = [await ChaosProxy.start('s3', s3), await ChaosProxy.start('sqs', sqs)];
    return new Scene(stage, name, directory, proxies, options);
  }

  /** Stores the input files of a day, one task each. */
  async storeDay(day: string, files: number, channelVersions?: readonly string[]): Promise<void> {
    const keys = madeUpKeys(day, files, channelVersions);
    await Promise.all(keys.map((key) => this.input.put(key, Buffer.from('not read by anybody'))));
    this.days.set(day, keys);
  }

  get settings(): Record<string, string> {
    return {
      ...this.stage.stack.env,
      AWS_ENDPOINT_URL_S3: this.s3.url,
      AWS_ENDPOINT_URL_SQS: this.sqs.url,
      TELEMETRY_INPUT_BUCKET: this.input.bucket,
      TELEMETRY_ANALYSIS_BUCKET: this.analysis.bucket,
      TELEMETRY_PUBLISHED_BUCKET: this.published.bucket,
      TELEMETRY_PUBLISHED_PREFIX: PREFIX,
      TELEMETRY_TASK_QUEUE: this.names.taskQueue,
      TELEMETRY_DONE_QUEUE: this.names.doneQueue,
      TELEMETRY_WORKER_TASK_QUEUE: this.names.workerTaskQueue,
      TELEMETRY_FILTER_TEMPLATE: join(this.directory, 'filter.json.in'),
      TELEMETRY_WORK_DIRECTORY: join(this.directory, 'work'),
      TELEMETRY_WORKFLOW_BUNDLE: this.stage.bundle,
      TELEMETRY_HISTOGRAM_UPSTREAM: 'none',
      TELEMETRY_MAX_TASK_FILES: '1',
      TELEMETRY_CHUNK_TASKS: '4',
      TELEMETRY_DONE_VISIBILITY_SECONDS: '2',
      TELEMETRY_SHUTDOWN_GRACE_SECONDS: '2',
      TELEMETRY_THREADS: '1',
      ...this.#options.settings,
    };
  }

  /** Starts a Temporal worker; `settings` are its own. It ends with the scene. */
  startWorker(settings: Readonly<Record<string, string>> = {}): ChildProcess {
    return this.startProgram('worker', settings);
  }

  /** The same for any program that stays; all of them log to files of their own. */
  startProgram(
    name: 'worker' | 'analysis-worker' | 'histogram-server',
    settings: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const log = openSync(this.logFile(this.#processes), 'a');
    this.#processes += 1;
    const { file, args, env } = applicationProgram([name], { ...this.#environment, ...settings });
    const child = spawn(file, args, { env, stdio: ['ignore', log, log] });
    this.#children.add(child);
    return child;
  }

  /** Runs a command of the application to its end. */
  command(...given: readonly string[]): Promise<Output> {
    const { file, args, env } = applicationProgram(given, this.#environment);
    return runToEnd(file, args, env);
  }

  get #environment(): Record<string, string | undefined> {
    return { ...process.env, ...this.settings, MUTATION: this.#options.without };
  }

  /** Starts a Temporal worker; when it dies of a signal, another one with the same settings takes its place. */
  superviseWorker(settings: Readonly<Record<string, string>> = {}): void {
    const child = this.startWorker(settings);
    this.#supervised.add(child);
    child.once('exit', (_, signal) => {
      if (signal === null || this.#stopping) return;
      this.deaths.push(signal);
      this.superviseWorker(settings);
    });
  }

  logFile(worker: number): string {
    return join(this.directory, `worker-${worker}.log`);
  }

  /** Counts of messages that its workers have logged. */
  async logged(message: string): Promise<number> {
    return (await this.logs()).split(`"msg":"${message}"`).length - 1;
  }

  /** Everything that its workers have logged. */
  async logs(): Promise<string> {
    const texts = Array.from({ length: this.#processes }, (_, worker) => readFile(this.logFile(worker), 'utf8'));
    return (await Promise.all(texts)).join('');
  }

  /** Those that run, in the order in which they were started. */
  get workers(): readonly ChildProcess[] {
    return [...this.#children];
  }

  async end(child: ChildProcess, signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }> {
    const startedAt = performance.now();
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    this.#children.delete(child);
    return { code: child.exitCode, ms: performance.now() - startedAt };
  }

  /** Failpoints that have fired, such as `flip.before@1`. */
  get fired(): string[] {
    try {
      return readdirSync(join(this.directory, 'work', 'failpoints'));
    } catch {
      return [];
    }
  }

  watchPublished(): void {
    const { s3 } = this.stage.stack.links;
    const child = spawn(
      process.execPath,
      [resolve('test/faults/harness/reader.ts'), s3, this.published.bucket, this.analysis.bucket, PREFIX],
      { env: { ...process.env, ...this.stage.stack.env }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    child.stdout.on('data', (part: Buffer) => (text += part.toString()));
    const account = once(child, 'close').then(() => JSON.parse(text) as ReaderAccount);
    // Nobody asks for it when the story ends early.
    account.catch(() => undefined);
    this.#reader = { child, account };
  }

  /** Ends the reader; undefined when none was started. */
  async readerAccount(): Promise<ReaderAccount | undefined> {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.child.kill('SIGTERM');
    return reader?.account;
  }

  async startDay(
    day: string,
    input: Partial<DailyAnalysisInput> = {},
    workflowExecutionTimeout: Duration = '3 minutes',
  ): Promise<StartedDay> {
    const workflowId = `daily-analysis-${day}-${randomUUID().slice(0, 8)}`;
    const handle = await this.stage.client.workflow.start('dailyAnalysis', {
      taskQueue: this.names.workerTaskQueue,
      workflowId,
      args: [{ day, stragglerSeconds: 3600, giveUpSeconds: 40, ...input }],
      workflowExecutionTimeout,
    });
    const started = { workflowId, day, result: () => handle.result() as Promise<DailyAnalysisResult> };
    this.started.push(started);
    return started;
  }

  /** The result of a run whose server may be away for a while. */
  settled(run: StartedDay, deadlineMs = 150_000): Promise<DailyAnalysisResult> {
    return this.until(
      `the end of ${run.workflowId}`,
      () =>
        run.result().catch((error: unknown) => {
          if ((error as Error).name === 'WorkflowFailedError') throw error;
          return undefined;
        }),
      deadlineMs,
    );
  }

  /** On which attempt the activity is by now; 0 when it does not run. */
  async attempts({ workflowId }: StartedDay, activity: string): Promise<number> {
    const { raw } = await this.stage.client.workflow.getHandle(workflowId).describe();
    const pending = (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === activity);
    return Math.max(0, ...pending.map(({ attempt, lastStartedTime }) => (lastStartedTime ? (attempt ?? 0) : 0)));
  }

  async runDay(day: string, input: Partial<DailyAnalysisInput> = {}): Promise<DailyAnalysisResult> {
    return (await this.startDay(day, input)).result();
  }

  /** Polls with a deadline. */
  until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, deadlineMs = 60_000): Promise<T> {
    return until(what, async () => ask(), deadlineMs);
  }

  async keys(store: ObjectStore, prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const entry of store.list(prefix)) if (entry.kind === 'object') keys.push(entry.key);
    return keys.sort();
  }

  async currentFolder(channelVersion: string): Promise<string> {
    const { body } = await this.published.get(`${PREFIX}versions.json`);
    const versions = JSON.parse(gunzipSync(body).toString('utf8')) as Record<string, string>;
    return versions[channelVersion] ?? '';
  }

  /** All folders below the published prefix, named by a commit or not. */
  async snapshotFolders(): Promise<string[]> {
    const keys = await this.keys(this.published, PREFIX);
    return [...new Set(keys.flatMap((key) => key.split('/').slice(1, -1)))];
  }

  /** Tells everybody of its own to go; what they left stays for a look. */
  async close(): Promise<void> {
    this.#stopping = true;
    this.#reader?.child.kill('SIGKILL');
    await Promise.all([...this.#children].map((child) => this.end(child, 'SIGKILL')));
    await this.analysts.stop();
    // Whoever still waits for a run's result must hear of its end before the connection is closed; most have ended.
    const handles = this.started.map(({ workflowId }) => this.stage.client.workflow.getHandle(workflowId));
    await Promise.all(handles.map((handle) => handle.terminate('the test is over').catch(() => undefined)));
    await Promise.all([this.s3.stop(), this.sqs.stop()]);
    this.#close();
  }
}

async function provision(stage: Stage, name: string): Promise<void> {
  const { s3, sqs } = stage.stack.links;
  const stores = createObjectStores({ region: REGION, endpoint: s3 });
  const buckets = createBucketAdministration({ region: REGION, endpoint: s3 });
  const queues = createQueueAdministration({ region: REGION, endpoint: sqs });
  const parts = {
    buckets,
    queues,
    input: stores.bucket(`input-${name}`),
    analysis: stores.bucket(`analysis-${name}`),
    published: stores.bucket(`published-${name}`),
  };
  const names = { publishedPrefix: PREFIX, websiteBucket: null, taskQueue: `tasks-${name}`, doneQueue: `done-${name}` };
  const variant = { delays: { taskSeconds: 0, doneSeconds: 0 }, ownsInput: true, triesWrites: false };
  try {
    assertGood(await runItems(storageItems(parts, names, variant), { fix: true }));
  } finally {
    stores.close();
    buckets.close();
    queues.close();
  }
}

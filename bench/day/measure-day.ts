/** Runs a day on services of its own and brings what its worker's meter and the services counted. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { binarySources } from '../../local/directories.ts';
import { findBinary } from '../../local/stack/binaries.ts';
import { choosePorts, LOOPBACK } from '../../local/stack/free-ports.ts';
import { LOCAL_NAMESPACE, startTemporalServer } from '../../local/stack/temporal-server.ts';
import { connectPorts } from '../../src/composition.ts';
import { loadConfig } from '../../src/config.ts';
import { NO_METRICS } from '../../src/metrics.ts';
import { SEARCH_ATTRIBUTES } from '../../src/names.ts';
import { emptyLedger } from '../../src/pipeline/dataset/ledger.ts';
import { commitLedger } from '../../src/state/pointer.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { DENSE, generateResults, SPARSE } from '../generators/results.ts';
import { answerTasks } from './analysis-workers.ts';
import { BENCH_DAY } from './input-keys.ts';
import type { StageTimes } from './meter.ts';
import { countOption } from './options.ts';
import { endService, type Service, startService } from './service.ts';

/** Requests, and bytes sent or answered, by method and bucket. */
type RequestCounts = Readonly<Record<string, { readonly requests: number; readonly bytes: number }>>;

export interface MeasuredStage extends StageTimes {
  readonly requests: RequestCounts;
  /** CPU of the object store's process. */
  readonly storeCpuSeconds: number;
}

export interface MeasuredDay {
  readonly stages: readonly MeasuredStage[];
  readonly result: DailyAnalysisResult;
  readonly keys: number;
  readonly resultBytes: number;
  readonly seconds: number;
  /** Of the run's history. */
  readonly events: number;
  readonly historyBytes: number;
}

/** Lines of a result: 5,000 of them are as much to merge as a benchmark has time for. */
const LINES = 40;
const RESULT_FILES = 100;

/** Everything that the worker and the clients of this process need to know. */
interface Place {
  readonly directory: string;
  readonly s3: Service;
  readonly environment: Readonly<Record<string, string>>;
}

export async function measureDay(directory: string): Promise<MeasuredDay> {
  const keys = countOption('keys', 1_000_000);
  const stops: (() => Promise<void>)[] = [];
  try {
    const s3 = await startService('./object-store.ts', [String(keys), String(countOption('latency', 0))]);
    stops.push(() => endService(s3));
    const sqs = await startService('./queues.ts');
    stops.push(() => endService(sqs));
    const { temporal: port } = await choosePorts({ temporal: {} });
    const server = await startTemporalServer({
      executable: await findBinary('temporal', binarySources(), () => undefined),
      databaseFile: join(directory, 'temporal.db'),
      logFile: join(directory, 'temporal.log'),
      pidFile: join(directory, 'temporal.pid'),
      port,
      uiPort: null,
      keywordAttributes: Object.keys(SEARCH_ATTRIBUTES),
      log: () => undefined,
    });
    stops.push(() => server.stop());
    const environment = environmentFor(directory, s3.endpoint, sqs.endpoint, `${LOOPBACK}:${port}`);
    Object.assign(process.env, environment);
    return await runDay({ directory, s3, environment }, keys);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function environmentFor(directory: string, s3: string, sqs: string, temporal: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: s3,
    AWS_ENDPOINT_URL_SQS: sqs,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_PROFILE: '',
    AWS_SESSION_TOKEN: '',
    TEMPORAL_ADDRESS: temporal,
    TEMPORAL_NAMESPACE: LOCAL_NAMESPACE,
    TEMPORAL_CONFIG_FILE: join(directory, 'none.toml'),
    TEMPORAL_TLS: 'false',
    TELEMETRY_WORK_DIRECTORY: join(directory, 'work'),
  };
}

async function runDay(place: Place, keys: number): Promise<MeasuredDay> {
  const config = loadConfig(place.environment);
  const { ports, close } = connectPorts(config);
  const queue = { visibilitySeconds: 1800, delaySeconds: 0, retentionSeconds: 345_600 };
  for (const name of [config.TELEMETRY_TASK_QUEUE, config.TELEMETRY_DONE_QUEUE]) await ports.queues.create(name, queue);
  const { analysis, published } = ports;
  const stores = { analysis, published, publishedPrefix: config.TELEMETRY_PUBLISHED_PREFIX, metrics: NO_METRICS };
  await commitLedger(stores, null, emptyLedger('bench'), new AbortController().signal);
  const results = await dayResults(place.directory);
  const worker = new MeteredWorker(place);
  const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    await worker.started;
    const client = new Client({ connection, namespace: LOCAL_NAMESPACE });
    const startedAt = performance.now();
    const handle = await client.workflow.start('dailyAnalysis', {
      ...{ workflowId: `daily-analysis-${BENCH_DAY}`, taskQueue: config.TELEMETRY_WORKER_TASK_QUEUE },
      args: [{ day: BENCH_DAY, allowLargePlan: true }],
    });
    const outcome = handle.result() as Promise<DailyAnalysisResult>;
    await Promise.race([worker.waitsForMessages, outcome]);
    const answering = performance.now();
    const resultBytes = await answerTasks(ports, { ...config, s3: place.s3.endpoint, results });
    const answered = performance.now() - answering;
    worker.openDrain();
    const result = await outcome;
    const seconds = (performance.now() - startedAt - answered) / 1000;
    const { historyLength, raw } = await handle.describe();
    const stages = await worker.end();
    const historyBytes = Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0);
    return { stages, result, keys, resultBytes, seconds, events: historyLength, historyBytes };
  } finally {
    await worker.end();
    await connection.close();
    await close();
  }
}

async function dayResults(directory: string): Promise<string[]> {
  const folder = join(directory, 'results');
  await mkdir(folder);
  const { channelVersions } = SPARSE;
  return generateResults(folder, { ...DENSE, seed: 'day', files: RESULT_FILES, lines: LINES, channelVersions });
}

/** What the object store has done so far. */
interface StoreFacts {
  readonly counts: RequestCounts;
  readonly cpuSeconds: number;
}

interface FromWorker {
  /** Of the stage that has ended, with what the store had done by then. */
  readonly times?: StageTimes;
  readonly store?: StoreFacts;
  readonly waitsForMessages?: true;
}

/** The process of `worker.ts`. */
class MeteredWorker {
  readonly started: Promise<unknown>;
  readonly waitsForMessages: Promise<void>;
  readonly #child: ChildProcess;
  readonly #stages: MeasuredStage[] = [];
  #store: StoreFacts = { counts: {}, cpuSeconds: 0 };

  constructor({ environment }: Place) {
    const execArgv = process.argv.includes('--cpu-prof') ? ['--cpu-prof', '--cpu-prof-dir=.local/profiles'] : [];
    this.#child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
      env: { ...process.env, ...environment },
      execArgv: [...process.execArgv, ...execArgv],
    });
    this.started = once(this.#child, 'message');
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.waitsForMessages = promise;
    this.#child.on('message', ({ times, store, waitsForMessages }: FromWorker) => {
      if (waitsForMessages === true) resolve(undefined);
      if (times === undefined || store === undefined) return;
      const storeCpuSeconds = store.cpuSeconds - this.#store.cpuSeconds;
      process.stderr.write(`${times.stage}: ${times.seconds.toFixed(1)} s\n`);
      this.#stages.push({ ...times, requests: since(this.#store.counts, store.counts), storeCpuSeconds });
      this.#store = store;
    });
  }

  openDrain(): void {
    this.#child.send('open');
  }

  async end(): Promise<readonly MeasuredStage[]> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.send('end');
      await ended;
    }
    return this.#stages;
  }
}

function since(before: RequestCounts, now: RequestCounts): RequestCounts {
  const differences = Object.entries(now).map(([what, { requests, bytes }]): [string, RequestCounts[string]] => {
    const { requests: known = 0, bytes: knownBytes = 0 } = before[what] ?? {};
    return [what, { requests: requests - known, bytes: bytes - knownBytes }];
  });
  return Object.fromEntries(differences.filter(([, { requests }]) => requests > 0));
}

/** The embedded stack: Temporal server, S3 and SQS on loopback, with buckets and queues made, started and stopped as one. */
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BinarySources, findBinary } from './binaries.ts';
import { takeOwnerLock } from './owner-lock.ts';
import { commandLine } from './process-facts.ts';
import { LOCAL_DELAYS, LOCAL_NAMES, provisionStack } from './provision.ts';
import { LOOPBACK } from './free-ports.ts';
import { endForeignProcess, ServerStartError } from './server-process.ts';
import { embeddedServices, type ServicePlace, type StackServices } from './services.ts';
import { chooseStackPorts, type FixedPorts, type StackPorts } from './stack-ports.ts';
import { readStackState, type StackState, writePrivately, writeStackState } from './stack-state.ts';
import { LOCAL_NAMESPACE, startTemporalServer } from './temporal-server.ts';

export interface LocalStackOptions {
  /** Everything the stack keeps is here; a second start in the same directory finds the data again. */
  readonly directory: string;
  readonly log: (line: string) => void;
  readonly binaries: BinarySources;
  /** Other servers than SeaweedFS and fauxqs, to run on; their starters, once their programs are there. */
  readonly services?: () => Promise<StackServices>;
  /** Ports that must be these; the others are those of the last start, or usual ones, or free ones. */
  readonly ports?: FixedPorts;
  /** Without Temporal's Web UI. */
  readonly headless?: boolean;
  /** Search attributes of type Keyword to register in Temporal. */
  readonly keywordAttributes: readonly string[];
  /** Called once the directory is this stack's, for what can be done while the servers start. */
  readonly onStarting?: (() => void) | undefined;
}

export interface LocalStack {
  /** Every variable a worker process needs to work on this stack. */
  readonly env: Readonly<Record<string, string>>;
  readonly links: {
    /** Temporal's Web UI; null when headless. */
    readonly webUi: string | null;
    readonly s3: string;
    readonly sqs: string;
    /** The published space, where `versions.json` is. */
    readonly dataset: string;
    /** The page of the website, once it is published. */
    readonly site: string;
  };
  /** Stops all parts; may be called again. */
  stop(): Promise<void>;
}

/** Another process runs a stack in this directory. */
export class StackRunningError extends Error {
  override readonly name = 'StackRunningError';
}

/** The servers take any region; this one is where the original's buckets were. */
const REGION = 'us-west-2';
/** File names of the programs: log and process id. */
const OBJECT_STORE = 'object-store';
const SQS = 'sqs';
const TEMPORAL = 'temporal';
const LEFTOVER_DEADLINE_MS = 15_000;
const STARTS = 3;

/**
 * Starts the stack in a directory, or starts it again with its data. SQS messages are in memory and do not survive a
 * stop. Parts that a killed stack left running are ended first. When a part fails, those already running are stopped.
 * @throws StackRunningError, BinaryMissingError, ServerStartError, PortTakenError
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const directory = resolve(options.directory);
  await mkdir(join(directory, 'objects'), { recursive: true });
  await keepFromOthers(directory);
  const lock = takeOwnerLock(join(directory, 'lock'));
  if (!lock.taken) {
    throw new StackRunningError(
      `a stack already runs in ${directory} (${lock.holder}); use it with ${join(directory, 'stack.env')}, stop that process, or choose another directory`,
    );
  }
  const stops: (() => Promise<void>)[] = [
    async () => {
      lock.release();
    },
  ];
  const stop = async (): Promise<void> => {
    for (let step = stops.pop(); step !== undefined; step = stops.pop()) await step();
  };
  try {
    options.onStarting?.();
    return await startAnyway({ ...options, directory }, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function isPortTaken(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isPortTaken);
  if (error instanceof ServerStartError) return error.portTaken;
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

/** Other programs choose ports as well, also between the choice and the start of a server; then all ports are chosen again. */
async function startAnyway(
  options: LocalStackOptions,
  stops: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<LocalStack> {
  const lasting = stops.length;
  for (let tries = 1; ; tries += 1) {
    try {
      return await startParts(options, stops, stop);
    } catch (error) {
      if (!isPortTaken(error) || tries === STARTS) throw error;
      options.log('a port was taken by another program at the last moment; starting again with others');
      while (stops.length > lasting) await stops.pop()?.();
      await writeStackState(options.directory, { ...(await readStackState(options.directory)), ports: {} });
    }
  }
}

/** Histories, objects and credentials are for this user only, also those that an earlier release wrote. */
async function keepFromOthers(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const name of await readdir(directory))
    if (name.startsWith('temporal.db')) await chmod(join(directory, name), 0o600);
}

async function startParts(
  options: LocalStackOptions,
  stops: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<LocalStack> {
  const { directory, log } = options;
  const remembered = await readStackState(directory);
  for (const name of [OBJECT_STORE, SQS, TEMPORAL]) await endLeftover(directory, `${name}.pid`, log);
  const [temporal, services] = await Promise.all([
    findBinary('temporal', options.binaries, log),
    options.services?.() ?? embeddedServices(options.binaries, log),
  ]);
  const ports = await chooseStackPorts(remembered.ports, options.ports ?? {});
  const state: StackState = { ...remembered, pid: process.pid, ports };
  stops.push(() => writeStackState(directory, { ...state, pid: null }));
  await writeStackState(directory, state);
  const endpoints = { s3: `http://${LOOPBACK}:${ports.s3}`, sqs: `http://${LOOPBACK}:${ports.sqs}` };
  await startServers({ ...options, temporal, ports, state, endpoints }, services, stops);
  const webUi = options.headless === true ? null : `http://${LOOPBACK}:${ports.temporalUi}`;
  const env = {
    ...workerEnvironment(directory, state, endpoints),
    ...(webUi !== null && { TELEMETRY_WEB_UI: webUi }),
  };
  await writeAttachFiles(directory, env, stops);
  log(`embedded stack is up in ${directory}`);
  return {
    env,
    links: {
      ...endpoints,
      webUi,
      dataset: `${endpoints.s3}/${LOCAL_NAMES.publishedBucket}/${LOCAL_NAMES.publishedPrefix}`,
      site: `${endpoints.s3}/${LOCAL_NAMES.websiteBucket}/index.html`,
    },
    stop,
  };
}

interface Parts extends LocalStackOptions {
  readonly temporal: string;
  readonly ports: StackPorts;
  readonly state: StackState;
  readonly endpoints: { readonly s3: string; readonly sqs: string };
}

/**
 * Starts the three servers in parallel, and makes the buckets and queues while Temporal's, which takes longest, is still
 * starting. Those that started are in `stops`, also when something else failed.
 */
async function startServers(parts: Parts, services: StackServices, stops: (() => Promise<void>)[]): Promise<void> {
  const { directory, ports, state, endpoints, log } = parts;
  const storage = [
    services.startObjectStore(servicePlace(parts, OBJECT_STORE)),
    services.startSqs(servicePlace(parts, SQS)),
  ];
  const started = await Promise.allSettled([
    ...storage,
    Promise.all(storage).then(() => provisionStack({ ...endpoints, ...state.credentials, region: REGION })),
    startTemporalServer({
      executable: parts.temporal,
      databaseFile: join(directory, 'temporal.db'),
      logFile: join(directory, `${TEMPORAL}.log`),
      pidFile: join(directory, `${TEMPORAL}.pid`),
      port: ports.temporal,
      uiPort: parts.headless === true ? null : ports.temporalUi,
      keywordAttributes: parts.keywordAttributes,
      log,
    }),
  ]);
  const running = started.flatMap((part) => (part.status === 'fulfilled' ? (part.value ?? []) : []));
  stops.push(async () => {
    await Promise.all(running.map((server) => server.stop()));
  });
  // That of a server is that of what is made in it as well.
  const failures = [
    ...new Set(started.filter((part) => part.status === 'rejected').map((part) => part.reason as Error)),
  ];
  if (failures.length > 1) throw new AggregateError(failures, failures.map((failure) => failure.message).join('\n'));
  if (failures[0] !== undefined) throw failures[0];
}

function servicePlace({ directory, ports, state, log }: Parts, name: string): ServicePlace {
  return {
    directory,
    dataDirectory: join(directory, 'objects'),
    logFile: join(directory, `${name}.log`),
    pidFile: join(directory, `${name}.pid`),
    ports,
    region: REGION,
    credentials: state.credentials,
    log,
  };
}

/** Ends the server program of a stack that was killed before it could stop it; a reused process id is left alone. */
async function endLeftover(directory: string, pidFile: string, log: (line: string) => void): Promise<void> {
  const pid = Number(await readFile(join(directory, pidFile), 'utf8').catch(() => '0'));
  if (!Number.isInteger(pid) || pid <= 1) return;
  const command = await commandLine(pid);
  if (command?.includes(directory) !== true) return;
  log(`ending process ${pid}, left behind by a stack that was killed`);
  await endForeignProcess(pid, LEFTOVER_DEADLINE_MS);
}

function workerEnvironment(
  directory: string,
  { ports, credentials }: StackState,
  endpoints: { s3: string; sqs: string },
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    // Empty on purpose: a profile or session of the person's own would win over the keys above.
    AWS_PROFILE: '',
    AWS_SESSION_TOKEN: '',
    TEMPORAL_ADDRESS: `${LOOPBACK}:${String(ports['temporal'])}`,
    TEMPORAL_NAMESPACE: LOCAL_NAMESPACE,
    // A file of our own, so that no profile of the person's own adds TLS or an API key.
    TEMPORAL_CONFIG_FILE: join(directory, 'temporal.toml'),
    TEMPORAL_PROFILE: 'default',
    TEMPORAL_TLS: 'false',
    TELEMETRY_INPUT_BUCKET: LOCAL_NAMES.inputBucket,
    TELEMETRY_ANALYSIS_BUCKET: LOCAL_NAMES.analysisBucket,
    TELEMETRY_PUBLISHED_BUCKET: LOCAL_NAMES.publishedBucket,
    TELEMETRY_PUBLISHED_PREFIX: LOCAL_NAMES.publishedPrefix,
    TELEMETRY_WEBSITE_BUCKET: LOCAL_NAMES.websiteBucket,
    TELEMETRY_TASK_QUEUE: LOCAL_NAMES.taskQueue,
    TELEMETRY_DONE_QUEUE: LOCAL_NAMES.doneQueue,
    TELEMETRY_TASK_DELAY_SECONDS: String(LOCAL_DELAYS.taskSeconds),
    TELEMETRY_DONE_DELAY_SECONDS: String(LOCAL_DELAYS.doneSeconds),
  };
}

/** `stack.env` is there exactly while the stack is up: another terminal attaches with it (`node --env-file`). */
async function writeAttachFiles(
  directory: string,
  env: Readonly<Record<string, string>>,
  stops: (() => Promise<void>)[],
): Promise<void> {
  const file = join(directory, 'stack.env');
  stops.push(() => rm(file, { force: true }));
  const profile = [
    '[profile.default]',
    `address = "${env['TEMPORAL_ADDRESS'] ?? ''}"`,
    `namespace = "${env['TEMPORAL_NAMESPACE'] ?? ''}"`,
  ];
  await writePrivately(join(directory, 'temporal.toml'), `${profile.join('\n')}\n`);
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  await writePrivately(file, lines.join(''));
}

/** `up` and `demo`: everything on this machine, from an empty folder to a published data set in the Web UI. */
import { counted } from '../src/pipeline/plain-text.ts';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connectPorts } from '../src/composition.ts';
import { type Config, loadConfig } from '../src/config.ts';
import { environment, useEnvironment } from '../src/environment.ts';
import { childProcesses } from './child-processes.ts';
import { mirrorInputFolder, submissionDays } from './input-folder.ts';
import { generateSamples } from './samples/generate.ts';
import { type LocalStack, StackRunningError, startLocalStack } from './stack/stack.ts';
import { JOBS } from '../src/jobs.ts';
import { dayOf } from '../src/pipeline/calendar-day.ts';
import { SEARCH_ATTRIBUTES } from '../src/names.ts';
import { applySchedule, schedules } from '../src/schedules.ts';
import type { DailyAnalysisResult } from '../src/workflows/daily-analysis.ts';
import { CommandError } from '../src/commands/command-error.ts';
import { demandEmpty, exportDataSet } from '../src/export/export-data-set.ts';
import type { Client } from '@temporalio/client';
import { runAtWork } from '../src/commands/find-run.ts';
import { followRun, rootCause, startRun } from '../src/commands/follow-run.ts';
import { binarySources, LOCAL_DIRECTORY, STACK_DIRECTORY } from './directories.ts';
import { describeDay } from '../src/commands/run-day.ts';
import { withTemporalClient } from '../src/commands/temporal-client.ts';
import { print, say } from '../src/commands/terminal.ts';
import { stopSignal, toldToStop } from '../src/stop-signal.ts';

const SAMPLE_SEED = 'telemetry';
const SAMPLE_DAYS = ['20131028', '20131029'];
/** Most of a day of the demo is the upload of three small files for each measure of six channel/versions. */
const SAMPLE_MEASURES = 42;
const SAMPLES = { seed: SAMPLE_SEED, days: SAMPLE_DAYS, measures: SAMPLE_MEASURES, plantedChange: true } as const;

export interface UpOptions {
  readonly directory?: string | undefined;
}

export interface DemoOptions extends UpOptions {
  readonly once?: boolean | undefined;
  readonly submissions?: string | undefined;
  readonly definitions?: string | undefined;
  readonly export?: string | undefined;
}

/** The stack alone, until Ctrl-C. */
export async function up(options: UpOptions): Promise<void> {
  const told = toldToStop();
  const stack = await startStack(options.directory ?? STACK_DIRECTORY);
  try {
    say(links(stack));
    say('Ctrl-C stops it. Other terminals: npm run -s telemetry -- --local worker | analysis-worker | run-day …');
    await told;
    say('\nstopping');
  } finally {
    await stack.stop();
  }
}

/**
 * The stack, its workers, and every day of the submissions analysed; then it stays up, unless `once`. Ctrl-C ends all of it
 * at any time, and the next start begins the day again that was at work.
 */
export async function demo(options: DemoOptions): Promise<void> {
  await runDemo(options);
  // A call that was connecting to a server when that ended goes on for 20 s, and holds the process.
  if (stopSignal().aborted) process.exit();
}

async function runDemo(options: DemoOptions): Promise<void> {
  const startedAt = performance.now();
  const told = toldToStop();
  // Wrong settings are reported before anything is created.
  loadConfig(environment());
  if (options.export !== undefined) await demandEmpty(options.export);
  const input = await chooseInput(options);
  const directory = resolve(options.directory ?? input.stackDirectory);
  // Samples are drawn while the servers and workers start, which mostly wait.
  const samples = input.makeSamples();
  // Awaited with the work; a fault before that is not unhandled.
  samples.catch(() => undefined);
  const children = childProcesses(
    ['worker', 'analysis-worker'].map((command) => ({ command, logFile: join(directory, `${command}.log`) })),
    say,
  );
  const stack = await startStack(directory, () => {
    children.load();
  }).catch(async (error: unknown) => {
    await children.stop();
    await samples.catch(() => undefined);
    throw error;
  });
  try {
    if (stopSignal().aborted) return;
    useEnvironment({
      ...stack.env,
      TELEMETRY_DEFINITIONS: resolve(input.definitions),
      // Nothing of the demo leaves this machine.
      TELEMETRY_HISTOGRAM_SERVER: '',
    });
    const local = loadConfig(environment());
    children.begin(environment());
    const site = publishSite(local);
    const work = samples.then(() => analyseAll(local, input.submissions, input.days, options));
    // Told to end in the middle of it, they fail, since the servers they talk to are stopped.
    const all = Promise.all([work, site]);
    all.catch(() => undefined);
    const isDone = await Promise.race([all.then(() => true), told.then(() => false), children.failure]);
    if (!isDone) {
      say('\nstopping; the next start begins the day again that was at work');
      return;
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const next = options.once === true ? '; without --once the site and the Web UI stay up' : '';
    say(`${counted(input.days.length, 'day')} in ${seconds} s${next}`);
    if (options.once === true) return;
    const first = (await site) ? `site             ${stack.links.site}\n` : '';
    say(`\n${first}${links(stack)}\nCtrl-C stops it.`);
    await Promise.race([told, children.failure]);
    say('\nstopping');
  } finally {
    await children.stop();
    await stack.stop();
  }
}

/** Beside the analysis: a fault of the site costs no day. Resolves with whether it is there. */
async function publishSite({ TELEMETRY_WORKER_TASK_QUEUE: workerTaskQueue }: Config): Promise<boolean> {
  try {
    await withTemporalClient(async (client) => {
      const handle = await startRun(client, {
        workflowType: 'websiteUpdate',
        workflowId: JOBS.websiteUpdate.workflowId(dayOf(new Date())),
        workerTaskQueue,
        input: {},
        summary: 'Website update of the demo',
      });
      await handle.client.withAbortSignal(stopSignal(), () => handle.result());
    });
    return true;
  } catch (error) {
    if (stopSignal().aborted) return false;
    const { message } = rootCause(error as Error);
    say(`the site is not published: ${message}; "npm run -s telemetry -- --local website publish" tries again`);
    return false;
  }
}

async function analyseAll(
  config: Config,
  submissions: string,
  days: readonly string[],
  options: DemoOptions,
): Promise<void> {
  const { ports, close } = connectPorts(config);
  try {
    await withTemporalClient(async (client) => {
      const [{ files, uploaded }] = await Promise.all([
        mirrorInputFolder(submissions, ports.input),
        ...schedules(config.TELEMETRY_WORKER_TASK_QUEUE).map((schedule) => applySchedule(client.schedule, schedule)),
      ]);
      say(`input bucket: ${files} files (${uploaded} uploaded)`);
      for (const day of days) {
        await endRunOf(client, day);
        const handle = await startRun(client, {
          workflowType: 'dailyAnalysis',
          workflowId: JOBS.dailyAnalysis.workflowId(day),
          workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
          input: { day },
          summary: `Daily analysis of ${day}`,
        });
        print(`${describeDay(await followRun<DailyAnalysisResult>(handle, day, stopSignal()))}\n`);
      }
    });
    if (options.export !== undefined) {
      const { TELEMETRY_PUBLISHED_PREFIX: publishedPrefix, TELEMETRY_WORK_DIRECTORY: workDirectory } = config;
      const place = { published: ports.published, publishedPrefix, workDirectory };
      const { files } = await exportDataSet(place, { to: options.export, format: 'json' }, stopSignal());
      say(`exported ${files} files to ${options.export}`);
    }
  } finally {
    await close();
  }
}

/** A run that was at work when the stack was stopped waits for tasks that were in the memory of the SQS server. */
async function endRunOf(client: Client, day: string): Promise<void> {
  const left = await runAtWork(client, day);
  if (left === undefined) return;
  say(`${day}: the run that was at work when the stack stopped is started again`);
  await left.handle.terminate('the embedded stack was stopped, and its queues with it');
}

interface DemoInput {
  readonly submissions: string;
  readonly definitions: string;
  readonly stackDirectory: string;
  /** Of the submissions, ascending. */
  readonly days: readonly string[];
  /** Resolves when the submissions are there. */
  makeSamples(): Promise<void>;
}

/** Given submissions get a stack of their own, so that they never mix with the samples. */
async function chooseInput(options: DemoOptions): Promise<DemoInput> {
  const samples = join(LOCAL_DIRECTORY, 'samples');
  if (options.submissions === undefined) {
    return {
      submissions: join(samples, 'submissions'),
      definitions: options.definitions ?? join(samples, 'definitions'),
      stackDirectory: STACK_DIRECTORY,
      days: SAMPLE_DAYS,
      makeSamples: async () => {
        await mkdir(samples, { recursive: true });
        say('generating sample submissions');
        await generateSamples({ ...SAMPLES, directory: samples });
      },
    };
  }
  if (options.definitions === undefined)
    throw new CommandError('--submissions needs --definitions DIR too: <repo path>/<revision>/Histograms.json', {
      exitCode: 2,
    });
  const days = await submissionDays(options.submissions);
  if (days.length === 0)
    throw new CommandError(
      `${options.submissions} holds no file whose path is an input key: reason/app/channel/version/buildId.day.v2.log.…`,
      { exitCode: 2 },
    );
  const name = createHash('sha256').update(resolve(options.submissions)).digest('hex').slice(0, 8);
  return {
    submissions: options.submissions,
    definitions: options.definitions,
    stackDirectory: `${STACK_DIRECTORY}-${name}`,
    days,
    makeSamples: async () => undefined,
  };
}

async function startStack(directory: string, onStarting?: () => void): Promise<LocalStack> {
  try {
    return await startLocalStack({
      directory,
      onStarting,
      log: say,
      binaries: binarySources(),
      keywordAttributes: Object.keys(SEARCH_ATTRIBUTES),
    });
  } catch (error) {
    if (error instanceof StackRunningError) throw new CommandError(error.message, { exitCode: 2, cause: error });
    throw error;
  }
}

function links(stack: LocalStack): string {
  const address = stack.env['TEMPORAL_ADDRESS'] ?? '';
  return [
    `Temporal Web UI  ${stack.links.webUi ?? 'off'}`,
    `temporal CLI     npm run -s temporal -- workflow list   (or temporal --address ${address} …)`,
    `data set         ${stack.links.dataset}versions.json`,
    `S3, SQS          ${stack.links.s3}  ${stack.links.sqs}`,
  ].join('\n');
}

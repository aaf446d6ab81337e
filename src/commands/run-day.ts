/** `run-day` and `investigate`: start a run by hand and follow it. */
import { counted, plainLine } from '../pipeline/plain-text.ts';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Config } from '../config.ts';
import { JOBS } from '../jobs.ts';
import { INVESTIGATION_NAME } from '../names.ts';
import { analysisDay } from '../pipeline/calendar-day.ts';
import { reasons } from '../pipeline/dataset/run-report.ts';
import { parseFilter } from '../pipeline/filter/filter.ts';
import { checkDay, isTemplate, renderTemplate } from '../pipeline/filter/template.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { countedReasons } from '../pipeline/reason-words.ts';
import {
  type DailyAnalysisInput,
  type InvestigationInput,
  parseDailyAnalysisInput,
  parseInvestigationInput,
} from '../pipeline/run-input.ts';
import type { DailyAnalysisResult } from '../workflows/daily-analysis.ts';
import type { InvestigationResult } from '../workflows/investigation.ts';
import { CommandError } from './command-error.ts';
import { runAtWork } from './find-run.ts';
import { followRun, printStarted, startRun } from './follow-run.ts';
import { withTemporalClient } from './temporal-client.ts';
import { readInput } from './read-input.ts';
import { print, say, table } from './terminal.ts';

const MAX_TEXT = 1000;

export interface RunDayOptions {
  readonly day?: string | undefined;
  /** File with a filter document or template. */
  readonly filter?: string | undefined;
  readonly allowFuture?: boolean | undefined;
  readonly allowLargePlan?: boolean | undefined;
  readonly replaceAnyway?: boolean | undefined;
  readonly detach?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export async function runDay(config: Config, options: RunDayOptions): Promise<void> {
  const now = new Date();
  const day = options.day ?? analysisDay(now);
  const filter = await checkedFilter(options.filter, day, now, options.allowFuture ?? false);
  const input: DailyAnalysisInput = {
    day,
    ...(filter !== undefined && { filter }),
    ...(options.allowFuture === true && { allowFuture: true }),
    ...(options.allowLargePlan === true && { allowLargePlan: true }),
    ...(options.replaceAnyway === true && { replaceAnyway: true }),
  };
  checked(() => parseDailyAnalysisInput(input));
  await withTemporalClient(async (client) => {
    const atWork = await attach(client, day, input);
    const handle =
      atWork ??
      (await startRun(client, {
        workflowType: 'dailyAnalysis',
        workflowId: JOBS.dailyAnalysis.workflowId(day),
        workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
        input,
        summary: `Daily analysis of ${day}, started by hand`,
      }));
    if (atWork === undefined) say(`started ${handle.workflowId}`);
    if (options.detach === true) {
      printStarted(handle, options.json);
      return;
    }
    const result = await followRun<DailyAnalysisResult>(handle, day);
    print(options.json === true ? JSON.stringify(result) : describeDay(result));
  });
}

export interface InvestigateOptions extends RunDayOptions {
  /** File with one input key a line. */
  readonly keys?: string | undefined;
}

export async function investigate(config: Config, name: string, options: InvestigateOptions): Promise<void> {
  const filter =
    options.filter === undefined ? undefined : await checkedFilter(options.filter, options.day, new Date(), true);
  const keys =
    options.keys === undefined
      ? undefined
      : (await readInput(options.keys))
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '');
  const input: InvestigationInput = {
    name,
    ...(options.day !== undefined && { day: options.day }),
    ...(filter !== undefined && { filter }),
    ...(keys !== undefined && { keys }),
    ...(options.allowLargePlan === true && { allowLargePlan: true }),
  };
  checked(() => {
    if (options.day !== undefined) checkDay(options.day, new Date(), true);
    parseInvestigationInput(input, INVESTIGATION_NAME);
  });
  await withTemporalClient(async (client) => {
    const handle = await startRun(client, {
      workflowType: 'investigation',
      workflowId: JOBS.investigation.workflowId(name),
      workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      input,
      summary: `Investigation ${name}, started by hand`,
    });
    say(`started ${handle.workflowId}`);
    if (options.detach === true) {
      printStarted(handle, options.json);
      return;
    }
    const result = await followRun<InvestigationResult>(handle, name);
    print(options.json === true ? JSON.stringify(result) : describeInvestigation(result));
  });
}

/** An investigation's result for people. */
export function describeInvestigation({ name, records, lines, result }: InvestigationResult): string {
  return `${name}: ${counted(records, 'submission')}, ${counted(lines, 'line')} in ${result}`;
}

/**
 * The run of the day that is at work already, whoever started it; undefined when none is.
 * @throws CommandError when it may do something else than what is wanted
 */
async function attach(client: Client, day: string, input: DailyAnalysisInput): Promise<WorkflowHandle | undefined> {
  const running = await runAtWork(client, day);
  if (running === undefined) return undefined;
  const { workflowId } = running.handle;
  if (Object.keys(input).length > 1)
    throw new CommandError(
      `${workflowId} is at work on ${day}, without these options: follow it with "telemetry follow ${day}", or end it with "temporal workflow cancel --workflow-id ${workflowId}"`,
    );
  say(`${workflowId} is at work on ${day} already`);
  return running.handle;
}

/** A day's result for people. */
export function describeDay(result: DailyAnalysisResult): string {
  const { day, planned, done, failed, missing, files, records, skipped, badHistograms = {} } = result;
  const rows = [
    ['day', day],
    ['files', `${files.processed} processed, ${files.missing} missing, ${files.partial} in part`],
    ['tasks', `${planned} planned = ${done} done + ${failed} failed + ${missing} missing`],
    ['submissions', String(records)],
    ['left out', countedReasons(skipped) || 'nothing'],
    ...(Object.keys(badHistograms).length > 0 ? [['bad histograms', reasons(badHistograms)]] : []),
    ['published', describePublication(result)],
    ...(result.versions === null ? [] : [['versions.json', result.versions]]),
    ...result.warnings.map((warning) => ['warning', warning]),
  ];
  return table(rows);
}

function describePublication({ decision, seq, published, rendered }: DailyAnalysisResult): string {
  const commit = seq === null ? '' : ` (commit ${seq})`;
  if (decision !== 'published') return `${decision}${commit}`;
  const more = rendered > published.length ? ` and ${rendered - published.length} more` : '';
  return `${published.length === 0 ? 'no snapshot changed' : `${published.join(', ')}${more}`}${commit}`;
}

/** The document in a file, which must give a valid filter for the day. */
async function checkedFilter(
  file: string | undefined,
  day: string | undefined,
  now: Date,
  allowFuture: boolean,
): Promise<unknown> {
  const text = file === undefined ? undefined : await readInput(file);
  checked(() => {
    if (day !== undefined) checkDay(day, now, allowFuture);
  });
  if (text === undefined) return undefined;
  return checked(() => {
    if (isTemplate(text) && day !== undefined) renderTemplate(text, day);
    else if (!isTemplate(text)) parseFilter(JSON.parse(text));
    return JSON.parse(text) as unknown;
  }, file);
}

/**
 * Invalid input from a person becomes a message and exit code 2.
 * @param file that it is from
 */
function checked<T>(work: () => T, file?: string): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvalidDataError || error instanceof SyntaxError)
      throw new CommandError(`${file === undefined ? '' : `${file}: `}${plainLine(error.message, MAX_TEXT)}`, {
        cause: error,
        exitCode: 2,
      });
    throw error;
  }
}

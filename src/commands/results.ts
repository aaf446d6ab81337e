/** What runs have left in the private bucket, for people: reports, lists of input files, results of investigations. */
import { rename, writeFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { INVESTIGATION_NAME } from '../names.ts';
import { isCalendarDay, noDayText } from '../pipeline/calendar-day.ts';
import { ENTRY_NAME, isRound } from '../pipeline/dataset/entry-name.ts';
import type { LedgerEntry } from '../pipeline/dataset/ledger.ts';
import { absenceSentence, parseReportOutline, reportSentence } from '../pipeline/dataset/report-sentence.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import { reasonsInWords } from '../pipeline/reason-words.ts';
import { latestRunOfDay, reportOutline } from '../state/day-runs.ts';
import { addressOf, getIfPresent } from '../state/documents.ts';
import { linesOf } from '../state/file-lists.ts';
import { partialFiles } from '../state/receipts.ts';
import { runOfEntry, stateKeys } from '../state/keys.ts';
import { dataSetStores } from '../state/owner.ts';
import { readPointer } from '../state/pointer.ts';
import { CommandError } from './command-error.ts';
import { type CommandPorts, withPorts } from './command-ports.ts';
import { print, say } from './terminal.ts';

/** Prints the report of a day's run: of the run in the data set, else of the latest one, or of the one that is named. */
export async function showReport(
  config: Config,
  day: string,
  { run }: { readonly run?: string | undefined },
): Promise<void> {
  checkedDay(day);
  await withPorts(config, async (ports, signal) => {
    const runId = run ?? (await entryOf(ports, day, signal))?.runId ?? (await reportedRun(ports, day, signal));
    const key = stateKeys.report(runOfEntry(day, checkedRun(runId)));
    const text = await textOf(ports, key, `there is no report of a run ${runId} of ${day}`, signal);
    print(text);
    say(sentenceOf(text));
  });
}

export interface FilesOptions {
  readonly missing?: boolean | undefined;
  readonly partial?: boolean | undefined;
}

/** The input files of a day that were read, those that were not, with the reason behind a TAB, or those read in part. */
export async function showFiles(config: Config, day: string, { missing, partial }: FilesOptions): Promise<void> {
  checkedDay(day);
  if (missing === true && partial === true)
    throw new CommandError('give either --missing or --partial', { exitCode: 2 });
  if (partial === true && isRound(day))
    throw new CommandError(
      `the files of a round that were read in part are known by their number only: "telemetry report ${day}"`,
      { exitCode: 2 },
    );
  await withPorts(config, async (ports, signal) => {
    const entry = await entryOf(ports, day, signal);
    if (entry === undefined) {
      await reportedRun(ports, day, signal);
      say(`${day}: 0 processed, 0 missing: no file of the input bucket passes the filter`);
      return;
    }
    const { fileLists, files, missingReasons = {} } = entry;
    if (partial === true) {
      const found = await printPartial(ports, day, entry.runId, signal);
      say(`${day}: ${found} read in part, which count among the ${files.processed} processed`);
      return;
    }
    const which = missing === true ? 'missing' : 'processed';
    const list = fileLists[which];
    if (list === null) say(`${day} has no ${which} file`);
    else for await (const line of linesOf(ports.analysis, list, signal)) print(line);
    const why = missing === true && files.missing > 0 ? reasonsInWords(missingReasons) : '';
    say(`${day}: ${files.processed} processed, ${files.missing} missing${why === '' ? '' : ` (${why})`}`);
  });
}

/** @returns how many there are */
async function printPartial({ analysis }: CommandPorts, day: string, runId: string, signal: AbortSignal) {
  let found = 0;
  for await (const key of partialFiles(analysis, runOfEntry(day, runId), signal)) {
    print(key);
    found += 1;
  }
  return found;
}

/** The report of an investigation; its merged result goes to a file. */
export async function showInvestigation(
  config: Config,
  name: string,
  { get }: { readonly get?: string | undefined },
): Promise<void> {
  if (!INVESTIGATION_NAME.test(name))
    throw new CommandError(`${plainLine(name, 100)} is no name of an investigation: a-z 0-9 -`, { exitCode: 2 });
  await withPorts(config, async (ports, signal) => {
    const none = `there is no result of the investigation ${name}; "telemetry follow ${name}" shows what its run does`;
    print(await textOf(ports, stateKeys.investigationReport(name), none, signal));
    const key = stateKeys.investigationResult(name);
    if (get === undefined) {
      say(`result: ${addressOf(ports.analysis, key)}; --get FILE downloads it`);
      return;
    }
    await download(ports, key, get, signal);
    say(`result: ${get}`);
  });
}

/** A file that exists is replaced once the new one is complete. */
async function download({ analysis }: CommandPorts, key: string, file: string, signal: AbortSignal): Promise<void> {
  const part = `${file}.part`;
  try {
    // Tells that the folder cannot be written to, before anything is fetched.
    await writeFile(part, '');
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${(error as Error).message}`, { cause: error, exitCode: 2 });
  }
  await analysis.getToFile(key, part, { signal });
  await rename(part, file);
}

async function entryOf(ports: CommandPorts, day: string, signal: AbortSignal): Promise<LedgerEntry | undefined> {
  const { ledger } = await readPointer(dataSetStores(ports), signal);
  return ledger.entries.get(day);
}

/**
 * The run that says why the data set has nothing of the day: there was no input.
 * @throws CommandError with the reason, where it is another one
 */
async function reportedRun({ analysis }: CommandPorts, day: string, signal: AbortSignal): Promise<string> {
  if (isRound(day)) throw new CommandError(`the data set has no round ${day}`, { exitCode: 2 });
  const run = await latestRunOfDay(analysis, day, signal);
  const report = run === undefined ? null : await reportOutline(analysis, run, signal);
  if (run !== undefined && report?.decision === 'nothing') return run.runId;
  throw new CommandError(absenceSentence(day, run === undefined ? null : { runId: run.runId, report }), {
    exitCode: 2,
  });
}

/** A report that is not as it should be is printed all the same. */
function sentenceOf(report: string): string {
  try {
    return reportSentence(parseReportOutline(report));
  } catch (error) {
    if (error instanceof InvalidDataError) return `this report is not as it should be: ${error.message}`;
    throw error;
  }
}

/** A day, or the name of a round, as the warnings of one have it. */
function checkedDay(day: string): string {
  if (isCalendarDay(day) || (isRound(day) && ENTRY_NAME.test(day))) return day;
  throw new CommandError(noDayText(day), { exitCode: 2 });
}

function checkedRun(runId: string): string {
  if (/^[\w-]{1,100}$/.test(runId)) return runId;
  throw new CommandError(`${plainLine(runId, 100)} is no id of a run: "telemetry status --json" has them`, {
    exitCode: 2,
  });
}

async function textOf({ analysis }: CommandPorts, key: string, missing: string, signal: AbortSignal): Promise<string> {
  const stored = await getIfPresent(analysis, key, signal);
  if (stored === undefined) throw new CommandError(missing, { exitCode: 2 });
  return stored.body.toString('utf8').trimEnd();
}

/** `aggregate-submissions` and `merge-results`: the original's two programs on local files. */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { environment } from '../environment.ts';
import { MERGE_LIMITS, SUBMISSION_LIMITS } from '../limits.ts';
import { MAX_NAMED_OF_RUN, worstOf } from '../pipeline/bad-histograms.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import { visibleLine } from '../pipeline/plain-text.ts';
import { reasons } from '../pipeline/dataset/run-report.ts';
import type { SubmissionFile } from '../threads/aggregate-submissions.ts';
import { submissionRules } from '../submission-rules.ts';
import { createThreadPool, SUMMING, type ThreadPool } from '../threads/pool.ts';
import { threadsWanted } from '../threads/threads-wanted.ts';
import type { Preloaded } from '../threads/jobs.ts';
import { type KeyRanges, keyRanges } from '../threads/key-ranges.ts';
import type { LinesByKey, RejectedResult, ResultFile } from '../threads/result-index.ts';
import { giveUp, type SharedFile, sharedFile } from '../threads/shared-file.ts';
import type { PackedSums } from '../threads/spilling-sums.ts';
import { CommandError } from './command-error.ts';
import { readInput } from './read-input.ts';
import { print, say } from './terminal.ts';

/**
 * Submission files are cut into groups of a part of what is left, whatever the number of threads: the grouping decides the order in
 * which log sums are added, and so the last digits of the result. The last groups are small, so that threads end together.
 */
const GROUP_PART = 10;
const LEAST_GROUP_BYTES = 512 << 10;
const MOST_GROUP_BYTES = 2 << 20;

export interface AggregateOptions {
  /** File with lines `key TAB file`. */
  readonly input: string;
  readonly output: string;
}

/** The settings, once they are read. */
type Settings = () => Promise<Config>;

export async function aggregateSubmissionFiles(settings: Settings, options: AggregateOptions): Promise<void> {
  await withThreads(settings, 'aggregation', (work) => aggregateFiles(work, options));
}

async function aggregateFiles({ config, threads, folderIn }: Work, { input, output }: AggregateOptions): Promise<void> {
  const files = parseList(await readInput(input), input);
  const groups = await grouped(files);
  const settings = { rules: submissionRules(config), limits: SUBMISSION_LIMITS };
  const folder = await folderIn(dirname(output));
  const passes = await Promise.all(
    groups.map(async (group, index) => {
      const firstFile = groups.slice(0, index).reduce((sum, { length }) => sum + length, 0);
      return threads.countSubmissions({ ...{ files: group, folder, firstFile, name: String(index) }, ...settings });
    }),
  );
  const whole = join(folder, 'whole');
  const sums = passes.flatMap((pass) => pass.sums);
  const { mixedStatistics, leftOut } = await foldSums(threads, config, sums, whole);
  await rename(whole, output);
  const skipped: Record<string, number> = {};
  for (const pass of passes) addCounts(skipped, pass.skipped);
  if (mixedStatistics > 0) addCounts(skipped, { mixed_statistics: mixedStatistics });
  if (leftOut > 0) addCounts(skipped, { measures_over_limit: leftOut });
  const records = passes.reduce((sum, pass) => sum + pass.records, 0);
  for (const { key, reason } of passes.flatMap((pass) => pass.filesFailed))
    say(`left out: ${visibleLine(key)} (${reason})`);
  const bad = worstOf(
    passes.map(({ badHistograms }) => badHistograms),
    MAX_NAMED_OF_RUN,
  );
  if (Object.keys(bad).length > 0) say(`bad_histogram by measure, the worst: ${reasons(bad)}`);
  print(`${output}: ${records} submissions of ${files.length} files; skipped: ${reasons(skipped) || 'none'}`);
}

/** The text of packed rows has about twice their bytes. */
const FOLD_GROWTH = 2;

/** Writes sums as one result; each thread folds some of the measures. */
async function foldSums(
  threads: ThreadPool,
  config: Config,
  sums: readonly PackedSums[],
  output: string,
): Promise<{ mixedStatistics: number; leftOut: number }> {
  const { lines, leftOut } = await threads.linesOfSums(sums);
  const files = sums.map(({ id, path }) => ({ id, path }));
  const limits = { ...SUBMISSION_LIMITS, maxHistogramLength: submissionRules(config).maxHistogramLength };
  const ranges = keyRanges(lines, config.TELEMETRY_THREADS, FOLD_GROWTH);
  const parts = await writeTogether(ranges, config.TELEMETRY_THREADS, output, (share) =>
    threads.foldSums({ ...share, lines, files, limits, folder: dirname(output) }),
  );
  return { mixedStatistics: parts.reduce((sum, part) => sum + part.mixedStatistics, 0), leftOut };
}

export interface MergeOptions {
  readonly input: readonly string[];
  readonly output?: string | undefined;
  /** Folder with one file per channel/version, into which the inputs are merged. */
  readonly folder?: string | undefined;
  /** One aggregate for each path, for the original's tools, which know no list of lengths. */
  readonly oneLength?: boolean | undefined;
}

interface Merged {
  readonly lines: number;
  readonly dropped: Record<string, number>;
}

export async function mergeResultFiles(settings: Settings, options: MergeOptions): Promise<void> {
  if ((options.output === undefined) === (options.folder === undefined))
    throw new CommandError('Give either -o FILE or -f DIR', { exitCode: 2 });
  await withThreads(settings, 'merge', (work) => mergeGivenFiles(work, options));
}

async function mergeGivenFiles({ config, threads, folderIn }: Work, options: MergeOptions): Promise<void> {
  const { input, output, folder, oneLength = false } = options;
  await Promise.all(input.map(demandFile));
  const whole = join(await folderIn(folder ?? dirname(output ?? '.')), 'whole');
  const merged = await mergeFiles(threads, config, input, whole);
  const { lines, dropped } =
    output !== undefined
      ? await finish(threads, merged, whole, output, oneLength)
      : await mergeIntoFolder(threads, config, merged, whole, folder ?? '', oneLength);
  print(`${output ?? folder ?? ''}: ${lines} lines of ${input.length} results; dropped: ${reasons(dropped) || 'none'}`);
}

/** Moves what was merged to its place, with one length for each path if that is wanted. */
async function finish(
  threads: ThreadPool,
  merged: Merged,
  path: string,
  target: string,
  oneLength: boolean,
): Promise<Merged> {
  if (!oneLength) {
    await rename(path, target);
    return merged;
  }
  const output = `${path}-one-length`;
  const kept = await threads.keepOneLength({ result: path, output });
  await rename(output, target);
  const dropped = { ...merged.dropped };
  addCounts(dropped, kept.dropped);
  return { lines: kept.lines, dropped };
}

/** One file per channel/version; an existing file is merged in last, and replaced as a whole. */
async function mergeIntoFolder(
  threads: ThreadPool,
  config: Config,
  merged: Merged,
  whole: string,
  folder: string,
  oneLength: boolean,
): Promise<Merged> {
  const dropped = { ...merged.dropped };
  for (const { channelVersion, path } of await threads.splitResult({ result: whole, folder: dirname(whole) })) {
    const target = join(folder, channelVersion);
    await mkdir(dirname(target), { recursive: true });
    const exists = (await stat(target).catch(() => undefined)) !== undefined;
    const nothing = { lines: 0, dropped: {} };
    if (exists) await mergeFiles(threads, config, [path, target], whole);
    addCounts(dropped, (await finish(threads, nothing, exists ? whole : path, target, oneLength)).dropped);
  }
  return { lines: merged.lines, dropped };
}

/**
 * Merges results into one file: each thread finds the lines of some results, then merges the keys of a range.
 * @throws CommandError when a result breaks the rules; nothing was written then
 */
async function mergeFiles(
  threads: ThreadPool,
  config: Config,
  paths: readonly string[],
  output: string,
): Promise<Merged> {
  const results = paths.map((path) => ({ id: path, path }));
  const { indexed, lines, rejected } = await indexFiles(threads, config, results);
  if (indexed < results.length) return mergeHalves(threads, config, paths, output);
  const work = { folder: dirname(output), maxTableBytes: MERGE_LIMITS.maxTableBytes };
  const ranges = keyRanges(lines, config.TELEMETRY_THREADS);
  const written = await writeTogether(ranges, config.TELEMETRY_THREADS, output, (share) =>
    threads.mergeResultRanges({ ...share, lines, results, ...work }),
  );
  demandGood([...rejected, ...written.flatMap((share) => share.rejected)], paths.length);
  const dropped: Record<string, number> = {};
  for (const share of written) addCounts(dropped, share.dropped);
  return { lines: written.reduce((sum, share) => sum + share.lines, 0), dropped };
}

/** @returns how many results have their lines in the index: all, unless there are too many to be merged at once */
async function indexFiles(
  threads: ThreadPool,
  config: Config,
  results: readonly ResultFile[],
): Promise<{ indexed: number; lines: LinesByKey; rejected: RejectedResult[] }> {
  const shares = await sharesOf(
    results.map(({ path }) => path),
    config.TELEMETRY_THREADS,
  );
  const indexes = await Promise.all(
    shares.map(([from, to]) =>
      threads.indexResults({ results: results.slice(from, to), maxLineBytes: MERGE_LIMITS.maxLineBytes }),
    ),
  );
  const indexed = indexes.reduce((sum, index) => sum + index.results, 0);
  return { indexed, lines: await threads.linesByKey(indexes), rejected: indexes.flatMap(({ rejected }) => rejected) };
}

/** For more lines than can be merged at once: both halves first. */
async function mergeHalves(
  threads: ThreadPool,
  config: Config,
  paths: readonly string[],
  output: string,
): Promise<Merged> {
  const middle = Math.ceil(paths.length / 2);
  const halves = [`${output}-left`, `${output}-right`];
  const left = await mergeFiles(threads, config, paths.slice(0, middle), halves[0] ?? '');
  const right = await mergeFiles(threads, config, paths.slice(middle), halves[1] ?? '');
  const { lines } = await threads.mergeSortedResults({ results: halves, output });
  const dropped = { ...left.dropped };
  addCounts(dropped, right.dropped);
  return { lines, dropped };
}

/** Cuts files into consecutive shares of about the same size. */
async function sharesOf(paths: readonly string[], shares: number): Promise<[from: number, to: number][]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const share = sizes.reduce((sum, size) => sum + size, 0) / shares;
  const cuts = [0];
  let sum = 0;
  for (const [index, size] of sizes.entries()) {
    sum += size;
    while (cuts.length < shares && sum >= share * cuts.length) cuts.push(index + 1);
  }
  const all = cuts.map((from, index): [number, number] => [from, cuts[index + 1] ?? sizes.length]);
  return all.filter(([from, to]) => from < to);
}

/** Has threads write the lines of all ranges to one file. */
async function writeTogether<Written>(
  ranges: KeyRanges,
  threads: number,
  output: string,
  write: (share: { ranges: KeyRanges; output: SharedFile; name: string }) => Promise<Written>,
): Promise<Written[]> {
  const file = sharedFile(output, ranges.ranges.length);
  const writers = Math.min(threads, ranges.ranges.length);
  const pending = Array.from({ length: writers }, (_, index) => write({ ranges, output: file, name: String(index) }));
  try {
    return await Promise.all(pending);
  } catch (error) {
    giveUp(file);
    await Promise.allSettled(pending);
    throw error;
  }
}

/** @throws CommandError */
function demandGood(rejected: readonly RejectedResult[], of: number): void {
  if (rejected.length === 0) return;
  const byId = new Map(rejected.map((rejection) => [rejection.id, rejection]));
  const list = [...byId.values()].map(({ id, reason, message }) => `  ${id}: ${reason}, ${message}`).join('\n');
  throw new CommandError(`${byId.size} of ${of} results break the rules, so nothing was written:\n${list}`, {
    exitCode: 2,
  });
}

/** What a command works with. */
interface Work {
  readonly config: Config;
  readonly threads: ThreadPool;
  /** A folder for temporary files beside the target: renaming into place must not cross file systems. */
  readonly folderIn: (folder: string) => Promise<string>;
}

/** The threads start while the settings are read and the command looks at its input. */
async function withThreads(settings: Settings, preload: Preloaded, run: (work: Work) => Promise<void>): Promise<void> {
  const threads = createThreadPool(threadsWanted(environment()), { ...SUMMING, startAtOnce: true, preload });
  const temporary: string[] = [];
  const folderIn = async (folder: string): Promise<string> => {
    await mkdir(folder, { recursive: true });
    const path = await mkdtemp(join(folder, '.telemetry-'));
    temporary.push(path);
    return path;
  };
  try {
    await run({ config: await settings(), threads, folderIn });
  } finally {
    // None may write to them any more.
    await threads.close();
    await Promise.all(temporary.map((path) => rm(path, { recursive: true, force: true })));
  }
}

function parseList(text: string, name: string): SubmissionFile[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, index) => {
    const [key, path, ...more] = line.split('\t');
    if (key === undefined || path === undefined || more.length > 0) {
      throw new CommandError(
        `${name}, line ${index + 1}: expected "key TAB file", found ${JSON.stringify(line.slice(0, 200))}`,
        { exitCode: 2 },
      );
    }
    return { key, path };
  });
}

async function grouped(files: readonly SubmissionFile[]): Promise<SubmissionFile[][]> {
  const sizes = await Promise.all(files.map(({ path }) => demandFile(path)));
  const groups: SubmissionFile[][] = [[]];
  let left = sizes.reduce((sum, size) => sum + size, 0);
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    if (bytes >= Math.min(MOST_GROUP_BYTES, Math.max(LEAST_GROUP_BYTES, (left + bytes) / GROUP_PART))) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(file);
    bytes += sizes[index] ?? 0;
    left -= sizes[index] ?? 0;
  }
  return groups;
}

async function demandFile(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`, { exitCode: 2 });
  });
  if (found.isFile()) return found.size;
  throw new CommandError(`${path} is no file; name the files in it`, { exitCode: 2 });
}

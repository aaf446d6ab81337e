/**
 * The messages of the done queue: the task's seven fields plus `target-prefix` (docs/formats/queues.md 2.3), in both
 * directions.
 */
import { BadHistogramCounts, type BadHistograms, MAX_NAMED } from '../bad-histograms.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { addCounts, knownReason, MAX_COUNT } from '../known-reasons.ts';
import { isMeasureName } from '../safe-segment.ts';
import { decodeBody, encodeBody, isTaskId, stringList } from '../task-queue/message-body.ts';
import { type JobHeader, taskFields, taskMessageBytes, type TaskMessage } from '../task-queue/task-message.ts';

/** A file that a worker could not use, and why (`bad_key`, `bad_container`, `not_found` …). */
export interface FailedFile {
  readonly key: string;
  readonly reason: string;
}

/** What our worker adds to the message; foreign workers leave it out. */
export interface TaskReport {
  readonly filesFailed: readonly FailedFile[];
  /** Files of which only a part could be decoded. */
  readonly filesPartial: readonly string[];
  /** Submissions that were counted. */
  readonly records: number;
  /** Submissions and parts of submissions that were left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Which measures `bad_histogram` is about: the worst `MAX_NAMED`. */
  readonly badHistograms: BadHistograms;
}

export interface DoneMessage extends TaskReport {
  readonly id: string;
  readonly files: readonly string[];
  /** `output/<id>/` in the analysis bucket; null: the worker gave the task up. */
  readonly targetPrefix: string | null;
  /** The body was plain JSON: read, but a sign of a launcher that does not follow the protocol. */
  readonly plain: boolean;
}

/** Name of the one file among those of a task that is merged. */
export const RESULT_NAME = 'result.txt';

export const NO_REPORT: TaskReport = { filesFailed: [], filesPartial: [], records: 0, skipped: {}, badHistograms: {} };

/**
 * The message body. A report that would not fit beside the files names them by their place instead of their key; bad
 * histograms are named as far as there is room then.
 * @param prefixOf where the files of a task are in the analysis bucket (`state/keys.ts`)
 */
export function encodeDoneMessage(
  task: TaskMessage,
  { aborted, report }: { readonly aborted: boolean; readonly report: TaskReport },
  prefixOf: (taskId: string) => string,
): string {
  const fields = { ...taskFields(task, task), 'target-prefix': aborted ? null : prefixOf(task.id) };
  if (aborted) return encodeBody(fields);
  const { filesFailed, filesPartial, records, skipped, badHistograms } = report;
  const counts = { records, skipped };
  const whole = encodeBody({
    ...fields,
    'files-failed': filesFailed,
    'files-partial': filesPartial,
    ...counts,
    ...named(badHistograms),
  });
  const room = encodeBody(fields).length + reportBytes(task.files.length);
  if (whole.length <= room) return whole;
  const places = new Map(task.files.map((key, place) => [key, place]));
  const short = {
    ...fields,
    'files-failed': filesFailed.map(({ key, reason }) => ({ file: places.get(key), reason })),
    'files-partial': filesPartial.map((key) => places.get(key)),
    ...counts,
  };
  return encodeBody({ ...short, ...named(fitting(badHistograms, room - encodeBody(short).length)) });
}

/** Workers of the original, and aggregators of earlier releases, do not know the member. */
function named(badHistograms: BadHistograms): { 'bad-histograms'?: BadHistograms } {
  return Object.keys(badHistograms).length > 0 ? { 'bad-histograms': badHistograms } : {};
}

/** The first ones, as many as fit in so many encoded bytes. */
function fitting(badHistograms: BadHistograms, bytes: number): BadHistograms {
  let left = Math.floor(bytes / 4) * 3 - ',"bad-histograms":{}'.length;
  const entries = Object.entries(badHistograms);
  const end = entries.findIndex(([measure, count]) => (left -= `"${measure}":${count},`.length) < 0);
  return Object.fromEntries(end < 0 ? entries : entries.slice(0, end));
}

/** JSON bytes of a report's counts, and of a file in it: `{"file":200,"reason":"…"},` with the longest known reason. */
const COUNTS_BYTES = 3072;
const FILE_BYTES = 54;
/** `,"target-prefix":"output/<run id>/999999/"`, and the names of the other members. */
const FRAME_BYTES = 192;

/**
 * Encoded bytes of the larger of a task's two messages, as `packTasks` asks for them: the done message repeats the task and
 * may report on every file.
 */
export function largestMessage(runId: string, job: JobHeader): (filesJsonBytes: number, files: number) => number {
  const taskBytes = taskMessageBytes(runId, job);
  return (filesJsonBytes, files) => taskBytes(filesJsonBytes) + reportBytes(files);
}

/** Encoded bytes that a done message may have more than the task message with that number of files. */
function reportBytes(files: number): number {
  return 4 * Math.ceil((FRAME_BYTES + COUNTS_BYTES + FILE_BYTES * files) / 3);
}

/**
 * Reads a message body; unknown fields are ignored, ours are optional.
 * @param prefixOf where the files of a task are in the analysis bucket; never taken from a message, only compared with it
 * @throws InvalidDataError `not_base64`, `bad_json`, `bad_message` or `bad_prefix`: the message goes to quarantine
 */
export function decodeDoneMessage(body: string, prefixOf: (taskId: string) => string): DoneMessage {
  const { fields, plain } = decodeBody(body);
  const id = fields['id'];
  const files = stringList(fields['files']);
  if (!isTaskId(id))
    throw new InvalidDataError('bad_message', `Done message: "id" must be <run id>/<number>, found ${short(id)}`);
  if (files === undefined)
    throw new InvalidDataError('bad_message', `Done message ${id}: "files" must be a list of texts`);
  return {
    id,
    files,
    targetPrefix: targetPrefix(id, fields['target-prefix'], prefixOf(id)),
    plain,
    ...report(fields, files),
  };
}

/** Only the prefix that the id itself gives is right; a message cannot point anywhere else. */
function targetPrefix(id: string, value: unknown, expected: string): string | null {
  if (value === null) return null;
  if (value === undefined) throw new InvalidDataError('bad_message', `Done message ${id}: "target-prefix" is absent`);
  if (value === expected || value === expected.slice(0, -1)) return expected;
  throw new InvalidDataError(
    'bad_prefix',
    `Done message ${id}: "target-prefix" must be ${expected}, found ${short(value)}`,
  );
}

/** Cut to what the task holds: each file once, in one of the lists. */
function report(fields: Record<string, unknown>, files: readonly string[]): TaskReport {
  const known = new Set(files);
  // By its key, or by its place in the list of files.
  const keyOf = (file: unknown): string | undefined => {
    if (typeof file === 'number') return files[file];
    return typeof file === 'string' && known.has(file) ? file : undefined;
  };
  const failed = new Map<string, string>();
  for (const item of listOf(fields['files-failed'])) {
    if (typeof item !== 'object' || item === null) continue;
    const { key: named, file, reason } = item as Record<string, unknown>;
    const key = keyOf(named ?? file);
    if (key !== undefined && typeof reason === 'string' && !failed.has(key)) failed.set(key, knownReason(reason));
  }
  const partial = new Set(listOf(fields['files-partial']).map(keyOf));
  const skipped = counts(fields['skipped']);
  const { badHistograms, refused } = badHistogramsOf(fields['bad-histograms'], skipped['bad_histogram'] ?? 0);
  if (refused > 0) addCounts(skipped, { bad_report: refused });
  return {
    filesFailed: [...failed].map(([key, reason]) => ({ key, reason })),
    filesPartial: [...partial].filter((key) => key !== undefined).filter((key) => !failed.has(key)),
    records: isCount(fields['records']) ? fields['records'] : 0,
    skipped,
    badHistograms,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function counts(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const total: Record<string, number> = {};
  for (const [reason, count] of Object.entries(value))
    if (isCount(count)) addCounts(total, { [knownReason(reason)]: count });
  return total;
}

/**
 * The worst measures of a worker's list, as far as they can be true: together no more than the message says were left
 * out. What else is in the list is only counted.
 */
function badHistogramsOf(value: unknown, leftOut: number): { badHistograms: BadHistograms; refused: number } {
  if (value === undefined) return { badHistograms: {}, refused: 0 };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { badHistograms: {}, refused: 1 };
  const entries = Object.entries(value);
  const counts = new BadHistogramCounts();
  for (const [measure, count] of entries) if (isMeasureName(measure) && isCount(count)) counts.note(measure, count);
  let left = leftOut;
  const taken: [string, number][] = [];
  for (const [measure, count] of Object.entries(counts.worst(MAX_NAMED))) {
    if (count > left) continue;
    left -= count;
    taken.push([measure, count]);
  }
  return { badHistograms: Object.fromEntries(taken), refused: entries.length - taken.length };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT;
}

function short(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

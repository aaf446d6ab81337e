/**
 * The messages of the done queue: the task's seven fields plus `target-prefix` (docs/formats/queues.md 2.3), in both
 * directions.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { decodeBody, encodeBody, isTaskId, stringList } from '../task-queue/message-body.ts';
import { taskFields, type TaskMessage } from '../task-queue/task-message.ts';

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

export const NO_REPORT: TaskReport = { filesFailed: [], filesPartial: [], records: 0, skipped: {} };

/** @param prefixOf where the files of a task are in the analysis bucket (`state/keys.ts`) */
export function encodeDoneMessage(
  task: TaskMessage,
  { aborted, report }: { readonly aborted: boolean; readonly report: TaskReport },
  prefixOf: (taskId: string) => string,
): string {
  return encodeBody({
    ...taskFields(task, task),
    'target-prefix': aborted ? null : prefixOf(task.id),
    ...(aborted
      ? {}
      : {
          'files-failed': report.filesFailed,
          'files-partial': report.filesPartial,
          records: report.records,
          skipped: report.skipped,
        }),
  });
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
    ...report(fields, new Set(files)),
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

const REASON = /^[a-z][a-z0-9_]{0,63}$/;
const MAX_REASONS = 64;

function report(fields: Record<string, unknown>, files: ReadonlySet<string>): TaskReport {
  const failed = Array.isArray(fields['files-failed']) ? (fields['files-failed'] as unknown[]) : [];
  const partial = stringList(fields['files-partial']) ?? [];
  return {
    filesFailed: failed.filter((item) => isFailedFile(item, files)),
    filesPartial: partial.filter((key) => files.has(key)),
    records: isCount(fields['records']) ? fields['records'] : 0,
    skipped: counts(fields['skipped']),
  };
}

function isFailedFile(item: unknown, files: ReadonlySet<string>): item is FailedFile {
  if (typeof item !== 'object' || item === null) return false;
  const { key, reason } = item as Record<string, unknown>;
  return typeof key === 'string' && files.has(key) && typeof reason === 'string' && REASON.test(reason);
}

function counts(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const good = Object.entries(value).filter(
    (entry): entry is [string, number] => REASON.test(entry[0]) && isCount(entry[1]),
  );
  return Object.fromEntries(good.slice(0, MAX_REASONS));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function short(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

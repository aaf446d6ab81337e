/**
 * Everything that can end a run or a command, in one table: whether trying again helps, what kind of failure it is, who can
 * fix it and how. The activity edge, mails, `status`, `check` and the commands' exit codes read it.
 *
 * The rule behind the first column: an error that the same input would cause again is final; only what may pass by itself
 * is tried again.
 */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { plainText } from './pipeline/plain-text.ts';

type FailureClass =
  'input' | 'configuration' | 'set-up' | 'permission' | 'stored data' | 'contention' | 'infrastructure' | 'program';

interface FailureRow {
  /** The same input would fail again, so Temporal must not retry it. */
  readonly final: boolean;
  readonly class: FailureClass;
  /** Who can fix it. */
  readonly owner: string;
  /** What they do, as an instruction; `{again}` becomes what starts the job again (`jobs.ts`). */
  readonly action: string;
  /** The same for the jobs where it is something else, by name of the job (`jobs.ts`). */
  readonly actionOf?: Readonly<Record<string, string>>;
  /** Of a command that ends with it: 1 failed; 2 input or configuration must be corrected, nothing was written. */
  readonly exitCode: 1 | 2;
}

const RESTORE =
  'Publish nothing until the object that the message names is restored: take its last good version from the bucket (docs/operating.md, "Restore"), then {again}.';
const RESTORE_POINTER =
  'Publish nothing until versions.json is restored: take its last good version from the bucket (docs/operating.md, "Restore"), then {again}.';

/**
 * The names are part of workflow histories and of what operators search for: add rows, never rename one.
 */
const TABLE = {
  /** Workflow input that a person must correct. */
  InvalidInput: {
    final: true,
    class: 'input',
    owner: 'whoever started the run',
    action: 'Correct the input as the message says and start it again; nothing was written.',
    exitCode: 2,
  },
  InvalidFilter: {
    final: true,
    class: 'configuration',
    owner: 'operator',
    action:
      'Correct the filter template (TELEMETRY_FILTER_TEMPLATE), or the filter that the run was given, and {again}.',
    actionOf: { investigation: 'Correct the filter that the investigation was given, then {again}. Nothing was sent.' },
    exitCode: 2,
  },
  /** One input key alone is larger than a message may be. */
  TaskTooLarge: {
    final: true,
    class: 'configuration',
    owner: 'operator',
    action: 'Raise the queue’s MaximumMessageSize, or remove the input object with the long key; {again}.',
    exitCode: 2,
  },
  /** The filter admits more than a run may analyse without being told to. Nothing was sent. */
  PlanTooLarge: {
    final: true,
    class: 'input',
    owner: 'whoever keeps the filter',
    action:
      'See whether the filter admits more than it should; if all of it is intended, start the run again with --allow-large-plan. Nothing was sent.',
    exitCode: 2,
  },
  /** A day of more channel/versions than can be published; most of them are invented. Nothing was published. */
  TooManyChannelVersions: {
    final: true,
    class: 'input',
    owner: 'whoever keeps the filter',
    action:
      'Say in the filter which channels and versions count (docs/formats/input-bucket.md, 1.3), then {again}. Nothing was published.',
    exitCode: 2,
  },
  /** Data from outside that no stage counts as bad, so that it ends the run. */
  InvalidData: {
    final: true,
    class: 'input',
    owner: 'developers',
    action: 'Report it with the message: such data should be counted and left out. Then {again} without that input.',
    exitCode: 1,
  },
  /** A configured queue or bucket does not exist. */
  QueueMissing: {
    final: true,
    class: 'set-up',
    owner: 'operator',
    action: 'Run "telemetry setup --fix", then {again}.',
    actionOf: {
      investigation:
        'Somebody removed its queues while it ran: {again}; it makes new ones ("telemetry setup --fix" does not).',
    },
    exitCode: 1,
  },
  BucketMissing: {
    final: true,
    class: 'set-up',
    owner: 'operator',
    action: 'Run "telemetry setup --fix", then {again}.',
    exitCode: 1,
  },
  AccessDenied: {
    final: true,
    class: 'permission',
    owner: 'whoever keeps the roles',
    action: 'Compare the worker’s role and credentials with deploy/iam, then {again}.',
    exitCode: 1,
  },
  /** The analysis bucket holds the state of another data set, or of two. */
  WrongDataSet: {
    final: true,
    class: 'configuration',
    owner: 'operator',
    action:
      'Give each data set an analysis bucket of its own (TELEMETRY_ANALYSIS_BUCKET), or correct TELEMETRY_PUBLISHED_BUCKET and TELEMETRY_PUBLISHED_PREFIX, then {again}; nothing was published or removed.',
    exitCode: 2,
  },
  /** Continuous aggregation was started where results of other launchers go to quarantine. */
  ForeignResultsRefused: {
    final: true,
    class: 'configuration',
    owner: 'operator',
    action: 'Set TELEMETRY_FOREIGN_RESULTS=adopt for all workers and {again}.',
    exitCode: 2,
  },
  /** SQS took only part of a batch. */
  SqsRefused: {
    final: false,
    class: 'infrastructure',
    owner: 'operator',
    action: 'Check the health of SQS and the queue’s limits, then {again}.',
    exitCode: 1,
  },
  /** versions.json is gone or unreadable; a run never creates or replaces it. */
  PointerMissing: { final: true, class: 'stored data', owner: 'operator, now', action: RESTORE_POINTER, exitCode: 1 },
  PointerDamaged: { final: true, class: 'stored data', owner: 'operator, now', action: RESTORE_POINTER, exitCode: 1 },
  /** A document, segment or other object of the state that should exist is gone or has the wrong content. */
  StateDamaged: { final: true, class: 'stored data', owner: 'operator, now', action: RESTORE, exitCode: 1 },
  /** A commit that would break an invariant of the data set (docs/protocol.md 3). Readers see what they saw before. */
  CommitRefused: {
    final: true,
    class: 'stored data',
    owner: 'operator, now',
    action:
      'Nothing was published. Run "telemetry verify", restore the document that the message names from the bucket’s versions, then {again}.',
    exitCode: 1,
  },
  /** No task of a run of a day gave a result: all failed, or none came back. */
  NothingAnalysed: {
    final: true,
    class: 'infrastructure',
    owner: 'operator',
    action:
      'If tasks failed, see why in the analysis workers’ log; if they are missing, see whether analysis workers run ("telemetry status"). Then {again}; the data set is as it was.',
    exitCode: 1,
  },
  /** An investigation that no input file is left of: its filter matches none, or none of its keys could be read. */
  NothingFound: {
    final: true,
    class: 'input',
    owner: 'whoever started the run',
    action: 'Correct the filter, the day or the keys as the message says, then {again}.',
    exitCode: 2,
  },
  /** A run of a day has less than the run that it would replace. */
  PoorerRun: {
    final: true,
    class: 'input',
    owner: 'operator',
    action:
      'See in the run’s report which tasks or files are missing, bring them back, then {again}; if the new run is right, add --replace-anyway. The data set keeps the day as it was.',
    exitCode: 1,
  },
  /** Other publishers committed first too many times in a row. */
  CommitContended: {
    final: true,
    class: 'contention',
    owner: 'operator',
    action: 'Find out which other publisher keeps committing ("telemetry status"), then {again}.',
    exitCode: 1,
  },
  /** The website's repository, branch or folder cannot be read as it is configured. */
  WebsiteSourceMissing: {
    final: true,
    class: 'configuration',
    owner: 'operator',
    action: 'Correct TELEMETRY_WEBSITE_REPOSITORY, …_BRANCH or …_FOLDER, then run "telemetry website publish".',
    exitCode: 2,
  },
  /** A guard of the website holds: no website, or too many deletions. Nothing was written. */
  WebsiteRefused: {
    final: true,
    class: 'input',
    owner: 'whoever keeps the website',
    action:
      'Look at the source as the message says; if the change is intended, run "telemetry website publish --force".',
    exitCode: 2,
  },
  /** The data set looks wrong rather than old: no garbage was removed. */
  GarbageRefused: {
    final: true,
    class: 'stored data',
    owner: 'operator',
    action:
      'Nothing was removed. Run "telemetry verify" and "telemetry collect-garbage" to see whether the data set is what it should be.',
    exitCode: 1,
  },
  /** A service that cannot be reached, or answers that it is busy. */
  ServiceUnavailable: {
    final: false,
    class: 'infrastructure',
    owner: 'operator',
    action: 'A service could not be reached by {step} for hours: fix that, then {again}.',
    exitCode: 1,
  },
  /** A Temporal time-out. */
  TimedOut: {
    final: false,
    class: 'infrastructure',
    owner: 'operator',
    action:
      'No worker finished {step} in time: see whether workers run and reach S3 and SQS ("telemetry status"), then {again}.',
    exitCode: 1,
  },
  DiskFull: {
    final: false,
    class: 'infrastructure',
    owner: 'operator',
    action: 'Free space on the worker’s disk (TELEMETRY_WORK_DIRECTORY), then {again}.',
    exitCode: 1,
  },
  /** A worker thread needed more memory than it may have; the same input would need it again. */
  OutOfMemory: {
    final: true,
    class: 'program',
    owner: 'developers',
    action:
      'The input that the message names needs more memory than a worker thread has: set it aside, {again}, and report it.',
    exitCode: 1,
  },
  /** The program is wrong: the same input would cause it again. */
  ProgramError: {
    final: true,
    class: 'program',
    owner: 'developers',
    action: 'Unexpected error of {step}: read its stack in the Web UI, fix the program, then {again}.',
    exitCode: 1,
  },
  /** An error without a row of its own. It is retried a few times, since it may pass by itself. */
  UnexpectedError: {
    final: false,
    class: 'program',
    owner: 'developers',
    action: 'Unexpected error of {step}: read its stack in the Web UI, fix the program, then {again}.',
    exitCode: 1,
  },
} as const satisfies Record<string, FailureRow>;

export type FailureType = keyof typeof TABLE;

/** Every type by its name. */
export const FailureType = Object.fromEntries(Object.keys(TABLE).map((type) => [type, type])) as {
  readonly [Type in FailureType]: Type;
};

/** What is known about the error that ended a run. */
export interface Failure {
  /** Failure type that crossed the activity boundary; null for an error without one. */
  readonly type: string | null;
  readonly message: string;
  /** Activity that failed for good; null when the workflow itself did. */
  readonly activity: string | null;
  /** Which of the activity's time limits ran out, as Temporal names it; null when none did. */
  readonly timeout: string | null;
}

export interface Verdict {
  readonly class: FailureClass;
  /** Who can fix it. */
  readonly owner: string;
  /** What they do, as an instruction. */
  readonly action: string;
}

/** A failure of ours, final or not as its row says. Thrown by activities, stores and workflows. */
export function failure(type: FailureType, message: string, cause?: Error): ApplicationFailure {
  const { final } = TABLE[type];
  return ApplicationFailure.create({ message, type, nonRetryable: final, ...(cause !== undefined && { cause }) });
}

export function isFailure(error: unknown, type: FailureType): error is ApplicationFailure {
  return error instanceof ApplicationFailure && error.type === type;
}

export function isFailureType(type: unknown): type is FailureType {
  return typeof type === 'string' && Object.hasOwn(TABLE, type);
}

/** Whether the same input would cause the error again. */
export function isFinal(type: FailureType): boolean {
  return TABLE[type].final;
}

/**
 * Whether only whoever started the run needs to know: the input was wrong, and no later run would be about the same.
 * @param type as stored, which may be of another release
 */
export function isOfStarterOnly(type: string | null | undefined): boolean {
  return type === 'InvalidInput' || type === 'NothingFound';
}

export function exitCodeOf(type: FailureType): 1 | 2 {
  return TABLE[type].exitCode;
}

/**
 * What kind of failure it is, who fixes it, and how.
 * @param job by its name (`jobs.ts`)
 * @param again what starts the job again, as an instruction in the middle of a sentence: `run the day again: "telemetry …"`
 */
export function verdictOf(given: Failure, job: string, again: string): Verdict {
  const row: FailureRow = TABLE[rowOf(given)];
  const { class: kind, owner } = row;
  const action = row.actionOf?.[job] ?? row.action;
  const step = given.activity ?? 'the workflow';
  return { class: kind, owner, action: capitalised(action.replace('{step}', step).replace('{again}', again)) };
}

function rowOf({ type, message, timeout }: Failure): FailureType {
  if (isFailureType(type) && type !== 'UnexpectedError') return type;
  if (DISK_FULL.test(message)) return 'DiskFull';
  if (timeout !== null) return 'TimedOut';
  return UNREACHABLE.test(message) ? 'ServiceUnavailable' : 'UnexpectedError';
}

/** Errors without a type are known by their text alone. */
const UNREACHABLE =
  /\b(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|EAI_AGAIN|ServiceUnavailable|SlowDown|InternalError|TimeoutError|RequestTimeout|socket hang up)\b/;
const DISK_FULL = /\bENOSPC\b/;

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Reads the error that ended a workflow or an activity, as the SDK reports it.
 * @param maxMessage characters of the message that are kept
 */
export function readFailure(error: unknown, maxMessage: number): Failure {
  const isActivity = error instanceof ActivityFailure;
  const cause = isActivity ? (error.cause ?? error) : error;
  return {
    type: cause instanceof ApplicationFailure ? namedType(cause) : null,
    message: plainText(cause instanceof Error ? cause.message : String(cause)).slice(0, maxMessage),
    activity: isActivity ? error.activityType : null,
    timeout: cause instanceof TimeoutFailure ? (cause.timeoutType ?? null) : null,
  };
}

/** Temporal gives every error without a type the type `Error`. */
function namedType({ type }: ApplicationFailure): string | null {
  return type === undefined || type === null || type === 'Error' || type === '' ? null : type;
}

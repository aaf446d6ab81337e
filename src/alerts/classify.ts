/** One table for everything that can end a run: what kind of failure it is, who mends it, and how. Mails, `status` and `check` read it. */

export type FailureClass =
  'input' | 'configuration' | 'set-up' | 'permission' | 'stored data' | 'contention' | 'infrastructure' | 'program';

/** What is known of the error that ended a run. */
export interface Failure {
  /** Failure type that crossed the activity boundary (`errors.ts`); null for an error without one. */
  readonly type: string | null;
  readonly message: string;
  /** Activity that failed for good; null when the workflow itself did. */
  readonly activity: string | null;
  /** Which of the activity's time limits ran out, as Temporal names it; null when none did. */
  readonly timeout: string | null;
}

export interface Verdict {
  readonly class: FailureClass;
  /** Who can mend it. */
  readonly owner: string;
  /** What they do, as an instruction. */
  readonly action: string;
}

const RESTORE =
  'Publish nothing until it is restored: take the object’s last good version from the bucket (docs/operating.md, "Restore"), then run the day again.';

const BY_TYPE: Readonly<Record<string, Verdict>> = {
  InvalidInput: {
    class: 'input',
    owner: 'whoever started the run',
    action: 'Correct the input as the message says and start it again; nothing was written.',
  },
  InvalidFilter: {
    class: 'configuration',
    owner: 'operator',
    action: 'Correct the filter template (TELEMETRY_FILTER_TEMPLATE) and run the day again.',
  },
  TaskTooLarge: {
    class: 'configuration',
    owner: 'operator',
    action: 'Raise the queue’s MaximumMessageSize, or remove the input object with the long key; run the day again.',
  },
  PlanTooLarge: {
    class: 'input',
    owner: 'whoever keeps the filter',
    action:
      'See whether the filter admits more than it should; if all of it is meant, start the run again with --allow-large-plan. Nothing was sent.',
  },
  ForeignResultsRefused: {
    class: 'configuration',
    owner: 'operator',
    action: 'Set TELEMETRY_FOREIGN_RESULTS=adopt for all workers and start continuous aggregation again.',
  },
  QueueMissing: { class: 'set-up', owner: 'operator', action: 'Run "telemetry setup --fix", then run the day again.' },
  BucketMissing: { class: 'set-up', owner: 'operator', action: 'Run "telemetry setup --fix", then run the day again.' },
  AccessDenied: {
    class: 'permission',
    owner: 'whoever keeps the roles',
    action: 'Compare the worker’s role and credentials with deploy/iam, then run the day again.',
  },
  SqsRefused: {
    class: 'infrastructure',
    owner: 'operator',
    action: 'Look at the health of SQS and at the queue’s limits, then run the day again.',
  },
  WebsiteSourceMissing: {
    class: 'configuration',
    owner: 'operator',
    action: 'Correct TELEMETRY_WEBSITE_REPOSITORY, …_BRANCH or …_FOLDER, then run "telemetry website publish".',
  },
  WebsiteRefused: {
    class: 'input',
    owner: 'whoever keeps the website',
    action: 'Look at the source as the message says; if the change is meant, run "telemetry website publish --force".',
  },
  GarbageRefused: {
    class: 'stored data',
    owner: 'operator',
    action:
      'Nothing was removed. Look with "telemetry verify" and "telemetry collect-garbage" whether the data set is what it should be.',
  },
  PointerMissing: { class: 'stored data', owner: 'operator, now', action: RESTORE },
  PointerDamaged: { class: 'stored data', owner: 'operator, now', action: RESTORE },
  StateDamaged: { class: 'stored data', owner: 'operator, now', action: RESTORE },
  NothingAnalysed: {
    class: 'infrastructure',
    owner: 'operator',
    action:
      'See in the analysis workers’ log why every task failed, mend that, then run the day again; the data set keeps the day as it was.',
  },
  CommitContended: {
    class: 'contention',
    owner: 'operator',
    action: 'See which other publisher commits all the time ("telemetry status"), then run the day again.',
  },
};

const UNREACHABLE =
  /\b(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|EAI_AGAIN|ServiceUnavailable|SlowDown|InternalError|TimeoutError|RequestTimeout|socket hang up)\b/;
const DISK_FULL = /\bENOSPC\b/;

export function classify({ type, message, activity, timeout }: Failure): Verdict {
  const known = type === null ? undefined : BY_TYPE[type];
  if (known !== undefined) return known;
  const step = activity ?? 'the workflow';
  if (DISK_FULL.test(message)) {
    return {
      class: 'infrastructure',
      owner: 'operator',
      action: 'Make room on the worker’s disk (TELEMETRY_WORK_DIRECTORY), then run the day again.',
    };
  }
  if (timeout !== null) {
    return {
      class: 'infrastructure',
      owner: 'operator',
      action: `No worker ended ${step} within its time: see whether workers run and reach S3 and SQS ("telemetry status"), then run the day again.`,
    };
  }
  if (UNREACHABLE.test(message)) {
    return {
      class: 'infrastructure',
      owner: 'operator',
      action: `${step} could not reach a service for hours: mend that, then run the day again.`,
    };
  }
  return {
    class: 'program',
    owner: 'developers',
    action: `Nobody foresaw this error of ${step}: read its stack in the Web UI, mend the program, then run the day again.`,
  };
}

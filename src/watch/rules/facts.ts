/**
 * The result of a look at the whole deployment: plain data, the JSON of `telemetry status --json`. All instants are
 * ISO, UTC.
 */
import type { Failure } from '../../failures.ts';
import type { Acknowledgement } from '../../state/acknowledgements.ts';
import type { SeenWorker } from '../../state/analysis-workers.ts';
import type { Counted } from '../../state/listing.ts';

/** A part that may be out of reach; the rest is shown anyway. */
export type Part<T> =
  | { readonly known: T }
  /** Why nothing is known; `type` is the failure type of `failures.ts`, null for a service that gave no answer. */
  | { readonly unknown: string; readonly type: string | null };

export interface Facts {
  /** When the look began. */
  readonly at: string;
  readonly dataSet: Part<DataSetFacts>;
  readonly projections: Part<ProjectionFacts>;
  readonly changes: Part<ChangesFacts>;
  readonly runs: Part<RunFacts>;
  readonly schedules: Part<readonly ScheduleFacts[]>;
  readonly workers: Part<readonly WorkerFacts[]>;
  /** Those seen in the last day, last seen first. */
  readonly analysisWorkers: Part<readonly SeenWorker[]>;
  readonly queues: readonly QueueFacts[];
  readonly leftovers: Part<LeftoverFacts>;
  /** Whether results of other launchers are taken in. */
  readonly adoptsForeignResults: boolean;
}

export interface DataSetFacts {
  /** Address of versions.json. */
  readonly versions: string;
  /** 0: set up, nothing published yet. */
  readonly seq: number;
  readonly commit: string;
  readonly at: string;
  readonly channelVersions: readonly ChannelVersionFacts[];
  /** Of the last 35 days before the look, those that the data set has; ascending. */
  readonly recentDays: readonly DayFacts[];
  /** All days and rounds. */
  readonly days: number;
  readonly rounds: number;
  /** First calendar day of the data set; null for none. */
  readonly firstDay: string | null;
  /** Published folders of channel/versions that versions.json does not name. */
  readonly unreferencedFolders: Counted & { readonly names: readonly string[] };
  /** Rounds of continuous aggregation in the state that the data set does not hold. */
  readonly unreferencedRounds: Counted;
}

export interface ChannelVersionFacts {
  readonly channelVersion: string;
  readonly folder: string;
  /** When the folder was rendered, from its name. */
  readonly renderedAt: string;
  /** Newest analysed day that brought data of this channel/version; null when all came in rounds. */
  readonly newestDay: string | null;
  readonly days: number;
  readonly definitionsPending: number;
  /** Whether the folder is complete: its `_manifest.json` is there. */
  readonly hasManifest: boolean;
}

export interface DayFacts {
  readonly day: string;
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  readonly filesMissing: number;
  /** When the plan of its run was written; null when the ledger does not say. */
  readonly planAt: string | null;
}

export interface ProjectionFacts {
  readonly differing: readonly string[];
  readonly behind: boolean;
}

/** What `changes.json` says. */
export interface ChangesFacts {
  /** Commit that it is of; null when there is no such file that can be read. */
  readonly seq: number | null;
  readonly changes: number;
  /** Sentences about the newest ones that are no silences. */
  readonly newest: readonly string[];
  /** With the day on which each began, YYYYMMDD. */
  readonly silences: readonly { readonly channelVersion: string; readonly date: string; readonly text: string }[];
  /** Channel/versions whose folders could not be compared. */
  readonly skipped: number;
}

export interface RunFacts {
  /** Newest first; of every job the last 14 days, at most 100, and all that run. */
  readonly runs: readonly WatchedRun[];
  /** Running workflows that nobody works on. */
  readonly stranded: readonly StrandedRun[];
}

/** A running workflow of a type that no worker has, or on a worker task queue that this deployment does not poll. */
export interface StrandedRun {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly workerTaskQueue: string;
  readonly startedAt: string;
  readonly why: 'unknown type' | 'other task queue';
}

export interface WatchedRun {
  /** `daily-analysis`, `website-update`, `continuous-aggregation`, `investigation`. */
  readonly job: string;
  /** The day, or whatever else a later run must be about to settle a failure. */
  readonly about: string;
  readonly workflowId: string;
  readonly runId: string;
  /** The run id of its analysis tasks, `<run>/<n>`; null before it has one, and for jobs without tasks. */
  readonly analysisRun: string | null;
  /** As Temporal names it: RUNNING, COMPLETED, FAILED, TERMINATED, TIMED_OUT, CANCELED, CONTINUED_AS_NEW. */
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Why it ended; null for runs that ended well, and where it was not looked up. */
  readonly failure: Failure | null;
  /** What a running one is doing; null for others. */
  readonly running: RunningFacts | null;
}

export interface RunningFacts {
  /** From the `progress` query; null when no worker answered it. */
  readonly phase: string | null;
  readonly facts: Readonly<Record<string, string>>;
  /** By receipts; null for runs without plan. */
  readonly tasks: {
    readonly planned: number;
    readonly done: number;
    readonly failed: number;
    readonly open: number;
    /** When the newest receipt was stored; null for none. */
    readonly lastResultAt: string | null;
  } | null;
  readonly activities: readonly PendingActivity[];
  /** Attempts of the pending workflow task; 0: none is pending. */
  readonly workflowTaskAttempt: number;
  /** Latest sign of a worker: heartbeat or start of an activity; null: none is pending. */
  readonly heardAt: string | null;
}

export interface PendingActivity {
  readonly name: string;
  readonly attempt: number;
  readonly lastFailure: Failure | null;
}

export interface ScheduleFacts {
  readonly id: string;
  readonly exists: boolean;
  /** Daily cron expression of the code. */
  readonly cron: string;
  readonly catchupSeconds: number;
  readonly createdAt: string | null;
  readonly nextAt: string | null;
  readonly paused: boolean;
  readonly note: string | null;
  /** For which instant it last started a run; null: never. */
  readonly lastScheduledAt: string | null;
  /** Its runs that have not ended. */
  readonly running: number;
  /** How it differs from the code, one sentence each. */
  readonly differences: readonly string[];
}

export interface WorkerFacts {
  readonly workerTaskQueue: string;
  /** Identities that ask it for work. */
  readonly pollers: readonly string[];
}

export interface QueueFacts {
  readonly queue: string;
  readonly role: 'tasks' | 'done' | 'dead letters';
  readonly depth: Part<{ readonly visible: number; readonly inFlight: number; readonly delayed: number }>;
  /** When the oldest message was sent; null where SQS does not say without handing messages out. */
  readonly oldestAt: string | null;
}

export interface LeftoverFacts {
  readonly quarantine: {
    readonly total: Counted;
    /** Stored in the last 24 h, and not acknowledged. */
    readonly recent: number;
    readonly acknowledged: number;
    /** By reason; of those not acknowledged, the newest first, at most 200 are read. */
    readonly reasons: Readonly<Record<string, number>>;
    readonly read: number;
  };
  /** Results of other launchers that no round has taken yet. */
  readonly waiting: Counted;
  readonly openFailures: readonly OpenFailureFacts[];
  readonly acknowledged: readonly Acknowledgement[];
  readonly undelivered: Counted & { readonly subjects: readonly string[] };
}

export interface OpenFailureFacts {
  readonly job: string;
  readonly about: string;
  readonly failedAt: string;
  readonly type: string | null;
  readonly message: string;
}

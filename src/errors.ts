/**
 * Failure types that cross the activity boundary. The strings are part of workflow histories and of what operators
 * search for: never rename one, only add.
 */
export const FailureType = {
  /** Workflow input that a person must correct. */
  InvalidInput: 'InvalidInput',
  InvalidFilter: 'InvalidFilter',
  /** One input key alone is larger than a message may be. */
  TaskTooLarge: 'TaskTooLarge',
  /** The filter admits more than a run may analyse unless that is meant. Nothing was sent. */
  PlanTooLarge: 'PlanTooLarge',
  /** A configured queue or bucket does not exist. */
  QueueMissing: 'QueueMissing',
  BucketMissing: 'BucketMissing',
  AccessDenied: 'AccessDenied',
  /** Continuous aggregation was started where results of other launchers go to quarantine. */
  ForeignResultsRefused: 'ForeignResultsRefused',
  /** SQS took only part of a batch; retried. */
  SqsRefused: 'SqsRefused',
  /** versions.json is gone or unreadable; it is never created or replaced by a run. */
  PointerMissing: 'PointerMissing',
  PointerDamaged: 'PointerDamaged',
  /** A ledger, segment or other state object that should exist is gone or has the wrong content. */
  StateDamaged: 'StateDamaged',
  /** Every task of a run failed, and the data set has the day from a run that brought something. */
  NothingAnalysed: 'NothingAnalysed',
  /** Other publishers committed first too many times in a row; retried by Temporal. */
  CommitContended: 'CommitContended',
  /** The website's repository, branch or folder cannot be read as it is configured. */
  WebsiteSourceMissing: 'WebsiteSourceMissing',
  /** A guard of the website holds: no website, or too many deletions. Nothing was written. */
  WebsiteRefused: 'WebsiteRefused',
  /** The data set looks wrong rather than old: no garbage was removed. */
  GarbageRefused: 'GarbageRefused',
} as const;
export type FailureType = (typeof FailureType)[keyof typeof FailureType];

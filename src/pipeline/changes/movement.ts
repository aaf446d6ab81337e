/** A change of one series of scores. */
export interface Movement {
  readonly kind: 'step' | 'drift' | 'spike';
  /** First date of the change. */
  readonly at: number;
  /** The date that made it certain. */
  readonly seenAt: number;
  /** Dates that are compared. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** In standard deviations of a hit's score. */
  readonly size: number;
  /** Two-sided, corrected for the tests of one date and aspect. */
  readonly pValue: number;
}

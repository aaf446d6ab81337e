/** What `changes.json` says (docs/formats/published.md 5.12). */

type ChangeKind = 'step' | 'drift' | 'spike' | 'appeared' | 'vanished' | 'silence' | 'buckets';

/** The dates of one side of a comparison, all together. */
export interface Side {
  readonly dates: readonly string[];
  readonly submissions: number;
  /** Hits. */
  readonly count: number;
  /** Null where the measure does not say, here and below. */
  readonly mean: number | null;
  readonly median: number | null;
  readonly p95: number | null;
  /** Of the hits: of ones in a boolean measure or a flag, of `value` in an enumerated one. */
  readonly share: number | null;
}

export interface Change {
  /** `<channel>/<version>/<measure>/by-build-date/<date>`, with `/in/<part>/<part>/<part>` of a part; it stays with the change while more dates come in. */
  readonly id: string;
  readonly channelVersion: string;
  /** Null for a silence, which is of the channel/version. */
  readonly measure: string | null;
  readonly by: 'build' | 'submission';
  /** First date of the change, `YYYYMMDD`. */
  readonly date: string;
  /** Parts of the filter path; empty: all submissions. */
  readonly filter: readonly string[];
  readonly kind: ChangeKind;
  readonly direction: 'up' | 'down' | 'shape' | null;
  readonly before: Side;
  readonly after: Side;
  /** Of the median, of the share where there is none, of the 95th percentile for a change of the spread: 0.12 is 12 % more. */
  readonly relative: number | null;
  /** Two-sided, of this measure alone, and corrected for all measures that were looked at. */
  readonly pValue: number | null;
  readonly qValue: number | null;
  /** The value of an enumerated measure whose share changed. */
  readonly value?: number;
  /** Dates of the series with too few submissions to be compared; the newest ten. */
  readonly leftOut?: readonly string[];
  /** Of a change of all submissions: the part where most of it is. */
  readonly mostIn?: readonly string[];
  /** One sentence. */
  readonly text: string;
}

export type By = Change['by'];

export function changeId({
  channelVersion,
  measure,
  by,
  date,
  filter = [],
}: Pick<Change, 'channelVersion' | 'measure' | 'by' | 'date'> & Partial<Pick<Change, 'filter'>>): string {
  if (measure === null) return `${channelVersion}/silence/${date}`;
  return [channelVersion, measure, `by-${by}-date`, date, ...(filter.length > 0 ? ['in', ...filter] : [])].join('/');
}

export const EMPTY_SIDE: Side = {
  dates: [],
  submissions: 0,
  count: 0,
  mean: null,
  median: null,
  p95: null,
  share: null,
};

/**
 * What submissions are added to. Reading them belongs to it, since most of a submission is numbers that are noted as they are
 * read; each of its ways to read may leave that to the caller, who reads any JSON.
 */

/** What all submissions of a file have in common. */
export interface SubmissionSource {
  readonly channelVersion: string;
  readonly buildDate: string;
  /** Undefined when they do not count by submission date. */
  readonly submissionDate: string | undefined;
}

export interface BadHistograms {
  /** Histograms whose name is no measure's. */
  readonly names: number;
  /** Measures of histograms that break a rule; each once. */
  readonly measures: readonly string[];
}

/** What was found of simple measurements. */
export interface BadSimple {
  /** Names that are no measure's. */
  readonly names: number;
  /** Values that no row holds. */
  readonly values: number;
  /** Values that were added without a bucket. */
  readonly negative: number;
  /** Values that were added to a measure to which another name's was. */
  readonly collisions: number;
}

/** The members of `info` that count. */
export const INFO_NAMES = ['OS', 'version', 'arch', 'revision'] as const;
export type InfoName = (typeof INFO_NAMES)[number];
/** Members of a submission and of its `info` whose values are read by whoever counts it. */
export const READ_NAMES = ['ver', 'info', ...INFO_NAMES] as const;
export type ReadName = (typeof READ_NAMES)[number];

/** Paths are filter paths, without dates. */
export interface SubmissionSums {
  openSource(source: SubmissionSource): void;
  /**
   * Reads a submission, an object that begins at `at`, with its histograms and simple measurements, and forgets what was read
   * before and not added.
   * @returns the place behind it; 0 when the caller must read it, member by member
   */
  readSubmission(bytes: Uint8Array, at: number): number;
  /** The same for its `info` alone. */
  readInfo(bytes: Uint8Array, at: number): number;
  /** Where the value of a member begins in what was read; undefined when it is missing. */
  valueAt(name: ReadName): number | undefined;
  /** Forgets the histograms that were read and not added. */
  beginHistograms(): void;
  /**
   * Reads the histograms of a submission, an object that begins at `at`.
   * @returns the place behind it; 0 when the caller must read it, and note each histogram
   */
  readHistograms(bytes: Uint8Array, at: number): number;
  /** @param length of the numbers; 0 for what is no list of finite numbers */
  noteHistogram(name: string, numbers: Float64Array, length: number): void;
  /**
   * Adds the histograms that were read, each with a count of 1 behind it. Of one that comes twice the last counts; when that
   * is bad, neither does.
   */
  addHistograms(path: string, buildId: string, revision: string): BadHistograms;
  /** Forgets the simple measurements that were read and not added. */
  beginSimple(): void;
  /**
   * Reads the simple measurements of a submission, an object that begins at `at`.
   * @returns the place behind it; 0 when the caller must read it, and note each number
   */
  readSimple(bytes: Uint8Array, at: number): number;
  /** @param sub name of the member of an object that is called `name` */
  noteSimple(name: string, sub: string | undefined, value: number): void;
  /**
   * Adds the simple measurements that were read (docs/formats/submissions.md 3.6). Of members that come twice the last one
   * counts; of different ones that are one measure, each.
   */
  addSimple(path: string): BadSimple;
}

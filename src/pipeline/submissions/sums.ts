/**
 * What submissions are added to. Reading histograms belongs to it, since most of a submission is numbers that are added as
 * they are read; `read` may leave them to the caller, who reads any JSON.
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

/** The name of a member, or of one of an object in the object. */
export interface MemberName {
  readonly name: string;
  readonly sub: string | undefined;
}

/** Members that were read: of each its name, and its value. */
export interface Members {
  readonly count: number;
  /** The same one for the same name, until `beginSubmission`. */
  name(index: number): MemberName;
  /** Of a text, where it begins with its quote; undefined for anything else. */
  text(index: number): number | undefined;
  /** Undefined for what is no number. */
  number(index: number): number | undefined;
}

/** Paths are filter paths, without dates. */
export interface SubmissionSums {
  openSource(source: SubmissionSource): void;
  /** Before anything of a submission is read. */
  beginSubmission(): void;
  /**
   * Reads an object that begins at `at`, in which there are texts and numbers, and objects of these.
   * @returns the place behind it; 0 when the caller must read it
   */
  readMembers(bytes: Uint8Array, at: number): number;
  /** Of the object that was read last. */
  readonly members: Members;
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
  /**
   * Adds one submission's simple measurement.
   * @param bucket −1 for none
   * @param log ln(|value| + 1)
   */
  addSimple(measure: string, path: string, value: number, bucket: number, log: number): void;
}

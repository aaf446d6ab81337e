/** How a run, and a merged chunk of it, are named: plain JSON, passed to every activity of the run. */

/** A run and the prefix of its state. */
export interface RunRef {
  readonly runId: string;
  /** Ends in a slash. */
  readonly prefix: string;
}

/** A merged chunk: its number, and how many of its tasks had which receipt when it was merged. */
export interface ChunkRef {
  readonly chunk: number;
  readonly done: number;
  readonly failed: number;
}

/** The head of a merged chunk: what went in, what was left out and why, and where its parts lie. */
import type { FailedFile } from '../done-queue/done-message.ts';

export interface ChunkPart {
  readonly channelVersion: string;
  readonly key: string;
  readonly sha256: string;
  readonly slots: number;
  readonly bytes: number;
}

export interface ChunkHead {
  readonly chunk: number;
  /** Tasks whose results are in, with the ETag that was read. */
  readonly done: readonly { readonly number: number; readonly etag: string }[];
  /** Tasks that were given up, or whose result was refused as a whole. */
  readonly failed: readonly { readonly number: number; readonly reason: string }[];
  readonly missing: readonly number[];
  readonly parts: readonly ChunkPart[];
  readonly filesFailed: readonly FailedFile[];
  readonly filesPartial: readonly string[];
  /** Submissions counted by the workers. */
  readonly records: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Aggregates dropped while merging, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Adds counts by reason into `total`. */
export function addCounts(total: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(more)) {
    // Workers choose the reasons; `constructor` is a member of every object, and no count.
    total[reason] = (Object.hasOwn(total, reason) ? (total[reason] ?? 0) : 0) + count;
  }
}

/** What the publishing activities of a run hand to each other, through the state: plans of snapshots, and staged ones. */
import type { Decision } from '../pipeline/dataset/day-replacement.ts';
import type { Compaction } from '../pipeline/dataset/compaction.ts';
import type { ChannelVersionEntry } from '../pipeline/dataset/ledger.ts';
import type { RunRef } from './keys.ts';

export const FOLDER_FILE_HEADERS = {
  contentType: 'application/json',
  contentEncoding: 'gzip',
  cacheControl: 'public, max-age=31536000, immutable',
} as const;

export interface PublicationInput {
  readonly run: RunRef;
  /** From 1; every rebase onto another commit is a new attempt. */
  readonly attempt: number;
  /** Id of the commit to be. */
  readonly commit: string;
}

/** `overlapping`: a round has an input file that the data set counts already, so it must be planned anew. */
export type PublicationDecision = Decision | 'overlapping';

/** What an attempt to publish starts from; stored once, so that all its activities agree. */
export interface Publication {
  readonly commit: string;
  readonly decision: PublicationDecision;
  readonly pointerEtag: string;
  readonly baseLedger: string;
  readonly seq: number;
  readonly snapshots: readonly SnapshotPlan[];
  /** Rounds of continuous aggregation that the day takes the place of; absent in plans of earlier releases. */
  readonly displaced?: readonly string[];
}

export interface SnapshotPlan {
  readonly channelVersion: string;
  readonly previousFolder: string | null;
  /** Keys of base and segments, in the order in which they are added. */
  readonly parts: readonly string[];
  /** Old days that are folded on the way; absent when there are none. */
  readonly sealing?: Compaction;
}

/** One staged folder; the first attempt that ends it wins. */
export interface StagedSnapshot extends SnapshotPlan {
  /** Null when the stored data of the channel/version is gone or damaged: it stays as it is, the others are published. */
  readonly folder: string | null;
  readonly damage: string | null;
  readonly measures: number;
  readonly rows: number;
  readonly files: number;
  readonly definitionsPending: readonly string[];
  readonly definitionsDerived: number;
  readonly lengthMismatch: number;
  /** What the folder was rendered from, when that was sealed on the way. */
  readonly stored?: Pick<ChannelVersionEntry, 'base' | 'segments'>;
}

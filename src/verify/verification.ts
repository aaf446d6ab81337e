/** Input, progress and report of a verification. */
import type { ActivityPorts, ActivitySettings } from '../activities/ports.ts';
import type { VerifyFinding } from './rules/finding.ts';

/** A subset of the activities' ports; nothing is written. */
export interface VerifyPorts extends Pick<ActivityPorts, 'analysis' | 'published' | 'threads'> {
  readonly settings: Pick<ActivitySettings, 'publishedPrefix' | 'workDirectory' | 'threads'>;
}

export interface VerifyOptions {
  /** Names, sizes and documents only: no content of folders, segments and lists is read, nothing is rendered. */
  readonly quick?: boolean;
  /** The time by which ages are judged; default: the clock. */
  readonly now?: Date;
  /** Updated while the verification runs. */
  readonly progress?: VerifyProgress;
}

/** Starts with zeros. */
export interface VerifyProgress {
  step: string;
  objects: number;
  bytes: number;
}

export interface VerifyReport {
  /** ISO. */
  readonly at: string;
  readonly quick: boolean;
  /** The commit that was looked at; null when versions.json cannot be read. */
  readonly commit: { readonly seq: number; readonly id: string; readonly at: string } | null;
  /** Address of versions.json. */
  readonly versions: string;
  readonly counts: VerifyCounts;
  readonly errors: number;
  readonly notes: number;
  /** Errors first. At most some hundreds of a kind; `errors` and `notes` count all. */
  readonly findings: readonly VerifyFinding[];
}

export interface VerifyCounts {
  /** Days that were analysed here, and rounds of continuous aggregation. */
  days: number;
  rounds: number;
  /** Folders that versions.json shows. */
  folders: number;
  /** Of these, folders of the original, and folders that were rendered again for comparison. */
  adopted: number;
  rendered: number;
  /** Folders of earlier commits that are still there, and wait for garbage collection. */
  superseded: number;
  /** Earlier commits whose ledgers are stored. */
  earlierCommits: number;
  /** Runs of the ledger whose chunks and receipts are gone, as after garbage collection: only their counts were checked. */
  collectedRuns: number;
  /** Objects that were read, and their bytes. */
  objects: number;
  bytes: number;
}

/** Input, progress and result of an adoption. */
import type { ActivityPorts } from '../activities/ports.ts';
import type { AdoptionFault } from '../pipeline/dataset/adoption/faults.ts';
import type { OriginalSpace } from './original-space.ts';

export type AdoptionPorts = Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'settings'>;

export interface AdoptionInput {
  readonly original: OriginalSpace;
  /** True: the original is elsewhere, and its folders are copied into the published space. False: they are there. */
  readonly copy: boolean;
  /** Read everything, write nothing. */
  readonly dryRun: boolean;
  /** Entries of the original's versions.json to go without. */
  readonly leaveOut: readonly string[];
}

/** Updated while the adoption runs. */
export interface AdoptionProgress {
  step: string;
  channelVersions: number;
  ready: number;
  files: number;
}

interface AdoptedChannelVersion {
  readonly channelVersion: string;
  readonly folder: string;
  /** Measures with rows, and rows. */
  readonly measures: number;
  readonly rows: number;
  readonly faults: readonly AdoptionFault[];
}

export interface AdoptionResult {
  readonly outcome: 'adopted' | 'already-adopted' | 'planned';
  /** Name of the ledger's entry. */
  readonly entry: string;
  /** Of the commit that has it; null when nothing was written. */
  readonly seq: number | null;
  readonly original: string;
  readonly versions: string;
  readonly channelVersions: readonly AdoptedChannelVersion[];
  readonly leftOut: readonly string[];
  readonly files: { readonly processed: number; readonly missing: number };
  /** Lines of the two lists that are no keys. */
  readonly badLines: number;
}

/** A person must do something before the adoption can go on; no reader has seen any of it. */
export class AdoptionRefused extends Error {
  override readonly name = 'AdoptionRefused';
}

/** What the composition root passes to the activities. */
import type { CompactionLimits } from '../pipeline/dataset/compaction.ts';
import type { PlanLimits } from '../pipeline/task-queue/plan-limits.ts';
import type { PackLimits } from '../pipeline/task-queue/pack.ts';
import type { WebsiteLimits } from '../website/rules/guards.ts';
import type { SiteFile } from '../website/rules/plan.ts';
import type { Skipped } from '../website/rules/site-path.ts';
import type { Metrics } from '../metrics.ts';
import type { MessageQueues, ObjectStore } from '../ports.ts';
import type { FindHistogramsFile } from '../threads/definition-port.ts';
import type { ThreadPool } from '../threads/pool.ts';

export interface ActivityPorts {
  readonly input: ObjectStore;
  /** Task output and state. */
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  readonly queues: MessageQueues;
  readonly threads: ThreadPool;
  readonly metrics: Metrics;
  /** The filter template's text, read again for every run. */
  readonly readTemplate: () => Promise<string>;
  /** Where histogram definitions come from; null makes all of them derived ones. */
  readonly findHistogramsFile: FindHistogramsFile | null;
  readonly website: WebsitePorts;
  readonly settings: ActivitySettings;
}

interface WebsitePorts {
  /** Null when none is configured. */
  readonly source: WebsiteSource | null;
  readonly site: ObjectStore;
  /** Of every key of the site; empty, or ends in a slash. */
  readonly prefix: string;
  readonly limits: WebsiteLimits;
}

/** Where the website's files come from. */
export interface WebsiteSource {
  /** For people: no credentials in it. */
  readonly name: string;
  /**
   * Brings the files of one revision into an empty folder.
   * @throws InvalidDataError `website_source` when a person must correct the setting, `website_refused` when it is too
   *   large; PassingError when it cannot be reached now
   */
  fetch(folder: string, signal: AbortSignal): Promise<FetchedWebsite>;
}

export interface FetchedWebsite {
  /** Commit of a repository, or `sha256:…` of a folder's content. */
  readonly revision: string;
  readonly files: readonly FetchedFile[];
  /** Entries left out, by reason; a folder left out counts once. */
  readonly skipped: Skipped;
}

export interface FetchedFile extends SiteFile {
  /** Of the fetched copy, on this machine. */
  readonly location: string;
}

export interface ActivitySettings {
  readonly taskQueue: string;
  readonly doneQueue: string;
  readonly publishedPrefix: string;
  readonly owner: string;
  /** Keep results of runs that other launchers planned, for continuous aggregation; otherwise they go to quarantine. */
  readonly adoptForeignResults: boolean;
  /** When a round of continuous aggregation is published: number of waiting results, or time since the last one. */
  readonly round: { readonly results: number; readonly seconds: number };
  readonly jobBundle: string;
  readonly pack: Omit<PackLimits, 'maxMessageBytes'>;
  /** A larger plan is refused, unless the run's input allows it. */
  readonly maxPlan: PlanLimits;
  readonly chunkTasks: number;
  readonly compaction: CompactionLimits;
  /**
   * Done messages that go to quarantine in an hour, for all drains together, and the wait of a drain that holds some
   * back.
   */
  readonly quarantine: { readonly perHour: number; readonly pauseSeconds: number };
  readonly maxResultBytes: number;
  readonly maxLineBytes: number;
  readonly maxTableBytes: number;
  readonly doneVisibilitySeconds: number;
  readonly taskVisibilitySeconds: number;
  readonly workDirectory: string;
  /** Publish the table for analysts in every folder. */
  readonly publishParquet: boolean;
  /** Tell people of new changes in the data, as warnings of the run. */
  readonly alertChanges: boolean;
  /** File jobs that one activity keeps going at a time. */
  readonly threads: number;
}

/** What the activities are given by the composition root. */
import type { PackLimits } from '../pipeline/task-queue/pack.ts';
import type { WebsiteLimits } from '../pipeline/website/guards.ts';
import type { SiteFile } from '../pipeline/website/plan.ts';
import type { Skipped } from '../pipeline/website/site-path.ts';
import type { MessageQueues, ObjectStore } from '../ports.ts';
import type { ThreadPool } from '../threads/pool.ts';

export interface ActivityPorts {
  readonly input: ObjectStore;
  /** Task output and state. */
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  readonly queues: MessageQueues;
  readonly threads: ThreadPool;
  /** The filter template's text, read anew for every run. */
  readonly readTemplate: () => Promise<string>;
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

/** A failure that may pass: a worker tries again by itself, a person at a terminal is told to. */
export class PassingError extends Error {
  override readonly name = 'PassingError';
}

/** Where the website's files come from. */
export interface WebsiteSource {
  /** For people: no credentials in it. */
  readonly name: string;
  /**
   * Brings the files of one revision into an empty folder.
   * @throws InvalidDataError `website_source` when a person must mend the setting, `website_refused` when it is too large;
   *   PassingError when it cannot be reached now
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
  readonly jobBundle: string;
  readonly pack: Omit<PackLimits, 'maxMessageBytes'>;
  readonly chunkTasks: number;
  readonly maxResultBytes: number;
  readonly maxLineBytes: number;
  readonly maxTableBytes: number;
  readonly doneVisibilitySeconds: number;
  readonly taskVisibilitySeconds: number;
  /** Where histogram definitions come from; a null folder makes all of them derived ones. */
  readonly definitions: { readonly folder: string | null; readonly hosts: readonly string[] };
  readonly workDirectory: string;
  /** File jobs that one activity keeps going at a time. */
  readonly threads: number;
}

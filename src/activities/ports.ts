/** What the activities are given by the composition root. */
import type { PackLimits } from '../pipeline/task-queue/pack.ts';
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
  /** The filter template's text, read anew for every run. */
  readonly readTemplate: () => Promise<string>;
  /** Where histogram definitions come from; null makes all of them derived ones. */
  readonly findHistogramsFile: FindHistogramsFile | null;
  readonly settings: ActivitySettings;
}

export interface ActivitySettings {
  readonly taskQueue: string;
  readonly doneQueue: string;
  readonly publishedPrefix: string;
  readonly owner: string;
  /** Keep results of runs that nobody here planned, for continuous aggregation; else they go to quarantine. */
  readonly adoptForeignResults: boolean;
  /** When a round of continuous aggregation is published: so many results wait, or the last one is so long ago. */
  readonly round: { readonly results: number; readonly seconds: number };
  readonly jobBundle: string;
  readonly pack: Omit<PackLimits, 'maxMessageBytes'>;
  readonly chunkTasks: number;
  readonly maxResultBytes: number;
  readonly maxLineBytes: number;
  readonly maxTableBytes: number;
  readonly doneVisibilitySeconds: number;
  readonly taskVisibilitySeconds: number;
  readonly workDirectory: string;
  /** File jobs that one activity keeps going at a time. */
  readonly threads: number;
}

/** One look at the whole deployment: all parts at once, each by itself, so that one out of reach hides no other. */
import type { Client } from '@temporalio/client';
import { lookAtProjections } from '../state/projections.ts';
import { readPointer } from '../state/pointer.ts';
import type { Facts } from './rules/facts.ts';
import { MS_PER_DAY } from '../pipeline/calendar-day.ts';
import { seenWorkers } from '../state/analysis-workers.ts';
import type { MessageQueues, ObjectStore } from '../ports.ts';
import { changesFacts } from './changes.ts';
import { dataSetFacts } from './data-set.ts';
import { leftoverFacts } from './leftovers.ts';
import { partOf } from './part.ts';
import { queueFacts } from './queues.ts';
import { runFacts } from './runs.ts';
import { scheduleFacts, workerFacts } from './schedules.ts';

export interface WatchPorts {
  readonly analysis: ObjectStore;
  readonly published: ObjectStore;
  readonly queues: MessageQueues;
  /** Connects on first use; rejects when there is no answer. */
  readonly temporal: () => Promise<Client>;
}

export interface WatchNames {
  readonly publishedPrefix: string;
  readonly taskQueue: string;
  readonly doneQueue: string;
  readonly workerTaskQueue: string;
  readonly adoptsForeignResults: boolean;
}

/** Never rejects. */
export async function collectFacts(
  { analysis, published, queues, temporal }: WatchPorts,
  names: WatchNames,
  now: Date,
): Promise<Facts> {
  const stores = { analysis, published, publishedPrefix: names.publishedPrefix };
  const { workerTaskQueue } = names;
  const [dataSet, projections, changes, runs, schedules, workers, analysisWorkers, queuesFound, leftovers] =
    await Promise.all([
      partOf(async (signal) => dataSetFacts(stores, await readPointer(stores, signal), now, signal)),
      partOf(async (signal) => lookAtProjections(stores, await readPointer(stores, signal), signal)),
      partOf((signal) => changesFacts(stores, signal)),
      partOf(async (signal) => runFacts(await temporal(), analysis, workerTaskQueue, now, signal)),
      partOf(async () => scheduleFacts(await temporal(), workerTaskQueue)),
      partOf(async () => workerFacts(await temporal(), workerTaskQueue)),
      partOf((signal) => seenWorkers(analysis, now, MS_PER_DAY, signal)),
      queueFacts(queues, names),
      partOf((signal) => leftoverFacts(analysis, now, signal)),
    ]);
  const { adoptsForeignResults } = names;
  const at = now.toISOString();
  const known = { dataSet, projections, changes, runs, schedules, workers, analysisWorkers, leftovers };
  return { at, ...known, queues: queuesFound, adoptsForeignResults };
}

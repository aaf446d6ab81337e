/** `collect-garbage`: lists what no commit references any more, and removes it with `--delete`. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { JOBS } from '../jobs.ts';
import type { GarbageCollectionResult } from '../workflows/garbage-collection.ts';
import { CommandError } from './command-error.ts';
import { followRun, startRun } from './follow-run.ts';
import { withTemporalClient } from './temporal-client.ts';
import { print, say, table } from './terminal.ts';

export interface CollectGarbageOptions {
  readonly delete?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly maxDeletions?: number | undefined;
  readonly json?: boolean | undefined;
}

/** A dry run by default; the daily schedule removes. */
export async function collectGarbage(config: Config, options: CollectGarbageOptions): Promise<void> {
  if (options.maxDeletions !== undefined && !(Number.isSafeInteger(options.maxDeletions) && options.maxDeletions > 0))
    throw new CommandError('--max-deletions must be a whole number above 0', { exitCode: 2 });
  const input = {
    dryRun: options.delete !== true,
    force: options.force === true,
    ...(options.maxDeletions !== undefined && { maxDeletions: options.maxDeletions }),
  };
  const result = await withTemporalClient(async (client) => {
    const handle = await startRun(client, {
      workflowType: 'garbageCollection',
      workflowId: JOBS.garbageCollection.workflowId(randomUUID().slice(0, 8)),
      workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      input,
      summary: 'Garbage collection, started by hand',
    });
    say(`started ${handle.workflowId}`);
    return followRun<GarbageCollectionResult>(handle, 'garbage');
  });
  print(options.json === true ? JSON.stringify(result) : describeGarbage(result));
}

function describeGarbage({
  dryRun,
  deleted,
  folders,
  objects,
  bytes,
  kept,
  left,
  first,
}: GarbageCollectionResult): string {
  const some = first.length === 0 ? '' : `: ${first.join(', ')}${folders + objects > first.length ? ', …' : ''}`;
  return table([
    ['outcome', dryRun ? 'dry run: nothing was removed (--delete removes)' : `${deleted} objects removed`],
    ['garbage', `${folders} folders, ${objects} objects, ${bytes} bytes${some}`],
    ['kept', `${kept} folders`],
    ['left', left === 0 ? 'nothing' : `${left} for the next run`],
  ]);
}

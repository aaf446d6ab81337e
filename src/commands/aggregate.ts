/** `aggregate`: starts and follows continuous aggregation, makes it publish or stop. */
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Config } from '../config.ts';
import { JOBS } from '../jobs.ts';
import type { AggregationResult, RoundOutcome } from '../workflows/continuous-aggregation.ts';
import { CommandError } from './command-error.ts';
import { followRun, isPastFirstStep, printStarted, startRun } from './follow-run.ts';
import { withTemporalClient } from './temporal-client.ts';
import { print, say } from './terminal.ts';

export interface AggregateOptions {
  readonly publishNow?: boolean | undefined;
  readonly stop?: boolean | undefined;
  readonly detach?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const LABEL = 'continuous aggregation';

export async function aggregate(config: Config, options: AggregateOptions): Promise<void> {
  await withTemporalClient(async (client) => {
    if (options.stop === true || options.publishNow === true) {
      const outcome = await tell(client, options.stop === true ? 'stop' : 'publishNow');
      print(options.json === true ? JSON.stringify(outcome) : describeRound(outcome));
      return;
    }
    const handle = await startRun(client, {
      workflowType: 'continuousAggregation',
      workflowId: JOBS.continuousAggregation.workflowId(),
      workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      input: {},
      summary: 'Results that other launchers asked for, published in rounds',
    });
    say(`started ${handle.workflowId}; "telemetry aggregate --stop" ends it`);
    if (options.detach === true) {
      // It ends at once where workers do not adopt results of other launchers, which only they know.
      if (!(await isPastFirstStep(handle, LABEL)))
        say(`no worker has taken it yet; "telemetry follow ${handle.workflowId}" shows what it does`);
      printStarted(handle, options.json);
      return;
    }
    const { rounds, results } = await followRun<AggregationResult>(handle, LABEL);
    print(
      options.json === true ? JSON.stringify({ rounds, results }) : `${rounds} rounds published, ${results} results`,
    );
  });
}

async function tell(client: Client, update: 'stop' | 'publishNow'): Promise<RoundOutcome> {
  const handle = client.workflow.getHandle(JOBS.continuousAggregation.workflowId());
  try {
    return await handle.executeUpdate<RoundOutcome, []>(update);
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw new CommandError(error.cause?.message ?? error.message);
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new CommandError('Continuous aggregation is not running; start it with "telemetry aggregate"', {
      cause: error,
    });
  }
}

function describeRound({ decision, results, seq }: RoundOutcome): string {
  if (decision === 'nothing') return 'no result was waiting, nothing published';
  return `${results} results ${decision}${seq === null ? '' : ` (commit ${seq})`}`;
}

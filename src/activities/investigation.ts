/** The queue pair of an investigation: made for it, gone after it. */
import { cancellationSignal, log } from '@temporalio/activity';
import { failure } from '../failures.ts';
import { investigationQueues } from '../names.ts';
import type { ActivityPorts } from './ports.ts';

export interface InvestigationQueues {
  readonly taskQueue: string;
  readonly doneQueue: string;
}

const FOUR_DAYS = 4 * 86_400;

export function createInvestigationQueueActivities({ queues, settings }: Pick<ActivityPorts, 'queues' | 'settings'>) {
  return {
    /** Idempotent: queues that exist are used. Their messages can never meet those of production. */
    async createInvestigationQueues({ name }: { readonly name: string }): Promise<InvestigationQueues> {
      const pair = investigationQueues(settings.taskQueue, name);
      if (
        [settings.taskQueue, settings.doneQueue].some((queue) => queue === pair.taskQueue || queue === pair.doneQueue)
      ) {
        throw failure('InvalidInput', `The investigation ${name} would use a production queue; choose another name`);
      }
      const attributes = {
        visibilitySeconds: settings.taskVisibilitySeconds,
        delaySeconds: 0,
        retentionSeconds: FOUR_DAYS,
      };
      await queues.create(pair.taskQueue, attributes, cancellationSignal());
      await queues.create(
        pair.doneQueue,
        { ...attributes, visibilitySeconds: settings.doneVisibilitySeconds },
        cancellationSignal(),
      );
      log.info('investigation queues created', { name, ...pair });
      return pair;
    },

    async removeInvestigationQueues({ taskQueue, doneQueue }: InvestigationQueues): Promise<void> {
      await queues.remove(taskQueue, cancellationSignal());
      await queues.remove(doneQueue, cancellationSignal());
      log.info('investigation queues removed', { taskQueue, doneQueue });
    },
  };
}

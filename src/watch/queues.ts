/** The SQS queues: how much is in them, and how old the dead letters are. */
import type { Part, QueueFacts } from './rules/facts.ts';
import type { MessageQueues } from '../ports.ts';
import { deadLetterQueue } from '../names.ts';
import { partOf } from './part.ts';

/** How long a dead letter stays hidden after a look at it. */
const PEEK_SECONDS = 1;

/** Never rejects: a queue that gives no answer is unknown, the others are reported. */
export async function queueFacts(
  queues: MessageQueues,
  { taskQueue, doneQueue }: { readonly taskQueue: string; readonly doneQueue: string },
): Promise<QueueFacts[]> {
  return Promise.all([
    factsOf(queues, taskQueue, 'tasks'),
    factsOf(queues, doneQueue, 'done'),
    factsOf(queues, deadLetterQueue(taskQueue), 'dead letters'),
    factsOf(queues, deadLetterQueue(doneQueue), 'dead letters'),
  ]);
}

async function factsOf(queues: MessageQueues, queue: string, role: QueueFacts['role']): Promise<QueueFacts> {
  const depth = await partOf((signal) => queues.depth(queue, signal));
  const hasDeadLetters = role === 'dead letters' && 'known' in depth && depth.known.visible > 0;
  return { queue, role, depth, oldestAt: hasDeadLetters ? await oldestDeadLetter(queues, queue) : null };
}

/**
 * Of the first ten that SQS shows, given back after a second. Only dead letters are looked at in this way: from the other queues
 * it would take a message away from workers, and count as one of its ten receives.
 */
async function oldestDeadLetter(queues: MessageQueues, queue: string): Promise<string | null> {
  const shown: Part<string | null> = await partOf(async (signal) => {
    const messages = await queues.receive(queue, { waitSeconds: 0, visibilitySeconds: PEEK_SECONDS, signal });
    const sent = messages.map(({ sentAt }) => sentAt.toISOString()).toSorted();
    return sent[0] ?? null;
  });
  return 'known' in shown ? shown.known : null;
}

/** SQS in memory: at-least-once, visibility by a manual clock, partial answers of the batch calls on demand. */
import {
  type MessageQueues,
  type QueueDepth,
  QueueMissingError,
  type QueueSettings,
  type ReceivedMessage,
  ReceiptExpiredError,
} from '../../src/ports.ts';
import type { CallTrace } from './call-trace.ts';
import type { ManualClock } from './manual-clock.ts';

interface MemoryMessage {
  readonly body: string;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
  handle: string;
}

interface MemoryQueue {
  readonly settings: QueueSettings;
  messages: MemoryMessage[];
}

const BATCH = 10;

export class MemoryMessageQueues implements MessageQueues {
  readonly queues = new Map<string, MemoryQueue>();
  maxBytes = 262_144;
  readonly #trace: CallTrace;
  readonly #clock: ManualClock;
  readonly #refusals: { readonly method: string; readonly positions: readonly number[] }[] = [];
  #handles = 0;

  constructor(trace: CallTrace, clock: ManualClock) {
    this.#trace = trace;
    this.#clock = clock;
  }

  async send(queue: string, bodies: readonly string[], signal?: AbortSignal): Promise<readonly number[]> {
    return this.#call('send', queue, signal, ({ messages, settings }) => {
      const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
      if (bodies.length > BATCH || bytes > this.maxBytes) throw new Error(`batch of ${bodies.length}, ${bytes} bytes`);
      const refused = this.#refused('send', bodies.length);
      const visibleAt = this.#clock.now + settings.delaySeconds * 1000;
      for (const [index, body] of bodies.entries()) {
        if (!refused.includes(index))
          messages.push({ body, sentAt: this.#clock.now, visibleAt, receives: 0, handle: '' });
      }
      return refused;
    });
  }

  /** An empty long poll moves the clock, to the next message that becomes visible or by the whole wait. */
  async receive(
    queue: string,
    options: { waitSeconds: number; visibilitySeconds: number; maxMessages?: number; signal?: AbortSignal },
  ): Promise<readonly ReceivedMessage[]> {
    return this.#call('receive', queue, options.signal, ({ messages }) => {
      const end = this.#clock.now + options.waitSeconds * 1000;
      const next = Math.min(end, ...messages.map(({ visibleAt }) => visibleAt));
      if (next > this.#clock.now) this.#clock.advance((next - this.#clock.now) / 1000);
      const visible = messages
        .filter(({ visibleAt }) => visibleAt <= this.#clock.now)
        .slice(0, options.maxMessages ?? BATCH);
      return visible.map((message) => {
        message.visibleAt = this.#clock.now + options.visibilitySeconds * 1000;
        message.receives += 1;
        message.handle = `handle-${(this.#handles += 1)}`;
        return {
          body: message.body,
          receiptHandle: message.handle,
          receiveCount: message.receives,
          sentAt: new Date(message.sentAt),
        };
      });
    });
  }

  async deleteMessages(queue: string, receiptHandles: readonly string[], signal?: AbortSignal): Promise<number> {
    return this.#call('deleteMessages', queue, signal, (memory) => {
      const refused = this.#refused('deleteMessages', receiptHandles.length);
      const gone = receiptHandles.filter((_, index) => !refused.includes(index));
      memory.messages = memory.messages.filter(({ handle }) => !gone.includes(handle));
      return refused.length;
    });
  }

  async changeVisibility(queue: string, receiptHandle: string, seconds: number, signal?: AbortSignal): Promise<void> {
    await this.#call('changeVisibility', queue, signal, ({ messages }) => {
      const held = messages.find(({ handle, visibleAt }) => handle === receiptHandle && visibleAt > this.#clock.now);
      if (held === undefined) throw new ReceiptExpiredError(`A message of ${queue} is no longer held`);
      held.visibleAt = this.#clock.now + seconds * 1000;
    });
  }

  async depth(queue: string, signal?: AbortSignal): Promise<QueueDepth> {
    return this.#call('depth', queue, signal, ({ messages }) => {
      const visible = messages.filter(({ visibleAt }) => visibleAt <= this.#clock.now).length;
      const inFlight = messages.filter(({ visibleAt, receives }) => visibleAt > this.#clock.now && receives > 0).length;
      return { visible, inFlight, delayed: messages.length - visible - inFlight };
    });
  }

  async maxMessageBytes(queue: string, signal?: AbortSignal): Promise<number> {
    return this.#call('maxMessageBytes', queue, signal, () => this.maxBytes);
  }

  async create(queue: string, settings: QueueSettings, signal?: AbortSignal): Promise<void> {
    await this.#trace.around({ service: 'sqs', method: 'create', key: queue }, signal, () => {
      if (!this.queues.has(queue)) this.queues.set(queue, { settings, messages: [] });
    });
  }

  async remove(queue: string, signal?: AbortSignal): Promise<void> {
    await this.#trace.around({ service: 'sqs', method: 'remove', key: queue }, signal, () => {
      this.queues.delete(queue);
    });
  }

  async names(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#trace.around({ service: 'sqs', method: 'names', key: prefix }, signal, () =>
      [...this.queues.keys()].filter((name) => name.startsWith(prefix)).sort(),
    );
  }

  async url(queue: string, signal?: AbortSignal): Promise<string> {
    return this.#call('url', queue, signal, () => `memory:${queue}`);
  }

  /** Puts a message there without a call, as a worker elsewhere would. */
  put(queue: string, body: string): void {
    this.#demand(queue).messages.push({
      body,
      sentAt: this.#clock.now,
      visibleAt: this.#clock.now,
      receives: 0,
      handle: '',
    });
  }

  /** Bodies that are there, visible or not. */
  bodies(queue: string): string[] {
    return this.#demand(queue).messages.map(({ body }) => body);
  }

  /** Takes everything out, as workers do. */
  drain(queue: string): string[] {
    return this.#demand(queue)
      .messages.splice(0)
      .map(({ body }) => body);
  }

  /** The next call of `send` or `deleteMessages` fails for these positions of its batch only. */
  refuseNext(method: 'send' | 'deleteMessages', positions: readonly number[]): void {
    this.#refusals.push({ method, positions });
  }

  #refused(method: string, length: number): number[] {
    const index = this.#refusals.findIndex((refusal) => refusal.method === method);
    const [refusal] = index < 0 ? [] : this.#refusals.splice(index, 1);
    return (refusal?.positions ?? []).filter((position) => position < length);
  }

  #demand(queue: string): MemoryQueue {
    const memory = this.queues.get(queue);
    if (memory === undefined) throw new QueueMissingError(`The SQS queue ${queue} does not exist`);
    return memory;
  }

  #call<T>(
    method: string,
    queue: string,
    signal: AbortSignal | undefined,
    effect: (memory: MemoryQueue) => T,
  ): Promise<T> {
    return this.#trace.around({ service: 'sqs', method, key: queue }, signal, () => effect(this.#demand(queue)));
  }
}

/** SQS may hand a message out more than once, in any order, also after it was deleted: this does so for the proxy. */
interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
}

interface Call {
  readonly method: string;
  readonly key: string;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

type Forward = (body: Buffer) => Promise<Answer | undefined>;

const COPY = 'copy-';
const MAX_RECEIVE = 10;

export class RedeliveredMessages {
  readonly deliveries = { all: 0, copies: 0, copiesDeleted: 0 };
  readonly #waiting = new Map<string, Message[]>();
  #handles = 0;

  /** @param copies how often a message of this receive comes again; undefined: none of them does */
  async answer(call: Call, copies: (() => number) | undefined, forward: Forward): Promise<Answer | undefined> {
    if (call.method === 'ReceiveMessage') return this.#receive(call, copies, forward);
    if (call.method === 'DeleteMessageBatch') return this.#delete(call, forward);
    return forward(call.body);
  }

  async #receive(call: Call, copies: (() => number) | undefined, forward: Forward): Promise<Answer | undefined> {
    const waiting = this.#waiting.get(call.key) ?? [];
    // Every second receive gets old messages as long as there are any, so that new ones come between them.
    if (waiting.length > 0 && this.#handles % 2 === 1) {
      this.#handles += 1;
      const copies = waiting.splice(0, MAX_RECEIVE).map((message) => this.#copy(message));
      this.deliveries.all += copies.length;
      this.deliveries.copies += copies.length;
      return json({ Messages: copies });
    }
    this.#handles += 1;
    const answer = await forward(call.body);
    if (answer?.status !== 200) return answer;
    const { Messages: messages = [] } = JSON.parse(answer.body.toString('utf8')) as { Messages?: Message[] };
    this.deliveries.all += messages.length;
    if (copies === undefined) return answer;
    for (const message of messages) {
      for (let copy = copies(); copy > 0; copy -= 1) {
        // Somewhere among the others, so that their order changes.
        waiting.splice((this.#handles * 7919) % (waiting.length + 1), 0, message);
      }
    }
    this.#waiting.set(call.key, waiting);
    return answer;
  }

  async #delete(call: Call, forward: Forward): Promise<Answer | undefined> {
    const whole = JSON.parse(call.body.toString('utf8')) as { Entries: { Id: string; ReceiptHandle: string }[] };
    const real = whole.Entries.filter(({ ReceiptHandle }) => !ReceiptHandle.startsWith(COPY));
    if (real.length === whole.Entries.length) return forward(call.body);
    const copies = whole.Entries.filter((entry) => !real.includes(entry)).map(({ Id }) => ({ Id }));
    this.deliveries.copiesDeleted += copies.length;
    if (real.length === 0) return json({ Successful: copies, Failed: [] });
    const answer = await forward(Buffer.from(JSON.stringify({ ...whole, Entries: real })));
    if (answer?.status !== 200) return answer;
    const said = JSON.parse(answer.body.toString('utf8')) as { Successful?: object[] };
    return json({ ...said, Successful: [...(said.Successful ?? []), ...copies] });
  }

  #copy(message: Message): Message {
    this.#handles += 2;
    return { ...message, ReceiptHandle: `${COPY}${this.#handles}` };
  }
}

function json(value: unknown): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** Stands in front of an S3 or SQS server on loopback, breaks what its rules say, and notes every request: the trace is an oracle too. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as forwardRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { RedeliveredMessages } from './redelivered-messages.ts';

export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  | { readonly kind: 'latency'; readonly ms: number }
  /** The server never sees the request. */
  | { readonly kind: 'resetBefore' }
  /** The server has done it, and nobody is told. */
  | { readonly kind: 'resetAfter' }
  | { readonly kind: 'statusAfter'; readonly status: number; readonly code: string }
  /** The head promises the whole body, and the connection ends in the middle. */
  | { readonly kind: 'truncateBody' }
  /** The same, but the connection stays open. */
  | { readonly kind: 'stallBody' }
  | { readonly kind: 'corruptBody' }
  /** Nothing happens before the gate opens. */
  | { readonly kind: 'hold'; readonly gate: () => Promise<unknown> }
  /** Messages are handed out again later, so many times each. */
  | { readonly kind: 'duplicate'; readonly copies: () => number };

export interface Rule {
  /** For the table of what was injected. */
  readonly name: string;
  /** HTTP method for S3, action such as `ReceiveMessage` for SQS; any when absent. */
  readonly method?: string;
  /** Of `<bucket>/<key>`, or of the queue's name. */
  readonly key?: RegExp;
  /** The n-th match is the first that is hit. */
  readonly nth?: number;
  /** So many matches are hit; all when absent. */
  readonly times?: number;
  /** Share of the matches that are hit. */
  readonly chance?: () => boolean;
  readonly fault: Fault;
}

export interface TracedCall {
  readonly at: number;
  readonly method: string;
  /** `<bucket>/<key>` or the queue's name. */
  readonly key: string;
  readonly query: string;
  readonly condition: string | undefined;
  /** Undefined while there is no answer, and for good when there never was one. */
  status?: number;
  readonly faults: string[];
}

interface Call {
  readonly traced: TracedCall;
  readonly method: string;
  readonly key: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

interface ActiveRule extends Rule {
  seen: number;
  hits: number;
}

export class ChaosProxy {
  readonly trace: TracedCall[] = [];
  readonly #service: 's3' | 'sqs';
  readonly #target: URL;
  readonly #server: Server;
  readonly #rules: ActiveRule[] = [];
  readonly #redelivered = new RedeliveredMessages();

  private constructor(service: 's3' | 'sqs', target: string) {
    this.#service = service;
    this.#target = new URL(target);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(service: 's3' | 'sqs', target: string): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(service, target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on; rules are tried in the order in which they were added, and all that match apply. */
  add(...rules: readonly Rule[]): void {
    this.#rules.push(...rules.map((rule) => ({ ...rule, seen: 0, hits: 0 })));
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** How often each rule was applied, by its name. */
  get injected(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { faults } of this.trace) for (const name of faults) sums.set(name, (sums.get(name) ?? 0) + 1);
    return sums;
  }

  /** Messages handed out in all, and how many of them were copies. */
  get deliveries(): { readonly all: number; readonly copies: number; readonly copiesDeleted: number } {
    return this.#redelivered.deliveries;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const url = new URL(request.url ?? '/', this.#target);
    const traced: TracedCall = {
      at: Date.now(),
      ...(this.#service === 's3'
        ? { method: request.method ?? '', key: decodeURIComponent(url.pathname.slice(1)) }
        : sqsNames(request, body)),
      query: url.search,
      condition: conditionOf(request),
      faults: [],
    };
    this.trace.push(traced);
    const call: Call = { traced, method: traced.method, key: traced.key, request, response, body };
    const faults = this.#faultsOf(traced);
    for (const fault of faults) if (!(await before(fault, response))) return;
    const answer = await this.#answer(call, faults);
    if (answer === undefined || response.destroyed) return;
    call.traced.status = answer.status;
    for (const fault of faults) if (!after(fault, answer, response)) return;
    response.writeHead(answer.status, cleanHeaders(answer));
    response.end(answer.body);
  }

  #faultsOf(call: TracedCall): Fault[] {
    const faults: Fault[] = [];
    for (const rule of this.#rules) {
      if (rule.method !== undefined && rule.method !== call.method) continue;
      if (rule.key !== undefined && !rule.key.test(call.key)) continue;
      rule.seen += 1;
      if (rule.seen < (rule.nth ?? 1) || rule.hits >= (rule.times ?? Infinity) || rule.chance?.() === false) continue;
      rule.hits += 1;
      call.faults.push(rule.name);
      faults.push(rule.fault);
    }
    return faults;
  }

  async #answer(call: Call, faults: readonly Fault[]): Promise<Answer | undefined> {
    if (this.#service === 's3') return this.#forward(call, call.body);
    const copies = faults.find((fault) => fault.kind === 'duplicate')?.copies;
    const answer = await this.#redelivered.answer(call, copies, (body) => this.#forward(call, body));
    if (answer === undefined) return undefined;
    // The SDK follows queue addresses, which must lead back here.
    const text = answer.body.toString('utf8').replaceAll(this.#target.origin, this.url);
    return { ...answer, body: Buffer.from(text) };
  }

  /** Undefined when the client went away meanwhile. */
  async #forward({ request, response }: Call, body: Buffer): Promise<Answer | undefined> {
    const { expect: _, ...headers } = request.headers;
    const upstream = forwardRequest(this.#target, {
      method: request.method,
      path: request.url,
      headers: { ...headers, 'content-length': body.length },
      agent: false,
    });
    const hangUp = (): void => {
      if (!response.writableEnded) upstream.destroy();
    };
    response.once('close', hangUp);
    try {
      upstream.end(body);
      const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
      return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
    } catch (error) {
      if (response.destroyed) return undefined;
      throw error;
    } finally {
      response.off('close', hangUp);
    }
  }
}

function sqsNames({ headers }: IncomingMessage, body: Buffer): { method: string; key: string } {
  const target = String(headers['x-amz-target'] ?? '');
  const { QueueUrl: url, QueueName: name } = JSON.parse(body.toString('utf8') || '{}') as Record<string, string>;
  return { method: target.slice(target.indexOf('.') + 1), key: name ?? url?.slice(url.lastIndexOf('/') + 1) ?? '' };
}

function conditionOf({ headers }: IncomingMessage): string | undefined {
  if (headers['if-match'] !== undefined) return `If-Match: ${headers['if-match']}`;
  return headers['if-none-match'] === undefined ? undefined : `If-None-Match: ${headers['if-none-match']}`;
}

/** @returns false when the request ends here */
async function before(fault: Fault, response: ServerResponse): Promise<boolean> {
  if (fault.kind === 'latency') await delay(fault.ms);
  if (fault.kind === 'hold') await fault.gate();
  if (fault.kind === 'resetBefore') response.destroy();
  if (fault.kind === 'status') respond(response, fault);
  return fault.kind !== 'resetBefore' && fault.kind !== 'status';
}

/** @returns false when the answer ends here */
function after(fault: Fault, answer: Answer, response: ServerResponse): boolean {
  if (fault.kind === 'resetAfter') response.destroy();
  else if (fault.kind === 'statusAfter') respond(response, fault);
  else if (fault.kind === 'truncateBody') {
    response.writeHead(answer.status, answer.headers);
    response.write(answer.body.subarray(0, answer.body.length / 2), () => response.destroy());
  } else if (fault.kind === 'stallBody') {
    response.writeHead(answer.status, answer.headers);
    response.write(answer.body.subarray(0, answer.body.length / 2));
  } else if (fault.kind === 'corruptBody') {
    answer.body.forEach((byte, index) => {
      if (index % 7 === 3) answer.body[index] = byte ^ 0x55;
    });
    return true;
  } else return true;
  return false;
}

function respond(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  const isJson = response.req.headers['x-amz-target'] !== undefined;
  const body = isJson
    ? JSON.stringify({ __type: code, message: 'injected' })
    : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`;
  response.writeHead(status, { 'content-type': isJson ? 'application/x-amz-json-1.0' : 'application/xml' });
  response.end(body);
}

function cleanHeaders({ headers, body }: Answer): Record<string, string | string[] | undefined> {
  const { 'transfer-encoding': _, connection: __, ...rest } = headers;
  // The length of an answer to HEAD is that of the object.
  return body.length === 0 ? rest : { ...rest, 'content-length': String(body.length) };
}

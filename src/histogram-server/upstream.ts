/**
 * Asking the upstream for a revision: where, how often, for how long, and what its answers mean
 * (docs/formats/histogram-server.md 6.7).
 */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { unlessAborted } from '../deadline.ts';
import { type NamedRevision, upstreamUrl } from '../histograms/upstream-url.ts';
import { AddressRefusedError, BodyRefusedError, type GetRules, guardedGet } from './guarded-get.ts';

/**
 * - `not_found`: there is no such revision, or the upstream is switched off
 * - `bad_content`: too long, encoded, or not a Histograms.json
 * - `failed`: any other status than 200 and 404, redirects included
 * - `unreachable`: no connection, or it broke; also a host whose address may not be connected to
 * - `timed_out`: no whole answer in time
 */
export type UpstreamFault = 'not_found' | 'bad_content' | 'failed' | 'unreachable' | 'timed_out';

export type UpstreamAnswer =
  { readonly body: Buffer; readonly fault?: undefined } | { readonly body?: undefined; readonly fault: UpstreamFault };

export interface Upstream {
  /** Never rejects. */
  fetch(revision: NamedRevision): Promise<UpstreamAnswer>;
  /** Ends running requests; whoever waits for one gets `unreachable`. */
  close(): void;
}

export interface HttpUpstreamSettings extends GetRules {
  /** Address with `{repo}`, `{revision}`, `{url}`. */
  readonly template: string;
  /** For all tries together, waiting for a turn included. */
  readonly timeoutMs: number;
  /** Pauses before the second, third … try. */
  readonly pausesMs?: readonly number[];
  /** False where the other side has tried again already. */
  readonly retriesStatus?: boolean;
  readonly atOnce?: number;
}

interface Try {
  readonly answer: UpstreamAnswer;
  /** Another try may succeed. */
  readonly mayPass: boolean;
}

const PAUSES_MS = [250, 1500];
const AT_ONCE = 8;

export class HttpUpstream implements Upstream {
  readonly #settings: HttpUpstreamSettings;
  readonly #inTurn: LimitFunction;
  readonly #closing = new AbortController();
  #tries = 0;

  constructor(settings: HttpUpstreamSettings) {
    this.#settings = settings;
    this.#inTurn = pLimit(settings.atOnce ?? AT_ONCE);
  }

  /** Requests made so far, repeated ones included. */
  get tries(): number {
    return this.#tries;
  }

  async fetch(revision: NamedRevision): Promise<UpstreamAnswer> {
    const deadline = AbortSignal.timeout(this.#settings.timeoutMs);
    const signal = AbortSignal.any([deadline, this.#closing.signal]);
    try {
      const url = upstreamUrl(this.#settings.template, revision);
      // No request waits longer for its turn than for an answer; a turn that comes later is passed on at once.
      return await unlessAborted(signal, () =>
        this.#inTurn(async () => {
          signal.throwIfAborted();
          return this.#tryAll(url, signal);
        }),
      );
    } catch (error) {
      return { fault: deadline.aborted && !this.#closing.signal.aborted ? 'timed_out' : faultOf(error) };
    }
  }

  close(): void {
    this.#closing.abort(new Error('closed'));
  }

  async #tryAll(url: URL, signal: AbortSignal): Promise<UpstreamAnswer> {
    for (const pauseMs of this.#settings.pausesMs ?? PAUSES_MS) {
      const { answer, mayPass } = await this.#try(url, signal).catch((error: unknown): Try => {
        if (signal.aborted || isFinal(error)) throw error;
        return { answer: { fault: 'unreachable' }, mayPass: true };
      });
      if (!mayPass) return answer;
      await delay(pauseMs, undefined, { signal });
    }
    return (await this.#try(url, signal)).answer;
  }

  async #try(url: URL, signal: AbortSignal): Promise<Try> {
    this.#tries += 1;
    const { status, body } = await guardedGet(url, this.#settings, signal);
    if (body !== undefined) return { answer: { body }, mayPass: false };
    if (status === 404 || status === 410) return { answer: { fault: 'not_found' }, mayPass: false };
    const mayPass = this.#settings.retriesStatus !== false && (status >= 500 || status === 429);
    return { answer: { fault: 'failed' }, mayPass };
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof AddressRefusedError || error instanceof BodyRefusedError;
}

function faultOf(error: unknown): UpstreamFault {
  return error instanceof BodyRefusedError ? 'bad_content' : 'unreachable';
}

/** One GET that trusts neither DNS nor the answer: checked and pinned address, no redirects, no proxy, bounded body. */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { unlessAborted } from '../deadline.ts';
import { mayConnectTo } from './public-address.ts';

type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface GetRules {
  readonly allowPrivate: boolean;
  readonly maxBytes: number;
  /** Name resolution; the system's unless a test has its own. */
  readonly resolve?: Resolve;
}

export type Got =
  | { readonly status: 200; readonly body: Buffer }
  /** Any other status, redirects included; the body is not read. */
  | { readonly status: number; readonly body?: undefined };

/** The host resolves to an address that may not be connected to. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}

/** The body is longer than allowed, or encoded although that was not asked for. */
export class BodyRefusedError extends Error {
  override readonly name = 'BodyRefusedError';
}

const lookupAll = promisify(dnsLookup);
const resolveBySystem: Resolve = (hostname) => lookupAll(hostname, { all: true });

/**
 * Gets the URL.
 * @throws AddressRefusedError before anything is connected to; BodyRefusedError; the signal's reason; network errors
 */
export async function guardedGet(url: URL, rules: GetRules, signal: AbortSignal): Promise<Got> {
  const pinned = await checkedAddresses(url, rules, signal);
  const response = await answerOf(url, pinned, signal);
  try {
    const status = response.statusCode ?? 0;
    return status === 200 ? { status, body: await boundedBody(response, rules.maxBytes) } : { status };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    response.destroy();
  }
}

async function checkedAddresses(
  { hostname }: URL,
  { allowPrivate, resolve = resolveBySystem }: GetRules,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(host);
  const addresses = family === 0 ? await unlessAborted(signal, () => resolve(host)) : [{ address: host, family }];
  // One forbidden address among good ones is reason enough: it is what a rebinding attack looks like.
  if (addresses.length === 0 || !addresses.every(({ address }) => mayConnectTo(address, allowPrivate))) {
    throw new AddressRefusedError(`${host} resolves to an address that may not be connected to`);
  }
  return addresses;
}

/** Connects to the given addresses only: the name is not resolved a second time. */
async function answerOf(url: URL, pinned: readonly LookupAddress[], signal: AbortSignal): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_, { all }, callback) => {
    if (all === true) callback(null, [...pinned]);
    else callback(null, pinned[0]?.address ?? '', pinned[0]?.family);
  };
  const secure = url.protocol === 'https:';
  const options: RequestOptions = {
    // An agent of its own knows no proxy from the environment, through which the address would not be ours to check.
    agent: secure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false }),
    headers: {
      accept: 'application/json, text/plain',
      'accept-encoding': 'identity',
      'user-agent': 'telemetry-dashboard',
    },
    lookup,
    maxHeaderSize: 16_384,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(url, options, resolve);
    request.on('error', (error) => {
      reject(signal.aborted ? (signal.reason as Error) : error);
    });
    request.end();
  });
}

async function boundedBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new BodyRefusedError('the body is encoded');
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw new BodyRefusedError(`over ${maxBytes} bytes`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new BodyRefusedError(`over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * An object store in memory, as a process of its own, for measurements: fast enough not to be what is measured, and it
 * counts its requests. It speaks as much S3 as the application uses. Two things exist as rules only, since nobody could
 * store them for a benchmark: the input bucket (`input-keys.ts`), and the results of analysis tasks, which share the bytes
 * of some files (`POST /-/results`).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { buffer, json } from 'node:stream/consumers';
import { cpuSecondsOfThis } from './cpu.ts';
import { type ListedKey, listInput } from './input-keys.ts';
import { serveParent } from './service.ts';

const INPUT_BUCKET = 'telemetry-published-v2';
const PAGE = 1000;

interface Stored {
  readonly body: Buffer;
  readonly etag: string;
  readonly modified: Date;
}

/** Results of a run: task `n` has the bytes of file `n` modulo their number. */
interface SharedResults {
  readonly prefix: string;
  readonly tasks: number;
  readonly files: readonly Stored[];
}

const [keys = '0', latencyMs = '0'] = process.argv.slice(2);
/** By bucket, then key. */
const buckets = new Map<string, Map<string, Stored>>();
/** Keys of listings that have further pages. */
const listings = new Map<string, ListedKey[]>();
const counts: Record<string, { requests: number; bytes: number }> = {};
let results: SharedResults | undefined;

await serveParent(createServer((request, response) => void answer(request, response)));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://store');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  if (bucket === '-') {
    await administer(key, request, response);
    return;
  }
  const body = request.method === 'PUT' ? await buffer(request) : undefined;
  if (latencyMs !== '0') await delay(Number(latencyMs));
  if (searchParams.has('list-type')) list(bucket, searchParams, response);
  else if (body !== undefined) put(bucket, key, body, request, response);
  else if (request.method === 'DELETE') {
    buckets.get(bucket)?.delete(key);
    response.writeHead(204).end();
  } else read(bucket, key, request, response);
}

async function administer(what: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (what === 'results') {
    const { prefix, tasks, paths } = (await json(request)) as { prefix: string; tasks: number; paths: string[] };
    results = { prefix, tasks, files: paths.map((path) => stored(readFileSync(path))) };
  }
  response.end(JSON.stringify({ counts, cpuSeconds: cpuSecondsOfThis() }));
}

function note(what: string, bytes: number): void {
  const count = (counts[what] ??= { requests: 0, bytes: 0 });
  count.requests += 1;
  count.bytes += bytes;
}

function stored(body: Buffer): Stored {
  return { body, etag: `"${createHash('md5').update(body).digest('hex')}"`, modified: new Date() };
}

function put(bucket: string, key: string, body: Buffer, { headers }: IncomingMessage, response: ServerResponse): void {
  note(`PUT ${bucket}`, body.length);
  const objects = buckets.get(bucket) ?? new Map<string, Stored>();
  buckets.set(bucket, objects);
  const present = objects.get(key);
  const wanted = headers['if-match'];
  if (headers['if-none-match'] === '*' && present !== undefined) fail(response, 412, 'PreconditionFailed');
  else if (wanted !== undefined && present?.etag !== wanted) fail(response, 412, 'PreconditionFailed');
  else {
    const object = stored(body);
    objects.set(key, object);
    response.writeHead(200, { etag: object.etag }).end();
  }
}

function read(bucket: string, key: string, { method = '' }: IncomingMessage, response: ServerResponse): void {
  const present = buckets.get(bucket)?.get(key) ?? sharedResult(key);
  note(`${method} ${bucket}`, method === 'GET' ? (present?.body.length ?? 0) : 0);
  if (present === undefined) {
    fail(response, 404, 'NoSuchKey');
    return;
  }
  const { body, etag, modified } = present;
  const headers = { etag, 'content-length': body.length, 'last-modified': modified.toUTCString() };
  response.writeHead(200, headers).end(method === 'HEAD' ? undefined : body);
}

function sharedResult(key: string): Stored | undefined {
  if (results === undefined || !key.startsWith(results.prefix)) return undefined;
  const [number = '', name] = key.slice(results.prefix.length).split('/');
  return name === 'result.txt' && Number(number) <= results.tasks ? fileOf(results, Number(number)) : undefined;
}

function fileOf({ files }: SharedResults, number: number): Stored | undefined {
  return files[number % files.length];
}

function list(bucket: string, query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token') ?? '';
  if (bucket === INPUT_BUCKET) {
    const first = Number(token);
    const { folders, entries, total } = listInput(prefix, query.get('delimiter'), first, PAGE, Number(keys));
    sendPage(bucket, response, folders, entries, first + entries.length < total ? String(first + PAGE) : undefined);
  } else listStored(bucket, prefix, token, response);
}

/** @param token empty, or the number of the listing and where it goes on */
function listStored(bucket: string, prefix: string, token: string, response: ServerResponse): void {
  const [id = '', from = '0'] = token.split(' ');
  const found = listings.get(id) ?? keysBelow(bucket, prefix);
  const end = Number(from) + PAGE;
  const next = id === '' ? String(counts[`LIST ${bucket}`]?.requests ?? 0) : id;
  if (end < found.length) listings.set(next, found);
  else listings.delete(id);
  sendPage(bucket, response, [], found.slice(Number(from), end), end < found.length ? `${next} ${end}` : undefined);
}

function keysBelow(bucket: string, prefix: string): ListedKey[] {
  const found: ListedKey[] = [];
  for (const [key, { body, etag }] of buckets.get(bucket) ?? [])
    if (key.startsWith(prefix)) found.push({ key, size: body.length, etag });
  if (results?.prefix.startsWith(prefix) === true)
    for (let number = 1; number <= results.tasks; number += 1) {
      const file = fileOf(results, number);
      if (file === undefined) break;
      found.push({ key: `${results.prefix}${number}/result.txt`, size: file.body.length, etag: file.etag });
    }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

const LISTED_TIME = '2013-10-30T01:31:00.000Z';

/** As S3 writes it, with every member of an entry. */
function sendPage(
  bucket: string,
  response: ServerResponse,
  folders: readonly string[],
  entries: readonly ListedKey[],
  next: string | undefined,
): void {
  const contents = entries.map(
    ({ key, size, etag }) =>
      `<Contents><Key>${key}</Key><LastModified>${LISTED_TIME}</LastModified><ETag>${etag.replaceAll('"', '&quot;')}</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const prefixes = folders.map((name) => `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`);
  const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  const page = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>${entries.length + folders.length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>${next !== undefined}</IsTruncated>${more}${contents.join('')}${prefixes.join('')}</ListBucketResult>`;
  note(`LIST ${bucket}`, page.length);
  response.writeHead(200, { 'content-type': 'application/xml' }).end(page);
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

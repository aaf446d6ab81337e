/** A small object store over HTTP that speaks as much S3 as `setup` uses, and may ignore the conditions of writes. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type Conditions = 'honoured' | 'ignored' | 'only If-None-Match';

export class LoopbackS3 {
  /** By `/bucket/key`. */
  readonly contents = new Map<string, Buffer>();
  /** Every request that wanted to change something: `PUT /bucket/key`, with `?policy` and the like. */
  readonly writes: string[] = [];
  readonly #buckets = new Set<string>();
  readonly #conditions: Conditions;
  readonly #server: Server;

  private constructor(conditions: Conditions) {
    this.#conditions = conditions;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(conditions: Conditions, buckets: readonly string[]): Promise<LoopbackS3> {
    const store = new LoopbackS3(conditions);
    for (const bucket of buckets) store.#buckets.add(`/${bucket}`);
    store.#server.listen(0, '127.0.0.1');
    await once(store.#server, 'listening');
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? '', 'http://store');
    const method = request.method ?? '';
    const path = pathname.replace(/\/$/, '');
    const body = await buffer(request);
    // The SDK tells itself which operation a request is; nobody else needs to know.
    const query = search.replace(/[?&]x-id=\w+/, '');
    if (method !== 'GET' && method !== 'HEAD') this.writes.push(`${method} ${path}${query}`);
    if (query.includes('list-type=2')) this.#list(path, response);
    else if (query !== '') error(response, 404, 'NoSuchConfiguration');
    else if (path.split('/').length === 2) this.#bucket(method, path, response);
    else this.#object(method, path, request, body, response);
  }

  #list(path: string, response: ServerResponse): void {
    const entries = [...this.contents.keys()]
      .filter((key) => key.startsWith(`${path}/`))
      .map((key) => {
        const body = this.contents.get(key) ?? Buffer.alloc(0);
        const facts = `<LastModified>${LISTED_TIME}</LastModified><ETag>${etagOf(body)}</ETag><Size>${body.length}</Size>`;
        return `<Contents><Key>${key.slice(path.length + 1)}</Key>${facts}</Contents>`;
      });
    response
      .writeHead(200)
      .end(`<ListBucketResult><IsTruncated>false</IsTruncated>${entries.join('')}</ListBucketResult>`);
  }

  #bucket(method: string, path: string, response: ServerResponse): void {
    if (method === 'PUT') this.#buckets.add(path);
    response.writeHead(this.#buckets.has(path) ? 200 : 404).end();
  }

  #object(method: string, path: string, { headers }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const present = this.contents.get(path);
    if (method === 'PUT') {
      const refused = this.#refusal(present, headers);
      if (refused !== null) {
        error(response, refused, refused === 412 ? 'PreconditionFailed' : 'NoSuchKey');
        return;
      }
      this.contents.set(path, body);
      response.writeHead(200, { etag: etagOf(body) }).end();
    } else if (method === 'DELETE') {
      this.contents.delete(path);
      response.writeHead(204).end();
    } else if (present === undefined) error(response, 404, 'NoSuchKey');
    else response.writeHead(200, headersOf(present)).end(present);
  }

  #refusal(present: Buffer | undefined, headers: IncomingMessage['headers']): 412 | 404 | null {
    if (this.#conditions === 'ignored') return null;
    if (headers['if-none-match'] === '*' && present !== undefined) return 412;
    const wanted = headers['if-match'];
    if (wanted === undefined || this.#conditions === 'only If-None-Match') return null;
    if (present === undefined) return 404;
    return etagOf(present) === wanted ? null : 412;
  }
}

const LISTED_TIME = '2013-10-30T13:31:00.000Z';

function headersOf(body: Buffer): Record<string, string | number> {
  const time = new Date(LISTED_TIME).toUTCString();
  return { etag: etagOf(body), 'content-length': body.length, 'last-modified': time };
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function error(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

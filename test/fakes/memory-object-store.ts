/** A bucket in memory: strong listings, ETags from the content, conditional writes as S3 answers them. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import {
  type Folder,
  type ListedObject,
  type ObjectBody,
  type ObjectHeaders,
  ObjectMissingError,
  type ObjectStore,
  onlyFolders,
  onlyObjects,
  PreconditionFailedError,
  type StoredObject,
} from '../../src/ports.ts';
import { readBody } from '../../src/file-body.ts';
import type { CallTrace } from './call-trace.ts';

interface MemoryObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: ObjectHeaders;
  readonly lastModified: Date;
}

interface ReadOptions {
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

const PAGE = 1000;

export class MemoryObjectStore implements ObjectStore {
  readonly bucket: string;
  readonly contents = new Map<string, MemoryObject>();
  /** Entries of a listing page; each page is a call of its own. */
  pageSize = PAGE;
  readonly #trace: CallTrace;

  constructor(bucket: string, trace: CallTrace) {
    this.bucket = bucket;
    this.#trace = trace;
  }

  async get(key: string, { ifMatch, signal }: ReadOptions = {}): Promise<StoredObject & { body: Buffer }> {
    return this.#call('get', key, signal, () => {
      const { etag, body } = this.#demand(key, ifMatch);
      return { etag, size: body.length, body: Buffer.from(body) };
    });
  }

  async getToFile(key: string, path: string, { ifMatch, signal }: ReadOptions = {}): Promise<StoredObject> {
    return this.#call('getToFile', key, signal, async () => {
      const { etag, body } = this.#demand(key, ifMatch);
      await writeFile(path, body);
      return { etag, size: body.length };
    });
  }

  async head(key: string, signal?: AbortSignal): Promise<(StoredObject & { readonly lastModified: Date }) | undefined> {
    return this.#call('head', key, signal, () => {
      const found = this.contents.get(key);
      return found && { etag: found.etag, size: found.body.length, lastModified: found.lastModified };
    });
  }

  async put(key: string, body: ObjectBody, headers: ObjectHeaders = {}, signal?: AbortSignal): Promise<StoredObject> {
    const bytes = await bytesOf(body);
    return this.#call('put', key, signal, () => this.store(key, bytes, headers));
  }

  async createOnce(
    key: string,
    body: ObjectBody,
    headers: ObjectHeaders = {},
    signal?: AbortSignal,
  ): Promise<'created' | 'exists'> {
    const bytes = await bytesOf(body);
    return this.#call('createOnce', key, signal, () => {
      if (this.contents.has(key)) return 'exists';
      this.store(key, bytes, headers);
      return 'created';
    });
  }

  async replace(
    key: string,
    ifMatch: string,
    body: ObjectBody,
    headers: ObjectHeaders = {},
    signal?: AbortSignal,
  ): Promise<StoredObject> {
    const bytes = await bytesOf(body);
    return this.#call('replace', key, signal, () => {
      this.#demand(key, ifMatch);
      return this.store(key, bytes, headers);
    });
  }

  async *list(prefix: string, delimiter?: '/' | '.', signal?: AbortSignal): AsyncGenerator<Folder | ListedObject> {
    const entries = this.#entries(prefix, delimiter);
    for (let start = 0; start === 0 || start < entries.length; start += this.pageSize) {
      yield* await this.#call('list', prefix, signal, () => entries.slice(start, start + this.pageSize));
    }
  }

  objects(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject> {
    return onlyObjects(this.list(prefix, undefined, signal));
  }

  folders(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    return onlyFolders(this.list(prefix, '/', signal), prefix);
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    for (const key of keys) {
      await this.#call('delete', key, signal, () => {
        this.contents.delete(key);
      });
    }
  }

  /** Puts an object there without a call, as another process would. */
  store(key: string, body: Buffer | string, headers: ObjectHeaders = {}): StoredObject {
    const bytes = Buffer.from(body);
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    this.contents.set(key, { body: bytes, etag, headers, lastModified: new Date() });
    return { etag, size: bytes.length };
  }

  keys(prefix = ''): string[] {
    return [...this.contents.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** An object's text, without a call; gzip is undone. */
  text(key: string): string {
    const { body } = this.#demand(key);
    return (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString('utf8');
  }

  json(key: string): Record<string, unknown> {
    return JSON.parse(this.text(key)) as Record<string, unknown>;
  }

  #entries(prefix: string, delimiter: '/' | '.' | undefined): (Folder | ListedObject)[] {
    const entries = new Map<string, Folder | ListedObject>();
    for (const key of this.keys(prefix)) {
      const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      const { body, etag, lastModified } = this.#demand(key);
      if (end < 0) entries.set(key, { kind: 'object', key, size: body.length, etag, lastModified });
      else entries.set(key.slice(0, end + 1), { kind: 'folder', name: key.slice(0, end + 1) });
    }
    return [...entries.values()];
  }

  #demand(key: string, ifMatch?: string): MemoryObject {
    const found = this.contents.get(key);
    if (found === undefined) throw new ObjectMissingError(`s3://${this.bucket}/${key} does not exist`);
    if (ifMatch !== undefined && ifMatch !== found.etag) {
      throw new PreconditionFailedError(`s3://${this.bucket}/${key} is not as expected`);
    }
    return found;
  }

  #call<T>(method: string, key: string, signal: AbortSignal | undefined, effect: () => Promise<T> | T): Promise<T> {
    return this.#trace.around({ service: this.bucket, method, key }, signal, effect);
  }
}

async function bytesOf(body: ObjectBody): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : readBody(body);
}

/** The object store port on S3. Also runs on stores that speak its protocol (path style, checksums only where required). */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  type Folder,
  type ListedObject,
  type ObjectBody,
  type ObjectHeaders,
  ObjectMissingError,
  type ObjectStore,
  onlyFolders,
  onlyObjects,
  PassingError,
  PreconditionFailedError,
  type StoredObject,
} from '../ports.ts';
import { readBody } from '../file-body.ts';
import { demanded, incomplete } from './answers.ts';
import { type AwsConnection, AROUND_TRIES, clientOptions, namingService } from './connection.ts';
import { type ListPage, readingPage } from './list-page.ts';
import { ListingProgress } from './listing-progress.ts';

const SERVICE = { name: 'the object store', setting: 'AWS_ENDPOINT_URL_S3' };
const REQUEST_SECONDS = 30;
/** A request's time-out includes its body, so a large upload gets a second more for this many bytes. */
const UPLOAD_BYTES_PER_SECOND = 1 << 20;
const MAX_SOCKETS = 64;
const DELETES_AT_ONCE = 16;
const RETRIED_BYTES = 16 << 20;

export function createS3Client(connection: AwsConnection): S3Client {
  return s3Client(connection, 5);
}

function s3Client(connection: AwsConnection, maxAttempts: number): S3Client {
  const client = new S3Client(s3Options(connection, maxAttempts));
  client.middlewareStack.add(namingService(SERVICE, connection), AROUND_TRIES);
  return client;
}

function s3Options(connection: AwsConnection, maxAttempts: number) {
  return {
    ...clientOptions(connection, REQUEST_SECONDS, MAX_SOCKETS),
    maxAttempts,
    ...(connection.endpoint !== undefined && {
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
    }),
  };
}

/** Buckets of one account; all of them share the client's sockets. */
export function createObjectStores(connection: AwsConnection): { bucket(name: string): ObjectStore; close(): void } {
  const client = createS3Client(connection);
  // A silent retry would turn a PUT that succeeded, but whose answer was lost, into a 412.
  const once = s3Client(connection, 1);
  return {
    bucket: (name) => new S3Bucket(name, client, once),
    close: () => {
      client.destroy();
      once.destroy();
    },
  };
}

class S3Bucket implements ObjectStore {
  readonly bucket: string;
  readonly #client: S3Client;
  readonly #once: S3Client;

  constructor(bucket: string, client: S3Client, once: S3Client) {
    this.bucket = bucket;
    this.#client = client;
    this.#once = once;
  }

  async get(
    key: string,
    { ifMatch, signal }: { ifMatch?: string; signal?: AbortSignal } = {},
  ): Promise<StoredObject & { body: Buffer }> {
    const { stored, body } = await this.#open(key, ifMatch, signal);
    const whole = await buffer(body);
    this.#demandWhole(key, whole.length, stored);
    return { ...stored, body: whole };
  }

  async getToFile(
    key: string,
    path: string,
    { ifMatch, signal }: { ifMatch?: string; signal?: AbortSignal } = {},
  ): Promise<StoredObject> {
    const { stored, body } = await this.#open(key, ifMatch, signal);
    const file = createWriteStream(path);
    await pipeline(body, file, ...(signal === undefined ? [] : [{ signal }]));
    this.#demandWhole(key, file.bytesWritten, stored);
    return stored;
  }

  #demandWhole(key: string, bytes: number, { size }: StoredObject): void {
    if (bytes !== size) throw new PassingError(`${this.#name(key)} broke off: ${bytes} of ${size} bytes came`);
  }

  async #open(
    key: string,
    ifMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ stored: StoredObject; body: Readable }> {
    const answer = await this.#call(key, () =>
      this.#client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: key, ...(ifMatch !== undefined && { IfMatch: ifMatch }) }),
        options(signal),
      ),
    );
    return { stored: this.#stored(key, answer), body: answer.Body as Readable };
  }

  async head(key: string, signal?: AbortSignal): Promise<(StoredObject & { lastModified: Date }) | undefined> {
    try {
      const answer = await this.#call(key, () =>
        this.#client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }), options(signal)),
      );
      const stored = this.#stored(key, answer);
      return { ...stored, lastModified: demanded(answer.LastModified, 'LastModified', this.#name(key)) };
    } catch (error) {
      if (error instanceof ObjectMissingError) return undefined;
      throw error;
    }
  }

  async put(key: string, body: ObjectBody, headers: ObjectHeaders = {}, signal?: AbortSignal): Promise<StoredObject> {
    return this.#put(this.#client, key, body, headers, {}, signal);
  }

  async createOnce(
    key: string,
    body: ObjectBody,
    headers: ObjectHeaders = {},
    signal?: AbortSignal,
  ): Promise<'created' | 'exists'> {
    try {
      await this.#put(this.#client, key, body, headers, { IfNoneMatch: '*' }, signal);
      return 'created';
    } catch (error) {
      // Also 412 after an attempt of our own whose answer was lost: the object is there either way.
      if (error instanceof PreconditionFailedError) return 'exists';
      throw error;
    }
  }

  async replace(
    key: string,
    ifMatch: string,
    body: ObjectBody,
    headers: ObjectHeaders = {},
    signal?: AbortSignal,
  ): Promise<StoredObject> {
    const attempt = (): Promise<StoredObject> =>
      this.#put(this.#once, key, body, headers, { IfMatch: ifMatch }, signal);
    try {
      return await attempt();
    } catch (error) {
      // Nothing was replaced: the store refuses the request for its time, and the client has learned the store's from that.
      if (!(error instanceof S3ServiceException) || error.name !== 'RequestTimeTooSkewed') throw error;
      return attempt();
    }
  }

  async #put(
    client: S3Client,
    key: string,
    body: ObjectBody,
    headers: ObjectHeaders,
    condition: Partial<PutObjectCommandInput>,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject> {
    const size = Buffer.isBuffer(body) ? body.length : body.size;
    const answer = await this.#call(key, async () =>
      client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: await content(body),
          ContentLength: size,
          ...(headers.contentType !== undefined && { ContentType: headers.contentType }),
          ...(headers.contentEncoding !== undefined && { ContentEncoding: headers.contentEncoding }),
          ...(headers.cacheControl !== undefined && { CacheControl: headers.cacheControl }),
          ...condition,
        }),
        { ...options(signal), requestTimeout: (REQUEST_SECONDS + size / UPLOAD_BYTES_PER_SECOND) * 1000 },
      ),
    );
    return { etag: demanded(answer.ETag, 'ETag', this.#name(key)), size };
  }

  async *list(prefix: string, delimiter?: '/' | '.', signal?: AbortSignal): AsyncGenerator<Folder | ListedObject> {
    const progress = new ListingProgress();
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        ...(delimiter !== undefined && { Delimiter: delimiter }),
        ...(token !== undefined && { ContinuationToken: token }),
      });
      const readPage = readingPage(command);
      const answer = await this.#call(prefix, () => this.#client.send(command, options(signal)));
      const page = readPage() ?? answer;
      yield* this.#entries(page, prefix, progress);
      token = this.#nextToken(page, prefix, progress);
    } while (token !== undefined);
  }

  *#entries(page: ListPage, prefix: string, progress: ListingProgress): Generator<Folder | ListedObject> {
    const { CommonPrefixes: folders = [], Contents: objects = [], KeyCount: count = 0 } = page;
    const about = this.#name(prefix);
    if (page.IsTruncated === undefined) throw incomplete(about, 'is no listing');
    // Fewer are no fault: not every store counts folders.
    const found = folders.length + objects.length;
    if (count > found) throw incomplete(about, `has ${found} of the ${count} keys that it counts`);
    const names = folders.map(({ Prefix }) => demanded(Prefix, 'Prefix', about));
    const keys = objects.map(({ Key }) => demanded(Key, 'Key', about));
    for (const name of [...names, ...keys]) this.#demandBelow(name, prefix);
    const fault = progress.faultOfKeys(keys, names);
    if (fault !== undefined) throw incomplete(about, fault);
    for (const name of names) yield { kind: 'folder', name };
    for (const { Key, Size, ETag, LastModified } of objects) {
      const key = demanded(Key, 'Key', about);
      yield {
        kind: 'object',
        key,
        size: demanded(Size, 'Size', this.#name(key)),
        etag: demanded(ETag, 'ETag', this.#name(key)),
        lastModified: demanded(LastModified, 'LastModified', this.#name(key)),
      };
    }
  }

  #demandBelow(name: string, prefix: string): void {
    if (!name.startsWith(prefix)) throw incomplete(this.#name(prefix), `lists ${name}, which is not below it`);
  }

  /** Undefined after the last page. A page without token must never end a listing that has more. */
  #nextToken(
    { IsTruncated, NextContinuationToken: token }: ListPage,
    prefix: string,
    progress: ListingProgress,
  ): string | undefined {
    if (IsTruncated !== true) return undefined;
    const next = demanded(token, 'continuation token, and says that there is more', this.#name(prefix));
    if (progress.isKnownToken(next)) throw incomplete(this.#name(prefix), 'repeats its continuation token');
    return next;
  }

  objects(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject> {
    return onlyObjects(this.list(prefix, undefined, signal));
  }

  folders(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    return onlyFolders(this.list(prefix, '/', signal), prefix);
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    // One by one: not every store has the batch call.
    await pMap(
      keys,
      (key) =>
        this.#call(key, () =>
          this.#client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }), options(signal)),
        ),
      { concurrency: DELETES_AT_ONCE },
    );
  }

  #stored(
    key: string,
    { ETag, ContentLength }: { readonly ETag?: string | undefined; readonly ContentLength?: number | undefined },
  ): StoredObject {
    const etag = demanded(ETag, 'ETag', this.#name(key));
    return { etag, size: demanded(ContentLength, 'ContentLength', this.#name(key)) };
  }

  async #call<T>(key: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error;
      const status = error.$metadata.httpStatusCode;
      if (error.name === 'NoSuchBucket') throw error;
      if (status === 404) throw new ObjectMissingError(`${this.#name(key)} does not exist`, { cause: error });
      if (status === 412) throw new PreconditionFailedError(`${this.#name(key)} is not as expected`, { cause: error });
      throw error;
    }
  }

  #name(key: string): string {
    return `s3://${this.bucket}/${key}`;
  }
}

/** Small files are read whole, so that the SDK can send them again. */
async function content(body: ObjectBody): Promise<Buffer | Readable> {
  if (Buffer.isBuffer(body)) return body;
  if (body.size <= RETRIED_BYTES) return readBody(body);
  const { path, start = 0, size } = body;
  return createReadStream(path, { start, end: start + size - 1 });
}

function options(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

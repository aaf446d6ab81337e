/**
 * Documents of the private bucket: what a codec is, and one way to read and store documents. Each codec is beside its
 * document, in the other files of this folder.
 *
 * A document that should be there and is not, or that cannot be read, is `StateDamaged`: final, with its full address
 * and what to do. It is never taken for an empty one, and never repaired by a guess.
 */
import { gzipSync } from 'node:zlib';
import { failure, type FailureType } from '../failures.ts';
import { type ObjectBody, type ObjectHeaders, ObjectMissingError, type ObjectStore } from '../ports.ts';
import { isContentError } from '../threads/content-error.ts';
import { inflatedText } from '../threads/gzip.ts';

export { inflatedText } from '../threads/gzip.ts';

export interface Codec<T> {
  /** Name for people: `the contribution of a run`. */
  readonly what: string;
  /** @throws InvalidDataError */
  readonly parse: (text: string) => T;
  /** JSON by default. */
  readonly serialise?: (value: T) => string;
  /** Stored as gzip; readers take both, since tools in between may decompress. */
  readonly compressed?: boolean;
}

/** What a person does about a document that is gone or damaged. */
const REMEDY =
  'put its last good version back from the bucket’s versions, or run the day again where it belongs to one run';

export function addressOf({ bucket }: Pick<ObjectStore, 'bucket'>, key: string): string {
  return `s3://${bucket}/${key}`;
}

/** @throws ApplicationFailure StateDamaged when it is gone or damaged */
export async function readDocument<T>(
  store: ObjectStore,
  key: string,
  codec: Codec<T>,
  signal: AbortSignal,
): Promise<T> {
  const { body } = await readObject(store, key, codec.what, signal);
  return decoded(store, key, codec, body);
}

/** Undefined when there is none. @throws ApplicationFailure StateDamaged when it is damaged */
export async function readDocumentIfPresent<T>(
  store: ObjectStore,
  key: string,
  codec: Codec<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const stored = await getIfPresent(store, key, signal);
  return stored === undefined ? undefined : decoded(store, key, codec, stored.body);
}

/** Stores `value` unless something is stored there already. */
export async function createDocument<T>(
  store: ObjectStore,
  key: string,
  codec: Codec<T>,
  value: T,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  return store.createOnce(key, bodyOf(codec, value), headersOf(codec), signal);
}

/** The same; returns what is stored afterwards, so that every attempt continues with the same document. */
export async function createDocumentOnce<T>(
  store: ObjectStore,
  key: string,
  codec: Codec<T>,
  value: T,
  signal: AbortSignal,
): Promise<T> {
  const outcome = await createDocument(store, key, codec, value, signal);
  return outcome === 'created' ? value : readDocument(store, key, codec, signal);
}

/** What is there, or what `make` brings, stored once. */
export async function readOrCreate<T>(
  store: ObjectStore,
  key: string,
  codec: Codec<T>,
  make: () => Promise<T>,
  signal: AbortSignal,
): Promise<{ readonly value: T; readonly isNew: boolean }> {
  const known = await readDocumentIfPresent(store, key, codec, signal);
  if (known !== undefined) return { value: known, isNew: false };
  return { value: await createDocumentOnce(store, key, codec, await make(), signal), isNew: true };
}

function bodyOf<T>({ serialise = JSON.stringify, compressed }: Codec<T>, value: T): ObjectBody {
  const text = serialise(value);
  return compressed === true ? gzipSync(text) : Buffer.from(text);
}

function headersOf({ compressed }: Pick<Codec<never>, 'compressed'>): ObjectHeaders {
  return { contentType: compressed === true ? 'application/gzip' : 'application/json' };
}

/** @throws ApplicationFailure StateDamaged when there is none */
export async function readObject(
  store: ObjectStore,
  key: string,
  what: string,
  signal: AbortSignal,
): Promise<{ readonly etag: string; readonly body: Buffer }> {
  return (await getIfPresent(store, key, signal)) ?? missing(store, key, what);
}

/** Undefined when there is none. */
export async function getIfPresent(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly etag: string; readonly body: Buffer } | undefined> {
  try {
    return await store.get(key, { signal });
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined;
    throw error;
  }
}

export function missing(store: ObjectStore, key: string, what: string): never {
  throw failure('StateDamaged', `${addressOf(store, key)} does not exist (${what}): ${REMEDY}`);
}

function decoded<T>(store: ObjectStore, key: string, { what, parse }: Codec<T>, body: Buffer): T {
  return undamaged(addressOf(store, key), what, () => parse(inflatedText(body)));
}

/** Runs `parse`; its errors get the object's address and name. */
export function undamaged<T>(address: string, what: string, parse: () => T, type?: FailureType, remedy?: string): T {
  try {
    return parse();
  } catch (error) {
    throw isContentError(error) ? damaged(address, what, error, type, remedy) : error;
  }
}

export function damaged(
  address: string,
  what: string,
  error: Error,
  type: FailureType = 'StateDamaged',
  remedy = REMEDY,
): Error {
  return failure(type, `${address} is damaged: ${error.message} (${what}); ${remedy}`, error);
}

/** State objects that are JSON: create-once, and read back with a clear error when they are damaged. */
import { gunzipSync } from 'node:zlib';
import { failure } from '../failures.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';

/** No state object of this project comes near it. */
const MAX_BYTES = 256 << 20;

export async function readJson(store: ObjectStore, key: string, signal: AbortSignal): Promise<unknown> {
  const { body } = await store.get(key, { signal });
  try {
    return JSON.parse(inflatedText(body));
  } catch (error) {
    throw failure('StateDamaged', `s3://${store.bucket}/${key} is damaged: ${(error as Error).message}`);
  }
}

export async function readJsonIfPresent(store: ObjectStore, key: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await readJson(store, key, signal);
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined;
    throw error;
  }
}

/** Stores `value` unless something is stored there already. */
export async function createJson(
  store: ObjectStore,
  key: string,
  value: unknown,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  return store.createOnce(key, Buffer.from(JSON.stringify(value)), { contentType: 'application/json' }, signal);
}

/** The same; gives what is there afterwards. */
export async function createJsonOnce<T>(store: ObjectStore, key: string, value: T, signal: AbortSignal): Promise<T> {
  const outcome = await createJson(store, key, value, signal);
  return outcome === 'created' ? value : ((await readJson(store, key, signal)) as T);
}

/** The text of a stored object, compressed or not; both are found, since tools in between may decompress. */
export function inflatedText(body: Buffer): string {
  const compressed = body[0] === 0x1f && body[1] === 0x8b;
  return (compressed ? gunzipSync(body, { maxOutputLength: MAX_BYTES }) : body).toString('utf8');
}

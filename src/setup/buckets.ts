/**
 * The three buckets: there, and able to do what the publish protocol relies on (docs/protocol.md 5,
 * docs/security.md T13).
 */
import { randomUUID } from 'node:crypto';
import { probeName } from '../state/keys.ts';
import { ObjectMissingError, type ObjectStore, PreconditionFailedError } from '../ports.ts';
import { type Look, ok, type SetupItem } from './item.ts';
import type { BucketAdministration } from './ports.ts';

export function bucketItemName(bucket: string): string {
  return `bucket s3://${bucket}`;
}

/** A bucket of our own: created when it is missing. */
export function bucketItem(admin: BucketAdministration, bucket: string): SetupItem {
  return {
    name: bucketItemName(bucket),
    look: async () => ((await admin.exists(bucket)) ? ok('exists') : { state: 'missing', facts: ['does not exist'] }),
    create: () => admin.create(bucket),
  };
}

/** The input bucket belongs to those who store submissions; setup only looks at it. */
export function inputBucketItem(admin: BucketAdministration, input: ObjectStore): SetupItem {
  return {
    name: bucketItemName(input.bucket),
    look: async (signal) => {
      if (!(await admin.exists(input.bucket))) {
        const advice =
          'it belongs to those who store submissions and is never created here: correct TELEMETRY_INPUT_BUCKET';
        return { state: 'missing', facts: ['does not exist', advice] };
      }
      for await (const entry of input.list('', '/', signal)) {
        return ok(`can be listed; begins with ${entry.kind === 'folder' ? entry.name : entry.key}`);
      }
      return ok('can be listed; empty');
    },
  };
}

export function writesItemName(bucket: string, prefix: string): string {
  return `writes to s3://${bucket}/${prefix}`;
}

/**
 * Puts, gets and deletes a probe object, and checks that the store honours conditional writes. A store
 * that ignores conditions would lose commits silently, so it is refused.
 */
export function writesItem(store: ObjectStore, prefix: string): SetupItem {
  return {
    name: writesItemName(store.bucket, prefix),
    needs: [bucketItemName(store.bucket)],
    look: (signal) => lookAtWrites(store, prefix + probeName(randomUUID()), signal),
  };
}

async function lookAtWrites(store: ObjectStore, key: string, signal: AbortSignal): Promise<Look> {
  let ignored: string[];
  try {
    ignored = await ignoredConditions(store, key, signal);
  } finally {
    // Without the signal: the probe must be deleted even when time is up.
    await store.delete([key]);
  }
  if (ignored.length > 0) {
    const advice =
      'versions.json would lose commits on this store: use one with conditional PUT (S3, SeaweedFS, versitygw …)';
    return { state: 'refused', facts: [...ignored, advice] };
  }
  if ((await store.head(key, signal)) !== undefined)
    throw new Error(`the probe ${key} is still there after its deletion`);
  return ok('put, get and delete work; conditional writes are honoured');
}

/** Every write but the one that replaces the right ETag must fail; each sentence names one that did not fail. */
async function ignoredConditions(store: ObjectStore, key: string, signal: AbortSignal): Promise<string[]> {
  const ignored: string[] = [];
  const bodies = { first: Buffer.from('first'), second: Buffer.from('second'), third: Buffer.from('third') };
  if ((await refusal(store.replace(key, WRONG_ETAG, bodies.third, {}, signal))) === null)
    ignored.push('a PUT with If-Match for an object that does not exist was taken');
  await store.delete([key], signal);
  if ((await store.createOnce(key, bodies.first, {}, signal)) !== 'created')
    throw new Error(`${key} was there although nobody wrote it`);
  if ((await store.createOnce(key, bodies.second, {}, signal)) !== 'exists')
    ignored.push('a PUT with If-None-Match: * replaced an object');
  const { body, etag } = await store.get(key, { signal });
  if (ignored.length === 0 && !body.equals(bodies.first)) throw new Error(`${key} reads otherwise than it was written`);
  if ((await refusal(store.replace(key, WRONG_ETAG, bodies.third, {}, signal))) === null)
    ignored.push('a PUT with If-Match replaced an object that has another ETag');
  if (ignored.length > 0) return ignored;
  await store.replace(key, etag, bodies.second, {}, signal);
  const replaced = await store.get(key, { signal });
  if (!replaced.body.equals(bodies.second)) throw new Error(`${key} was not replaced by a PUT with its own ETag`);
  return [];
}

/** The shape of an MD5 in quotes, as every store makes them; of no object that is written here. */
const WRONG_ETAG = '"00000000000000000000000000000000"';

/** How the store refused; null when it took the write. Other errors are no answer and are rethrown. */
async function refusal(write: Promise<unknown>): Promise<Error | null> {
  try {
    await write;
    return null;
  } catch (error) {
    if (error instanceof PreconditionFailedError || error instanceof ObjectMissingError) return error;
    throw error;
  }
}

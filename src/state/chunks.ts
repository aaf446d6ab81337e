/** Merged chunks: a head that says what went in, and sorted parts by channel/version. */
import { type ChunkHead, type ChunkPart, parseChunkHead } from '../pipeline/aggregates/chunk-head.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readOrCreate } from './documents.ts';
import { stateKeys } from './keys.ts';
import { LocalObjects } from './local-objects.ts';

const HEAD: Codec<ChunkHead> = { what: 'the head of a merged chunk', parse: parseChunkHead };

/** The head that is stored, or what `merge` brings. */
export async function chunkHead(
  store: ObjectStore,
  run: RunRef,
  chunk: ChunkRef,
  merge: () => Promise<ChunkHead>,
  signal: AbortSignal,
): Promise<ChunkHead> {
  return (await readOrCreate(store, stateKeys.chunk(run, chunk), HEAD, merge, signal)).value;
}

/** Heads as local files, for a thread. */
export function localChunkHeads(store: ObjectStore, folder: string, signal: AbortSignal): LocalObjects {
  return new LocalObjects(store, folder, { what: HEAD.what, name: 'head' }, signal);
}

/** A part as a thread has written it to a local file. */
interface MergedPart extends Omit<ChunkPart, 'key'> {
  readonly path: string;
  readonly storedBytes: number;
}

export async function createChunkPart(
  store: ObjectStore,
  run: RunRef,
  chunk: ChunkRef,
  { path, storedBytes, channelVersion, sha256, slots, bytes }: MergedPart,
  signal: AbortSignal,
): Promise<ChunkPart> {
  const key = stateKeys.chunkPart(run, chunk, channelVersion, sha256);
  await store.createOnce(key, { path, size: storedBytes }, { contentType: 'application/zstd' }, signal);
  return { channelVersion, key, sha256, slots, bytes };
}

const HEAD_NAME = /^([1-9]\d*)-(\d+)-(\d+)\.json$/;

/** The chunk that a name below the run's chunks is the head of; undefined for any other name. */
export function parseChunkName(name: string): ChunkRef | undefined {
  const [, chunk, done, failed] = HEAD_NAME.exec(name) ?? [];
  return chunk === undefined ? undefined : { chunk: Number(chunk), done: Number(done), failed: Number(failed) };
}

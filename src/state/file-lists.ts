/** The lists of input files in the state, read line by line. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ObjectStore } from '../ports.ts';
import { textLines } from '../threads/lines.ts';

/** Input keys of a list, ascending; the reason behind a missing one stays in the state. */
export async function* keysOf(store: ObjectStore, listKey: string, signal: AbortSignal): AsyncGenerator<string> {
  const { body } = await store.get(listKey, { signal });
  const input = Readable.from([body]).pipe(createGunzip());
  for await (const line of textLines(input)) {
    if (line !== '') yield line.split('\t', 1)[0] ?? line;
  }
}

/**
 * Recognises gzip by its first two bytes: files of the original and of old stores are plain or compressed, whatever
 * their names.
 */
import { open } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The same of a file, without reading more of it. */
export async function isGzipFile(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return isGzip(buffer);
  } finally {
    await file.close();
  }
}

/** Far above every document. */
const MAX_BYTES = 256 << 20;

/** The text of a document, compressed or not. @throws RangeError for one that inflates to more than `maxBytes` */
export function inflatedText(body: Buffer, maxBytes = MAX_BYTES): string {
  return (isGzip(body) ? gunzipSync(body, { maxOutputLength: maxBytes }) : body).toString('utf8');
}

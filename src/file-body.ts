/** The bytes of a part of a file that is to be stored. */
import { open } from 'node:fs/promises';
import type { FileBody } from './ports.ts';

/** For bodies that fit into memory. A file that ends before them gives fewer bytes. */
export async function readBody({ path, start = 0, size }: FileBody): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

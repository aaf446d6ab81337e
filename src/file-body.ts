/** The bytes of a part of a file that is to be stored. */
import { open } from 'node:fs/promises';
import type { FileBody, ObjectBody } from './ports.ts';

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

/** Read at once: to open a file for each small part of it costs more than the part. */
const WINDOW = 4 << 20;

/**
 * Parts of files with their bodies, in their order. Neighbours in a file are read together, up to 4 MiB; a larger part stays
 * a part of its file.
 * @throws Error for a file that ends before its parts do
 */
export async function* withBodies<Part>(
  parts: readonly Part[],
  fileOf: (part: Part) => Required<FileBody>,
): AsyncGenerator<readonly [Part, ObjectBody]> {
  for (let place = 0; place < parts.length;) {
    const neighbours = neighboursFrom(parts, place, fileOf);
    const [first] = neighbours;
    if (first === undefined) return;
    const { path, start } = first.file;
    const size = neighbours.reduce((sum, { file }) => sum + file.size, 0);
    if (size > WINDOW) yield [first.part, first.file];
    else {
      const bytes = await readBody({ path, start, size });
      if (bytes.length < size) throw new Error(`${path} ends at ${start + bytes.length}, before what is stored of it`);
      for (const { part, file } of neighbours)
        yield [part, bytes.subarray(file.start - start, file.start - start + file.size)];
    }
    place += neighbours.length;
  }
}

interface Located<Part> {
  readonly part: Part;
  readonly file: Required<FileBody>;
}

/** The part at a place, and those behind it that follow it in its file, as far as they fit a window. */
function neighboursFrom<Part>(
  parts: readonly Part[],
  place: number,
  fileOf: (part: Part) => Required<FileBody>,
): Located<Part>[] {
  const found: Located<Part>[] = [];
  let size = 0;
  for (let next = place; next < parts.length; next += 1) {
    const part = parts[next] as Part;
    const file = fileOf(part);
    const before = found.at(-1)?.file;
    const follows = before === undefined || (file.path === before.path && file.start === before.start + before.size);
    if (!follows || (found.length > 0 && size + file.size > WINDOW)) break;
    found.push({ part, file });
    size += file.size;
  }
  return found;
}

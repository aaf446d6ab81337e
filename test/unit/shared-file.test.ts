import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { giveUp, type SharedFile, sharedFile, SharedFileWriter } from '../../src/threads/shared-file.ts';
import { cases } from '../fakes/cases.ts';

const work = mkdtempSync(join(tmpdir(), 'shared-file-'));
after(() => {
  rmSync(work, { recursive: true });
});

let files = 0;
function newFile(parts: number): SharedFile {
  return sharedFile(join(work, String(files++)), parts);
}

/** A part of so many bytes, each of them its number; written in pieces of one memory, as kernels write. */
function writePart(writer: SharedFileWriter, part: number, bytes: number, piece: number): void {
  const memory = Buffer.alloc(piece);
  writer.begin(part);
  for (let done = 0; done < bytes; done += piece) {
    const text = memory.subarray(0, Math.min(piece, bytes - done));
    writer.write(text.fill(part));
    text.fill(255);
  }
  writer.end();
}

const expected = (sizes: readonly number[]): Buffer =>
  Buffer.concat(sizes.map((bytes, part) => Buffer.alloc(bytes, part)));

describe('a file that threads write together', () => {
  it('has the parts in order, whoever writes which one when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.nat(3000), isSecond: fc.boolean() }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 700 }),
        (parts, piece) => {
          const file = newFile(parts.length);
          const writers = [new SharedFileWriter(file), new SharedFileWriter(file)];
          // The second one writes all of its parts before the first one begins, so it has to hold them.
          for (const isSecond of [true, false])
            for (const [part, { bytes, isSecond: ofSecond }] of parts.entries())
              if (ofSecond === isSecond) writePart(writers[isSecond ? 1 : 0] as SharedFileWriter, part, bytes, piece);
          for (const writer of writers) writer.finish();
          for (const writer of writers) writer.close();
          const sizes = parts.map(({ bytes }) => bytes);
          assert.ok(readFileSync(file.path).equals(expected(sizes)));
          assert.equal(
            writers.reduce((sum, { bytes }) => sum + bytes, 0),
            sizes.reduce((sum, bytes) => sum + bytes, 0),
          );
        },
      ),
      { numRuns: cases(100) },
    );
  });

  it('has them in order when they are larger than what a thread holds', async () => {
    const sizes = [3, 5 << 20, 1, 3 << 20, 0, 6 << 20, 2 << 20, 17, 4 << 20];
    const file = newFile(sizes.length);
    await Promise.all([0, 1, 2].map((thread) => inThread(file, sizes, thread, 3)));
    assert.ok(readFileSync(file.path).equals(expected(sizes)));
  });

  it('fails in the threads that wait for a part that never comes', async () => {
    const file = newFile(3);
    const waiting = inThread(file, [0, 5 << 20, 0], 1, 3);
    giveUp(file);
    await assert.rejects(waiting, /^Error: A thread that writes an earlier part of the file failed$/);
  });
});

/** A thread that writes each part whose number is its own, modulo the number of threads. */
async function inThread(file: SharedFile, sizes: readonly number[], thread: number, threads: number): Promise<void> {
  const code = `
    import { workerData } from 'node:worker_threads';
    const { SharedFileWriter } = await import(workerData.module);
    const { file, sizes, thread, threads } = workerData;
    const writer = new SharedFileWriter(file);
    const memory = Buffer.alloc(300_000);
    for (let part = thread; part < sizes.length; part += threads) {
      writer.begin(part);
      for (let left = sizes[part]; left > 0; left -= memory.length)
        writer.write(memory.subarray(0, Math.min(left, memory.length)).fill(part));
      writer.end();
    }
    writer.finish();
    writer.close();`;
  const module = new URL('../../src/threads/shared-file.ts', import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { module, file, sizes, thread, threads },
  });
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => {
      resolve();
    });
  });
}

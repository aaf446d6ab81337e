/** Parts of files that are stored: the same bytes, however they lie in their files, with few reads. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { readBody, withBodies } from '../../src/file-body.ts';

const MIB = 1 << 20;
const work = mkdtempSync(join(tmpdir(), 'file-body-'));
after(() => {
  rmSync(work, { recursive: true });
});

interface Part {
  readonly path: string;
  readonly start: number;
  readonly size: number;
}

async function bodies(parts: readonly Part[]) {
  const found: { bytes: Buffer; inMemory: boolean; behind: ArrayBufferLike }[] = [];
  for await (const [, body] of withBodies(parts, (part) => part)) {
    const bytes = Buffer.isBuffer(body) ? body : await readBody(body);
    found.push({ bytes, inMemory: Buffer.isBuffer(body), behind: bytes.buffer });
  }
  return found;
}

describe('parts of files', () => {
  const path = join(work, 'a');
  const content = Buffer.alloc(9 * MIB, 'telemetry');
  writeFileSync(path, content);
  const other = join(work, 'b');
  writeFileSync(other, 'other');

  it('have their own bytes, wherever they lie', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(5 * MIB), fc.nat(3 * MIB), fc.boolean())), async (drawn) => {
        let end = 0;
        const parts = drawn.map(([start, size, follows]) => {
          const part = { path, start: follows && end + size <= content.length ? end : start, size };
          end = part.start + size;
          return part;
        });
        const found = await bodies(parts);
        assert.equal(found.length, parts.length);
        for (const [place, { start, size }] of parts.entries())
          assert.ok(found[place]?.bytes.equals(content.subarray(start, start + size)));
      }),
      { numRuns: 30 },
    );
  });

  it('are read together when they follow each other, up to 4 MiB', async () => {
    const parts = Array.from({ length: 6 }, (_, place) => ({ path, start: place * MIB, size: MIB }));
    const found = await bodies([...parts, { path: other, start: 0, size: 5 }]);
    const windows = new Set(found.map(({ behind }) => behind));
    assert.equal(windows.size, 3);
  });

  it('larger than that stay parts of their file', async () => {
    const found = await bodies([
      { path, start: 0, size: 10 },
      { path, start: 10, size: 5 * MIB },
      { path, start: 5 * MIB + 10, size: 20 },
    ]);
    assert.deepEqual(
      found.map(({ inMemory, bytes }) => [inMemory, bytes.length]),
      [
        [true, 10],
        [false, 5 * MIB],
        [true, 20],
      ],
    );
  });

  it('of a file that ends before them are an error', async () => {
    await assert.rejects(bodies([{ path: other, start: 0, size: 6 }]), /ends at 5, before/);
  });

  it('none are none', async () => {
    assert.deepEqual(await bodies([]), []);
  });
});

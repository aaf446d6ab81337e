/** The folder of definitions stays within its limits, whatever is put into it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DiskCache } from '../../src/histogram-server/disk-cache.ts';

const revision = (number: number) => ({ repo: 'mozilla-central', revision: number.toString(16).padStart(12, '0') });
const NUMBERS = Array.from({ length: 10 }, (_, index) => index);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disk-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Ten files of 100 bytes, used a minute after each other. */
async function filled(limits: { maxBytes: number; maxFiles: number }): Promise<DiskCache> {
  const cache = new DiskCache(folder, { maxBytes: 1e9, maxFiles: 1e9 });
  for (const number of NUMBERS) {
    await cache.write(revision(number), Buffer.alloc(100));
    const used = new Date(Date.UTC(2014, 0, 1, 0, number));
    await utimes(cache.pathOf(revision(number)), used, used);
  }
  return new DiskCache(folder, limits);
}

async function kept(cache: DiskCache): Promise<number[]> {
  const names = new Set(await readdir(folder));
  return [...NUMBERS, 10].filter((number) => names.has(cache.pathOf(revision(number)).slice(folder.length + 1)));
}

describe('the disk cache of definitions', () => {
  for (const [what, limits] of [
    ['files', { maxBytes: 1e9, maxFiles: 10 }],
    ['bytes', { maxBytes: 1000, maxFiles: 1e9 }],
  ] as const) {
    it(`removes what was not used for the longest time when it holds too many ${what}`, async () => {
      const cache = await filled(limits);
      assert.equal((await cache.read(revision(0)))?.length, 100);
      await cache.write(revision(10), Buffer.alloc(100));
      assert.deepEqual(await kept(cache), [0, 3, 4, 5, 6, 7, 8, 9, 10]);
    });
  }

  it('keeps the newest file also when it alone is larger than the limit', async () => {
    const cache = await filled({ maxBytes: 1000, maxFiles: 1e9 });
    await cache.write(revision(10), Buffer.alloc(5000));
    assert.deepEqual(await kept(cache), [10]);
  });

  it('removes drafts of processes that were killed, and nothing that is not its own', async () => {
    const cache = await filled({ maxBytes: 1e9, maxFiles: 10 });
    const draft = `${cache.pathOf(revision(3))}.killed.tmp`;
    await writeFile(draft, 'x');
    await utimes(draft, 0, 0);
    await writeFile(join(folder, 'README'), 'x');
    await utimes(join(folder, 'README'), 0, 0);
    await cache.write(revision(10), Buffer.alloc(100));
    const names = await readdir(folder);
    assert.ok(names.includes('README') && !names.some((name) => name.endsWith('.tmp')));
    assert.equal(names.length, 1 + 9);
  });
});

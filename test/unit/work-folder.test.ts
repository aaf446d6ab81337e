import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inWorkFolder } from '../../src/work-folder.ts';

describe('inWorkFolder', () => {
  let parent = '';
  before(async () => {
    parent = join(await mkdtemp(join(tmpdir(), 'work-folder-')), 'not', 'there', 'yet');
  });
  after(() => rm(dirname(dirname(dirname(parent))), { recursive: true }));

  it('makes the work directory when it is not there', async () => {
    const folder = await inWorkFolder(parent, async (made) => {
      await writeFile(join(made, 'result.txt'), 'x');
      return made;
    });
    assert.equal(dirname(folder), parent);
    assert.equal(existsSync(folder), false);
  });

  it('tells why the work failed, and leaves nothing behind, although a part of it still writes', async () => {
    let written = 0;
    const work = async (folder: string): Promise<void> => {
      const goOn = async (): Promise<void> => {
        while (written < 1000) await writeFile(join(folder, String(written++)), 'x');
      };
      const parts = [1, 2, 3, 4].map(() => goOn().catch(() => undefined));
      void Promise.all(parts);
      while (written < 100) await new Promise(setImmediate);
      throw new Error('broken off');
    };
    await assert.rejects(inWorkFolder(parent, work), /broken off/);
    assert.deepEqual(await readdir(parent), []);
  });

  it('leaves nothing behind when the work fails', async () => {
    await assert.rejects(
      inWorkFolder(parent, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.deepEqual(await readdir(parent), []);
  });
});

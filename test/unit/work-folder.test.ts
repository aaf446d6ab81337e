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

  it('leaves nothing behind when the work fails', async () => {
    await assert.rejects(
      inWorkFolder(parent, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.deepEqual(await readdir(parent), []);
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { takeOwnerLock } from '../../local/stack/owner-lock.ts';
import { processStart } from '../../local/stack/process-facts.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'owner-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('takeOwnerLock', () => {
  it('is held by one at a time and free again after release', async () => {
    const first = await takeOwnerLock(folder);
    assert.ok(first.taken);
    assert.deepEqual(await takeOwnerLock(folder), { taken: false, pid: process.pid });
    await first.release();
    assert.ok((await takeOwnerLock(folder)).taken);
  });

  it('goes to exactly one of many that find a dead owner', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    const { pid = 0 } = child;
    const started = (await processStart(pid)) ?? 'gone';
    await once(child, 'exit');
    await writeFile(join(folder, '7'), `${pid} ${started}`);

    const results = await Promise.all(Array.from({ length: 12 }, () => takeOwnerLock(folder)));
    assert.equal(results.filter(({ taken }) => taken).length, 1);
  });

  it('is not held by a later process that has the id of a dead owner', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '1'), `${process.pid} another start`);
    assert.ok((await takeOwnerLock(folder)).taken);
  });
});

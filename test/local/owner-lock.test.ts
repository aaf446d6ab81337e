import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { takeOwnerLock } from '../../local/stack/owner-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'owner-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Rival = ChildProcessByStdio<Writable, Readable, null>;

/** A process that says it is ready, takes the lock once it is told to, says whether it got it, and stays. */
async function startRival(): Promise<Rival> {
  const program = `
    import { takeOwnerLock } from ${JSON.stringify(resolve('local/stack/owner-lock.ts'))};
    process.stdin.once('data', () => {
      process.stdout.write(takeOwnerLock(${JSON.stringify(folder)}).taken ? 'taken' : 'held');
    });
    process.stdout.write('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  assert.equal(await saidBy(child), 'ready');
  return child;
}

async function saidBy(rival: Rival): Promise<string> {
  const [text] = (await once(rival.stdout, 'data')) as [Buffer];
  return text.toString();
}

async function kill(rival: Rival): Promise<void> {
  const ended = once(rival, 'exit');
  rival.kill('SIGKILL');
  await ended;
}

describe('takeOwnerLock', () => {
  it('is held by one at a time and free again after release', () => {
    const first = takeOwnerLock(folder);
    assert.ok(first.taken);
    assert.deepEqual(takeOwnerLock(folder), { taken: false, holder: `process ${process.pid}` });
    first.release();
    const second = takeOwnerLock(folder);
    assert.ok(second.taken);
    second.release();
  });

  it('goes to exactly one of many that find a dead owner', async () => {
    const dead = await startRival();
    dead.stdin.write('go');
    assert.equal(await saidBy(dead), 'taken');
    assert.deepEqual(takeOwnerLock(folder), { taken: false, holder: `process ${dead.pid ?? 0}` });
    await kill(dead);

    const rivals = await Promise.all([1, 2, 3, 4].map(startRival));
    const answers = rivals.map(saidBy);
    for (const { stdin } of rivals) stdin.write('go');
    assert.deepEqual((await Promise.all(answers)).toSorted(), ['held', 'held', 'held', 'taken']);
    await Promise.all(rivals.map(kill));
  });

  it('is not taken from a process that is alive by one that finds no word of it', async () => {
    const rival = await startRival();
    rival.stdin.write('go');
    assert.equal(await saidBy(rival), 'taken');
    await rm(join(folder, 'holder'));
    assert.deepEqual(takeOwnerLock(folder), { taken: false, holder: 'another process' });
    await kill(rival);
  });
});

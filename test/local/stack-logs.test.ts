/** `telemetry --local logs`: the last lines of each part, what comes after them, and what it says without a stack. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually } from '../fakes/eventually.ts';

const directory = mkdtempSync(join(tmpdir(), 'stack-logs-'));
after(() => {
  rmSync(directory, { recursive: true });
});
writeFileSync(join(directory, 'worker.log'), 'one\ntwo\nthree\n');
writeFileSync(join(directory, 'temporal.log'), 'started \u001b[2J\n');

const args = (...more: string[]): string[] => ['local/cli.ts', '--local-directory', directory, 'logs', ...more];
const run = (...more: string[]) => spawnSync(process.execPath, args(...more), { encoding: 'utf8' });

describe('telemetry logs', () => {
  it('shows the last lines of each part, also of a stack that has ended', () => {
    const { stdout, status } = run('--lines', '2');
    assert.equal(status, 0);
    assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
      'temporal: started \\u001b[2J',
      'worker: three',
      'worker: two',
    ]);
  });

  it('follows the part that is named until it is told to end', async () => {
    const child = spawn(process.execPath, args('worker', '--follow', '--lines', '0'), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    let written = 0;
    await eventually(async () => {
      appendFileSync(join(directory, 'worker.log'), `new ${(written += 1)}\nhalf`);
      assert.match(text, /^worker: (half)?new \d+\n/);
    });
    assert.doesNotMatch(text, /three/);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  for (const [what, more, says] of [
    ['an unknown part', ['sqs'], /There is no log of sqs; there are those of/],
    ['a wrong number', ['--lines', 'x'], /--lines x: give a number of lines/],
  ] as const)
    it(`refuses ${what} in one sentence`, () => {
      const { stderr, status } = run(...more);
      assert.equal(status, 2);
      assert.match(stderr, says);
    });

  it('of a deployment says where the logs are', () => {
    const { stderr, status } = spawnSync(process.execPath, ['src/cli.ts', 'logs'], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /journalctl -u telemetry-worker/);
  });
});

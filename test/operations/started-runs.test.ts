/** Runs that a command starts or follows: what a script gets when the command ends and the run goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Deployment } from '../system/deployment.ts';

const DAY = '20131029';

let deployment: Deployment;
before(async () => {
  // No worker: the runs only wait.
  deployment = await Deployment.start({ TELEMETRY_FOREIGN_RESULTS: 'adopt' });
});
after(async () => {
  await deployment.stop();
});

describe('--detach', () => {
  for (const [args, workflowId] of [
    [['run-day', '--day', DAY], `daily-analysis-${DAY}`],
    [['investigate', 'x', '--day', DAY], 'investigation-x'],
    [['aggregate'], 'continuous-aggregation'],
  ] as const) {
    it(`of ${args[0]} says what it started; with --json it prints the id, and nothing else`, async () => {
      const { code, stdout, stderr } = await deployment.telemetry(...args, '--detach', '--json');
      assert.deepEqual([code, JSON.parse(stdout)], [0, { workflowId }], stderr);
      assert.match(stderr, new RegExp(`^started ${workflowId}`));
    });
  }
});

describe('a command that follows a run', () => {
  it('finds a run by its day before a worker has taken it', async () => {
    const again = await deployment.telemetry('run-day', '--day', DAY, '--detach', '--json');
    assert.deepEqual(
      [again.code, JSON.parse(again.stdout)],
      [0, { workflowId: `daily-analysis-${DAY}` }],
      again.stderr,
    );
    assert.match(again.stderr, /is at work on 20131029 already/);
  });

  async function toldToEnd(signal: NodeJS.Signals, repeats: boolean) {
    const child = spawn(process.execPath, [resolve('src/cli.ts'), 'follow', DAY], {
      env: deployment.environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    let again: NodeJS.Timeout | undefined;
    child.stderr.on('data', (text: Buffer) => {
      const begins = !stderr.includes(': waiting');
      stderr += text.toString();
      if (!begins || !stderr.includes(': waiting')) return;
      child.kill(signal);
      if (repeats) again = setInterval(() => child.kill(signal), 1);
    });
    const [code, by] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearInterval(again);
    assert.match(stderr, new RegExp(`daily-analysis-${DAY} goes on by itself: "telemetry follow`));
    return { code, by };
  }

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`told to end by ${signal} says that the run goes on, and ends with ${exitCode}`, async () => {
      assert.deepEqual(await toldToEnd(signal, false), { code: exitCode, by: null });
    });
  }

  it('told to end again and again, as by npm and the terminal, says so all the same', async () => {
    const { code, by } = await toldToEnd('SIGINT', true);
    // The last one may meet a process at its very end, which Node.js leaves to the signal; to a shell that is 130 too.
    assert.ok(code === 130 || by === 'SIGINT', String(code));
  });
});

/** However a long-running command is told to end, it ends cleanly and leaves nothing behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Deployment, until } from '../system/deployment.ts';

let deployment: Deployment;
before(async () => {
  deployment = await Deployment.start();
});
after(async () => {
  await deployment.stop();
});

const STARTED: Readonly<Record<string, string>> = {
  worker: 'worker started',
  'analysis-worker': 'analysis worker started',
  'histogram-server': 'histogram server started',
};
const STOPPED: Readonly<Record<string, string>> = {
  worker: 'worker stopped',
  'analysis-worker': 'analysis worker stopped',
  'histogram-server': 'histogram server stopped',
};
const MARK = 'TELEMETRY_TEST_OF_SIGNALS';
let starts = 0;

interface Started {
  readonly child: ChildProcess;
  readonly log: () => string;
  /** Pids of all that were started with it and are still there. */
  readonly left: () => Promise<number[]>;
}

/** @param by `node`: the command itself, as a supervisor starts it; `npm`: as the README says */
async function start(command: string, by: 'node' | 'npm'): Promise<Started> {
  const mark = `${process.pid}-${(starts += 1)}`;
  const logFile = join(deployment.directory, `signals-${mark}.log`);
  const out = openSync(logFile, 'a');
  const [program, args] =
    by === 'node'
      ? [process.execPath, [resolve('src/cli.ts'), command]]
      : ['npm', ['run', '--silent', 'telemetry', '--', command]];
  const child = spawn(program, args, {
    // A process group of its own, as a terminal or a supervisor makes one.
    detached: true,
    env: {
      ...deployment.environment,
      [MARK]: mark,
      TELEMETRY_HISTOGRAM_PORT: '0',
      TELEMETRY_HISTOGRAM_UPSTREAM: 'none',
    },
    stdio: ['ignore', out, out],
  });
  const log = (): string => readFileSync(logFile, 'utf8');
  const hasStarted = async (): Promise<true | undefined> =>
    log().includes(STARTED[command] ?? '?') ? true : undefined;
  await until(`${command} by ${by} starts`, hasStarted, 60_000).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${log()}`);
  });
  return { child, log, left: () => processesWith(mark) };
}

async function processesWith(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const marked = pids.map(async (pid) => {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return environment.includes(`${MARK}=${mark}\0`) ? [Number(pid)] : [];
  });
  return (await Promise.all(marked)).flat();
}

function signal(child: ChildProcess, name: NodeJS.Signals, to: 'process' | 'group'): void {
  const pid = child.pid ?? assert.fail('no pid');
  process.kill(to === 'group' ? -pid : pid, name);
}

async function assertEnds({ child, log, left }: Started, command: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await until(`nothing of ${command} is left`, async () => ((await left()).length === 0 ? true : undefined), 20_000);
  assert.ok(log().includes(STOPPED[command] ?? '?'), `no clean end: ${log().slice(-2000)}`);
}

describe('long-running commands', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  for (const command of Object.keys(STARTED)) {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      it(`${command} ends at ${name}, and at a second one`, async () => {
        const started = await start(command, 'node');
        signal(started.child, name, 'process');
        signal(started.child, name, 'process');
        await assertEnds(started, command);
        // The second one may meet a process that is at its very end, which Node.js leaves to the signal.
        const { exitCode, signalCode } = started.child;
        assert.ok(exitCode === 0 || signalCode === name, started.log().slice(-2000));
      });
    }
  }

  for (const [name, to] of [
    ['SIGTERM', 'process'],
    ['SIGTERM', 'group'],
    ['SIGINT', 'process'],
    ['SIGINT', 'group'],
    ['SIGHUP', 'process'],
    ['SIGHUP', 'group'],
    ['SIGKILL', 'process'],
  ] as const) {
    it(`analysis-worker, started by npm, ends at ${name} to npm’s ${to}`, async () => {
      const started = await start('analysis-worker', 'npm');
      signal(started.child, name, to);
      await assertEnds(started, 'analysis-worker');
    });
  }

  it('worker, started by npm, ends at SIGTERM to the group, twice', async () => {
    const started = await start('worker', 'npm');
    signal(started.child, 'SIGTERM', 'group');
    signal(started.child, 'SIGTERM', 'group');
    await assertEnds(started, 'worker');
  });
});

/** However a long-running command is told to end, it ends cleanly and leaves nothing behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMessageQueues } from '../../src/aws/sqs.ts';
import { loadConfig } from '../../src/config.ts';
import { encodeTaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { runId } from '../fakes/day-run.ts';
import { Deployment, until } from '../system/deployment.ts';
import { onSecondServices } from '../system/test-stack.ts';

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
async function start(
  command: string,
  by: 'node' | 'npm',
  { args: more = [], settings = {} }: { args?: readonly string[]; settings?: Readonly<Record<string, string>> } = {},
): Promise<Started> {
  const mark = `${process.pid}-${(starts += 1)}`;
  const logFile = join(deployment.directory, `signals-${mark}.log`);
  const out = openSync(logFile, 'a');
  const [program, args] =
    by === 'node'
      ? [process.execPath, [resolve('src/cli.ts'), command, ...more]]
      : ['npm', ['run', '--silent', 'telemetry', '--', command]];
  const child = spawn(program, args, {
    // A process group of its own, as a terminal or a supervisor makes one.
    detached: true,
    env: {
      ...deployment.environment,
      [MARK]: mark,
      TELEMETRY_HISTOGRAM_PORT: '0',
      TELEMETRY_HISTOGRAM_UPSTREAM: 'none',
      ...settings,
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

describe(
  'an analysis worker that ends in the middle of a task',
  {
    // ElasticMQ goes on with the long poll of a worker that is gone, and gives it the next message for two minutes.
    skip: onSecondServices ? 'on the embedded services only' : process.platform !== 'linux' && 'reads /proc',
  },
  () => {
    const SLOW = `sh -c 'echo at work; sleep 600' slow`;

    /** A worker with a task at hand that takes ten minutes, and its queue. */
    async function atWork(settings: Readonly<Record<string, string>> = {}) {
      const config = loadConfig({ ...deployment.environment });
      const queue = config.TELEMETRY_TASK_QUEUE;
      const queues = createMessageQueues({
        region: 'us-west-2',
        endpoint: deployment.environment['AWS_ENDPOINT_URL_SQS'],
      });
      const job = { name: 'signals', owner: 'test', code: '', targetQueue: config.TELEMETRY_DONE_QUEUE };
      await queues.send(queue, [encodeTaskMessage({ id: `${runId(1)}/1`, files: [], size: 0 }, job)]);
      const started = await start('analysis-worker', 'node', { args: ['--processor', SLOW], settings });
      const isAtWork = async (): Promise<true | undefined> => (started.log().includes('at work') ? true : undefined);
      await until('the task is at hand', isAtWork, 60_000);
      const comesAgain = async (): Promise<void> => {
        const [message] = await until(
          'the task comes again',
          async () => {
            const received = await queues.receive(queue, { waitSeconds: 0, visibilitySeconds: 60 });
            return received.length > 0 ? received : undefined;
          },
          8_000,
        );
        await queues.deleteMessages(queue, [message?.receiptHandle ?? '']);
      };
      return { ...started, queues, queue, comesAgain };
    }

    it('by SIGTERM hands its task back at once, and ends what was working on it', async () => {
      const { queues, queue, comesAgain, ...started } = await atWork();
      signal(started.child, 'SIGTERM', 'process');
      await assertEnds(started, 'analysis-worker');
      assert.equal((await queues.depth(queue)).visible, 1);
      await comesAgain();
      queues.close();
    });

    it('by SIGKILL costs the visibility that it has asked for, not that of the queue', async () => {
      const { queues, comesAgain, ...started } = await atWork({ TELEMETRY_TASK_VISIBILITY_SECONDS: '3' });
      signal(started.child, 'SIGKILL', 'process');
      await comesAgain();
      queues.close();
      // Nobody was left to end these.
      for (const pid of await started.left()) process.kill(pid, 'SIGKILL');
    });

    it('twin: by SIGKILL keeps its task away for as long as it has asked for', async () => {
      const { queues, comesAgain, ...started } = await atWork({ TELEMETRY_TASK_VISIBILITY_SECONDS: '1800' });
      signal(started.child, 'SIGKILL', 'process');
      await assert.rejects(comesAgain(), /the task comes again/);
      queues.close();
      for (const pid of await started.left()) process.kill(pid, 'SIGKILL');
    });
  },
);

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CENTRAL, CENTRAL_URL, SMALL } from '../fakes/histogram-server.ts';
import { LoopbackUpstream } from '../fakes/loopback-upstream.ts';
import { runToEnd, until } from './deployment.ts';

const DEADLINE_MS = 20_000;

describe('telemetry histogram-server', () => {
  let work: string;
  let upstream: LoopbackUpstream;
  let child: ChildProcess | undefined;
  let output: string;
  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), 'histogram-server-'));
    upstream = await LoopbackUpstream.start();
    output = '';
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await upstream.stop();
    await rm(work, { recursive: true });
  });

  const settings = (): Record<string, string | undefined> => ({
    ...process.env,
    TELEMETRY_HISTOGRAM_UPSTREAM: upstream.template(),
    TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE: 'true',
    TELEMETRY_HISTOGRAM_CACHE: join(work, 'cache'),
    TELEMETRY_HISTOGRAM_PORT: '0',
  });
  const lines = (): Record<string, unknown>[] =>
    output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  async function start(): Promise<string> {
    const started = spawn(process.execPath, [resolve('src/cli.ts'), 'histogram-server'], { env: settings() });
    child = started;
    started.stdout.on('data', (text: Buffer) => (output += text.toString()));
    return until(
      'the address',
      async () => lines().find(({ msg }) => msg === 'histogram server started')?.['address'] as string | undefined,
      DEADLINE_MS,
    );
  }

  async function stop(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(child ?? assert.fail('not started'), 'close');
    child?.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }

  it('listens on loopback, fetches, keeps what it fetched, and ends with exit code 0', async () => {
    upstream.serve(CENTRAL, SMALL);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      output = '';
      const address = await start();
      assert.equal(new URL(address).hostname, '127.0.0.1');
      const answer = await fetch(`${address}/histograms?revision=${CENTRAL_URL}`);
      assert.deepEqual([answer.status, await answer.text()], [200, SMALL]);
      assert.equal(await stop(signal), 0);
      assert.equal(lines().at(-1)?.['msg'], 'histogram server stopped');
    }
    assert.deepEqual(upstream.asked, [CENTRAL]);
  });

  it('answers whoever waits for the upstream before it ends', async () => {
    upstream.answers.set(CENTRAL, () => undefined);
    const address = await start();
    const waiting = fetch(`${address}/histograms?revision=${CENTRAL_URL}`);
    await until('the upstream request', async () => (upstream.asked.length > 0 ? true : undefined), DEADLINE_MS);
    const startedAt = performance.now();
    assert.equal(await stop('SIGTERM'), 0);
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal((await waiting).status, 502);
  });

  it('logs constant messages, and nothing of a revision URL that it refused', async () => {
    const address = await start();
    await fetch(`${address}/histograms?revision=https://evil.example/SECRET/rev/518f5bff0ae4`);
    await fetch(`${address}/histograms?revision=${CENTRAL_URL}`);
    await stop('SIGTERM');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['histogram server started', 'revision not obtained', 'histogram server stopped'],
    );
    assert.equal(lines()[1]?.['fault'], 'not_found');
    assert.ok(!output.includes('SECRET'));
  });

  it('refuses a plain http upstream that is not said to be private, before it listens', async () => {
    const { code, stderr } = await runToEnd(process.execPath, [resolve('src/cli.ts'), 'histogram-server'], {
      ...settings(),
      TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE: 'false',
    });
    assert.equal(code, 2);
    assert.match(stderr, /TELEMETRY_HISTOGRAM_UPSTREAM: must be https/);
  });

  it('says so when its port is taken', async () => {
    const { code, stderr } = await runToEnd(process.execPath, [resolve('src/cli.ts'), 'histogram-server'], {
      ...settings(),
      TELEMETRY_HISTOGRAM_PORT: String(upstream.port),
    });
    assert.equal(code, 1);
    assert.match(stderr, /EADDRINUSE/);
  });
});

/** Revisions that submissions name: hostile ones, and an upstream that answers anything but definitions. The day is published whatever they do, and nobody else is asked. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { counted } from '../../src/pipeline/plain-text.ts';
import { LoopbackUpstream } from '../fakes/loopback-upstream.ts';
import { faultTest } from './harness/fault-test.ts';
import { CHANNEL_VERSIONS, type MadeUpRow, resultText, REVISION } from './harness/made-up-days.ts';
import { judge } from './harness/oracle.ts';
import type { Scene } from './harness/scene.ts';
import { faultStage } from './harness/stage.ts';

const DAY = '20131029';
const NEXT_DAY = '20131030';
const MIB = 1 << 20;
const REV = 'rev/518f5bff0ae4';
/** Fits the rows of the made-up days. */
const GOOD = definition('GC_MS', 5);

function definition(measure: string, buckets: number): string {
  const real = { kind: 'linear', low: 1, high: 9, n_buckets: buckets, description: 'real' };
  return JSON.stringify({ [measure]: real });
}

/** @param inside port of a service on this machine that nobody has asked to publish anything */
function hostileRevisions(inside: number): string[] {
  const hosts = [
    '169.254.169.254',
    '[fd00:ec2::254]',
    'metadata.google.internal',
    `127.0.0.1:${inside}`,
    `localhost:${inside}`,
    `2130706433:${inside}`,
    `0x7f000001:${inside}`,
    `0x7f.1:${inside}`,
    `0177.0.0.1:${inside}`,
    `127.1:${inside}`,
    `[::1]:${inside}`,
    `[::ffff:127.0.0.1]:${inside}`,
    `hg.mozilla.org@127.0.0.1:${inside}`,
    `hg.mozilla.org:443@127.0.0.1:${inside}`,
    `127.0.0.1:${inside}\\@hg.mozilla.org`,
    `hg.mozilla.org:${inside}`,
    'hg.mozilla.org.evil.example',
    'evil-hg.mozilla.org',
  ];
  return [
    // The repositories differ, since revisions are remembered by repository and id.
    ...hosts.map((host, index) => `http://${host}/hostile-${index}/${REV}`),
    `http://127.0.0.1:${inside}/a@hg.mozilla.org/${REV}`,
    `http://hg.mozilla.org/../../admin/${REV}`,
    `http://hg.mozilla.org/%2e%2e/%2e%2e/admin/${REV}`,
    `http://hg.mozilla.org/x@127.0.0.1:${inside}/${REV}`,
    `http://hg.mozilla.org/a\r\nHost: 127.0.0.1:${inside}/${REV}`,
    `http://hg.mozilla.org/a\0/${REV}`,
    `file:///etc/passwd/${REV}`,
    `gopher://127.0.0.1:${inside}/a/${REV}`,
  ];
}

/** One row for each revision, of a measure of its own. */
function rowsOf(revisions: readonly string[], channelVersions: readonly string[]): MadeUpRow[] {
  return channelVersions.flatMap((channelVersion) =>
    revisions.map((revision, index) => ({
      channelVersion,
      measure: `ODD_${index}`,
      byDate: 'by-build-date' as const,
      date: '20131028',
      path: 'saved_session/Firefox/WINNT/6.1/x86',
      values: [index, 2, 3, 4, 1, 1, 1, 0, 1],
      buildId: '20131028030204',
      revision,
    })),
  );
}

/** Into the result of the task that comes first. */
function addToOneResult(scene: Scene, rows: readonly MadeUpRow[]): void {
  let chosen = '';
  scene.analysts.script = {
    resultOf: ({ id }, made) => ((chosen ||= id) === id ? made + resultText(rows) : made),
  };
}

async function withServers<T>(use: (upstream: LoopbackUpstream, inside: LoopbackUpstream) => Promise<T>): Promise<T> {
  const [upstream, inside] = await Promise.all([LoopbackUpstream.start(), LoopbackUpstream.start()]);
  try {
    return await use(upstream, inside);
  } finally {
    await Promise.all([upstream.stop(), inside.stop()]);
  }
}

type Definitions = Readonly<Record<string, { readonly description: string } | undefined>>;

/** Descriptions by measure, as published. */
async function published(scene: Scene, channelVersion: string): Promise<ReadonlyMap<string, string | undefined>> {
  const { body } = await scene.published.get(`v7/${await scene.currentFolder(channelVersion)}/histograms.json`);
  const all = JSON.parse(gunzipSync(body).toString('utf8')) as Definitions;
  return new Map(Object.entries(all).map(([measure, found]) => [measure, found?.description]));
}

function hasWarning(warnings: readonly string[], pending: number): void {
  const expected = `${counted(pending, 'measure')} ${pending === 1 ? 'has' : 'have'} no histogram definition yet`;
  assert.ok(
    warnings.some((warning) => warning.startsWith(expected)),
    `a warning "${expected}" among: ${warnings.join('; ')}`,
  );
}

/** It has connected to these, each of them and nobody else, and looked up no name. */
async function assertConnected(log: string, ...urls: readonly string[]): Promise<void> {
  const noted = new Set((await readFile(log, 'utf8')).trim().split('\n'));
  const hosts = urls.map((url) => new URL(url).host);
  assert.deepEqual([...noted].toSorted(), hosts.toSorted(), 'whom it has connected to');
}

/** Of a histogram server that is asked for the revision. */
function pathOf(revision: string): string {
  const { pathname, search } = new URL(`http://server/histograms?revision=${encodeURIComponent(revision)}`);
  return pathname + search;
}

/** As the original's histogram server, which got whatever it was asked for. */
async function relay(url: string, response: ServerResponse): Promise<void> {
  try {
    response.end(await (await fetch(url)).text());
  } catch {
    response.writeHead(500).end();
  }
}

interface OddAnswer {
  readonly answer: (response: ServerResponse, inside: LoopbackUpstream) => void;
  /** So often it is asked for, however many wait for it. */
  readonly requests: number;
  /** Of the histogram server's own answer. */
  readonly status: number;
}

const ODD_ANSWERS: readonly OddAnswer[] = [
  { answer: () => undefined, requests: 1, status: 504 },
  { answer: (response) => response.writeHead(404).end('no such revision'), requests: 1, status: 404 },
  { answer: (response) => response.writeHead(500).end('out of order'), requests: 3, status: 502 },
  { answer: (response) => fiftyMegabytes().pipe(response), requests: 1, status: 502 },
  { answer: (response) => response.end('<html>Sign in, please</html>'), requests: 1, status: 502 },
  {
    answer: (response, { port }) => response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
    requests: 1,
    status: 502,
  },
];

/** Good JSON, whose length nobody has told before. */
function fiftyMegabytes(): Readable {
  return Readable.from([...Array.from({ length: 50 }, () => Buffer.alloc(MIB, ' ')), GOOD]);
}

const ODD_IDS = ODD_ANSWERS.map((_, index) => String(index).repeat(12));
const ODD_REVISIONS = ODD_IDS.map((id) => `http://hg.mozilla.org/releases/odd/rev/${id}`);

/** Starts a histogram server and a worker that asks it. */
async function startBoth(scene: Scene, upstream: LoopbackUpstream, round: number) {
  const cache = join(scene.directory, `cache-${round}`);
  const logs = { server: join(scene.directory, `server-${round}`), worker: join(scene.directory, `worker-${round}`) };
  const started = await scene.logged('histogram server started');
  const server = scene.startProgram('histogram-server', {
    TELEMETRY_HISTOGRAM_UPSTREAM: upstream.template(),
    TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE: 'true',
    TELEMETRY_HISTOGRAM_UPSTREAM_SECONDS: '5',
    TELEMETRY_HISTOGRAM_CACHE: cache,
    TELEMETRY_HISTOGRAM_PORT: '0',
    CONNECTIONS_LOG: logs.server,
  });
  const address = await scene.until('the address of the histogram server', async () => {
    const addresses = [...(await scene.logs()).matchAll(/"address":"([^"]+)".*"histogram server started"/g)];
    return addresses[started]?.[1];
  });
  const worker = scene.startWorker({
    TELEMETRY_HISTOGRAM_SERVER: address,
    TELEMETRY_THREADS: '3',
    CONNECTIONS_LOG: logs.worker,
  });
  return { programs: [server, worker], address, logs };
}

describe('F22: definitions', { concurrency: 2 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F22',
    title: 'of hostile revisions among good ones are not asked for',
    injected: 'hostile revision URLs; a histogram server that gets what it is told',
    story: (scene) =>
      withServers(async (server, inside) => {
        const hostile = hostileRevisions(inside.port);
        for (const url of hostile.filter((one) => one.includes(`:${inside.port}/`)))
          server.answers.set(pathOf(url), (response) => void relay(url, response));
        const good = pathOf(REVISION);
        // So long that all channel/versions wait for it together.
        server.answers.set(good, (response) => void delay(1000).then(() => response.end(GOOD)));
        await scene.storeDay(DAY, 12);
        const rows = rowsOf(hostile, ['nightly/28']);
        addToOneResult(scene, rows);
        scene.watchPublished();
        const log = join(scene.directory, 'connections');
        scene.startWorker({
          TELEMETRY_HISTOGRAM_SERVER: `http://127.0.0.1:${server.port}`,
          TELEMETRY_THREADS: '3',
          CONNECTIONS_LOG: log,
        });
        const result = await scene.runDay(DAY);
        assert.deepEqual(inside.asked, [], 'nobody inside is asked');
        assert.deepEqual(server.asked, [good], 'one revision is asked for, once for all channel/versions');
        await assertConnected(log, scene.s3.url, scene.sqs.url, `http://127.0.0.1:${server.port}`);
        hasWarning(result.warnings, hostile.length);
        const shown = await published(scene, 'nightly/28');
        assert.equal(shown.get('GC_MS'), 'real');
        for (const { measure } of rows) assert.equal(shown.get(measure), 'definition unavailable', measure);
        await judge(scene, { seq: 1, results: [result], more: rows });
        return {
          times: hostile.length,
          seen: '0 requests inside, 1 for the good revision; warning, derived definitions',
        };
      }),
    twin: { without: 'anyRevisionHost', fails: /nobody inside is asked/ },
  });

  faultTest(stage, {
    id: 'F22',
    title: 'from an upstream that answers anything else, and later from one that is well again',
    injected: 'upstream silent, 404, 500, 50 MB, not JSON, redirect to a service inside',
    story: (scene) =>
      withServers(async (upstream, inside) => {
        const good = new URL(REVISION).pathname.replace('/rev/', '/');
        upstream.serve(good, GOOD);
        ODD_ANSWERS.forEach(({ answer }, index) => {
          upstream.answers.set(`/releases/odd/${ODD_IDS[index]}`, (response) => {
            answer(response, inside);
          });
        });
        await scene.storeDay(DAY, 12);
        await scene.storeDay(NEXT_DAY, 12);
        const rows = rowsOf(ODD_REVISIONS, CHANNEL_VERSIONS);
        addToOneResult(scene, rows);
        scene.watchPublished();
        const first = await startBoth(scene, upstream, 1);
        const result = await scene.runDay(DAY);
        assert.deepEqual(inside.asked, [], 'nobody inside is asked');
        hasWarning(result.warnings, rows.length);
        const asked = ODD_ANSWERS.flatMap(({ requests }, index) =>
          Array.from({ length: requests }, () => `/releases/odd/${ODD_IDS[index]}`),
        );
        const statuses = await Promise.all(
          [...ODD_REVISIONS, REVISION, `http://127.0.0.1:${inside.port}/a/${REV}`].map(
            async (revision) => (await fetch(first.address + pathOf(revision))).status,
          ),
        );
        assert.deepEqual(statuses, [...ODD_ANSWERS.map(({ status }) => status), 200, 400]);
        assert.deepEqual(
          upstream.asked.toSorted(),
          [...asked, good].toSorted(),
          'each is fetched once for all that wait for it, and not again soon',
        );
        await assertConnected(first.logs.worker, scene.s3.url, scene.sqs.url, first.address);
        await assertConnected(first.logs.server, `http://127.0.0.1:${upstream.port}`);
        await Promise.all(first.programs.map((program) => scene.end(program, 'SIGTERM')));

        ODD_IDS.forEach((id, index) => {
          upstream.serve(`/releases/odd/${id}`, definition(`ODD_${index}`, 3));
        });
        await startBoth(scene, upstream, 2);
        const next = await scene.runDay(NEXT_DAY);
        assert.ok(!next.warnings.some((warning) => warning.includes('definition')), next.warnings.join('; '));
        for (const channelVersion of CHANNEL_VERSIONS) {
          const shown = await published(scene, channelVersion);
          for (const { measure } of rows) assert.equal(shown.get(measure), 'real', `${channelVersion} ${measure}`);
        }
        await judge(scene, { seq: 2, results: [result, next], more: rows });
        return {
          times: asked.length,
          seen: `${asked.length} requests for ${rows.length} measures, published with a warning; real ones a day later`,
        };
      }),
    twin: { without: 'unguardedGet', fails: /nobody inside is asked/ },
  });
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, it, mock } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import type { ActivityPorts } from '../../src/activities/ports.ts';
import { loadConfig } from '../../src/config.ts';
import { publishRevisionCache } from '../../src/histogram-server/configured-cache.ts';
import { MANIFEST_NAME } from '../../src/pipeline/dataset/manifest.ts';
import { histogramsFile } from '../../src/composition.ts';
import { createThreadPool } from '../../src/threads/pool.ts';
import { Application } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { CENTRAL, eachWithHistogramServer } from '../fakes/histogram-server.ts';
import { ledgerOf, snapshotOf } from '../fakes/published-space.ts';

const CHANNEL_VERSIONS = ['nightly/28', 'aurora/27'];
/** Three buckets, as the rows of these tests have. */
const FILE = '{"GC_MS":{"kind":"linear","low":1,"high":"1 * 2","n_buckets":3,"description":"real"}}';
const REAL = { kind: 'linear', low: 1, high: 2, n_buckets: 3, description: 'real' };
const DERIVED = { kind: 'enumerated', n_values: 2, description: 'definition unavailable' };

type Published = readonly (readonly [file: string, text: string])[];

describe('the definitions of a publish', () => {
  const server = eachWithHistogramServer();
  afterEach(() => {
    mock.timers.reset();
  });

  const upstream = (): Record<string, string> => ({
    TELEMETRY_HISTOGRAM_SERVER: 'in-process',
    TELEMETRY_HISTOGRAM_UPSTREAM: server().upstream.template(),
    TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE: 'true',
    TELEMETRY_HISTOGRAM_CACHE: join(server().work, 'worker-cache'),
  });

  /** An application whose worker has this configuration. */
  async function withApplication(
    settings: Readonly<Record<string, string>>,
    work: (app: Application) => Promise<void>,
    threads?: ActivityPorts['threads'],
  ): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'definitions-'));
    const revisions = publishRevisionCache(loadConfig(settings));
    try {
      const app = new Application(folder);
      const findHistogramsFile = revisions === null ? null : (url: string) => histogramsFile(revisions, url);
      Object.assign(
        app.activities,
        createActivities({ ...app.ports(), findHistogramsFile, ...(threads !== undefined && { threads }) }),
      );
      await work(app);
    } finally {
      revisions?.close();
      mock.timers.reset();
      await rm(folder, { recursive: true });
    }
  }

  async function publish(app: Application, day = '20131029'): Promise<void> {
    const run = new DayRun(app, Number(day), day);
    await run.analyse(CHANNEL_VERSIONS.map((channelVersion) => inputKey(channelVersion, 'a', day)));
    assert.equal((await run.publish()).outcome, 'committed');
  }

  const published = (app: Application): Published =>
    CHANNEL_VERSIONS.flatMap((name) => [...snapshotOf(app, name)].filter(([file]) => file !== MANIFEST_NAME));
  const definitionOf = (app: Application): unknown =>
    (JSON.parse(snapshotOf(app, 'nightly/28').get('histograms.json') ?? '{}') as Record<string, unknown>)['GC_MS'];
  const pendingOf = (app: Application): readonly string[] =>
    CHANNEL_VERSIONS.flatMap((name) => ledgerOf(app).channelVersions.get(name)?.definitionsPending ?? []);

  it('are the same bytes in process, over HTTP, from the folder, and rendered in worker threads', async () => {
    server().upstream.serve(CENTRAL, FILE);
    const folder = join(server().work, 'laid-out/mozilla-central/518f5bff0ae4');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'Histograms.json'), FILE);
    const configurations = [
      upstream(),
      { TELEMETRY_HISTOGRAM_SERVER: server().address },
      { TELEMETRY_HISTOGRAM_SERVER: `${server().address}/` },
      { TELEMETRY_DEFINITIONS: join(server().work, 'laid-out') },
    ];
    const results: Published[] = [];
    for (const settings of configurations) {
      await withApplication(settings, async (app) => {
        await publish(app);
        assert.deepEqual(definitionOf(app), REAL);
        assert.deepEqual(pendingOf(app), []);
        results.push(published(app));
      });
    }
    const threads = createThreadPool(2);
    try {
      const inThreads = async (app: Application): Promise<void> => {
        await publish(app);
        results.push(published(app));
      };
      await withApplication(upstream(), inThreads, threads);
    } finally {
      await threads.close();
    }
    assert.equal(results.length, 5);
    for (const result of results) assert.deepEqual(result, results[0]);
  });

  it('in a broken file of the folder are derived, and the run names file and place', async () => {
    const folder = join(server().work, 'broken');
    const file = join(folder, 'mozilla-central/518f5bff0ae4/Histograms.json');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, '{"GC_MS": {"kind": "flag"},}');
    await withApplication({ TELEMETRY_DEFINITIONS: folder }, async (app) => {
      const day = new DayRun(app);
      const { runId, planAt, channelVersions, ...counts } = await day.analyse([inputKey('nightly/28', 'a')]);
      await day.publish();
      const plan = day.plan ?? assert.fail();
      const publication = { decision: 'published', seq: 1, attempt: 1 };
      const { warnings } = await app.run('writeReport', { run: day.run, day: '20131029', plan, counts, publication });
      const named = warnings.filter((warning) => warning.includes(`The definition file ${file} is not JSON: `));
      assert.equal(named.length, 1, warnings.join('\n'));
      assert.match(named[0] ?? '', /position 27.*; correct or remove it; "telemetry setup" tries the source again$/);
    });
  });

  it('without any source are derived and flagged, and nothing is asked', async () => {
    await withApplication({}, async (app) => {
      await publish(app);
      assert.deepEqual(definitionOf(app), DERIVED);
      assert.deepEqual(pendingOf(app), ['GC_MS', 'GC_MS']);
    });
    assert.equal(server().upstream.connections, 0);
  });

  for (const mode of ['in process', 'over HTTP']) {
    it(`${mode}: not obtainable → published as derived and pending; asked once a run; real at the next publish`, async () => {
      const settings = mode === 'in process' ? upstream() : { TELEMETRY_HISTOGRAM_SERVER: server().address };
      server().upstream.serve(CENTRAL, 'out of order', 503);
      await withApplication(settings, async (app) => {
        await publish(app);
        assert.deepEqual(definitionOf(app), DERIVED);
        assert.deepEqual(pendingOf(app), ['GC_MS', 'GC_MS']);
        // Two channel/versions, one look-up of three tries.
        assert.equal(server().upstream.asked.length, 3);
        server().upstream.serve(CENTRAL, FILE);
        app.clock.advance(86_400);
        await publish(app, '20131030');
        assert.deepEqual(definitionOf(app), REAL);
        assert.deepEqual(pendingOf(app), []);
        assert.equal(server().upstream.asked.length, 4);
      });
    });
  }

  it('a histogram server that is not there stops no publish', async () => {
    const { address } = server();
    await server().stop();
    await withApplication({ TELEMETRY_HISTOGRAM_SERVER: address }, async (app) => {
      await publish(app);
      assert.deepEqual(pendingOf(app), ['GC_MS', 'GC_MS']);
    });
  });

  it('a revision URL that names another host is pending, and nobody is asked', async () => {
    server().upstream.serve(CENTRAL, FILE);
    await withApplication({ ...upstream(), TELEMETRY_REVISION_HOSTS: 'hg.example' }, async (app) => {
      await publish(app);
      assert.deepEqual(pendingOf(app), ['GC_MS', 'GC_MS']);
    });
    assert.equal(server().upstream.connections, 0);
  });

  it('of a worker that starts again come from its disk cache', async () => {
    server().upstream.serve(CENTRAL, FILE);
    for (let start = 0; start < 2; start += 1) await withApplication(upstream(), publish);
    assert.equal(server().upstream.asked.length, 1);
  });
});

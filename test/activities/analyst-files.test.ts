/** `aggregates.parquet` and `builds.json` of published folders: what they say, and what publish, verify and adoption know of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, mock } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MANIFEST_NAME, parseManifest } from '../../src/pipeline/dataset/manifest.ts';
import { takeRows } from '../../src/pipeline/dataset/measure-rows.ts';
import { AggregatesTable } from '../../src/pipeline/dataset/parquet/aggregates-table.ts';
import { Application, eachWithApplication, PREFIX } from '../fakes/application.ts';
import { duckRows, readParquet } from '../fakes/parquet-readers.ts';
import { snapshotOf, versionsOf } from '../fakes/published-space.ts';
import { found, NIGHTLY, publishTwoDays, rewrite, verifyNow } from '../fakes/verified-space.ts';

const work = mkdtempSync(join(tmpdir(), 'analyst-files-'));
after(() => {
  rmSync(work, { recursive: true });
});

const keyOf = (app: Application, name: string, channelVersion = NIGHTLY): string =>
  `${PREFIX}${versionsOf(app).folders.get(channelVersion) ?? ''}/${name}`;

/** A local copy of the published table. */
function table(app: Application): string {
  const path = join(work, `${Math.random()}.parquet`);
  writeFileSync(path, app.published.contents.get(keyOf(app, 'aggregates.parquet'))?.body ?? Buffer.alloc(0));
  return path;
}

/** Puts another file there, and in the manifest, as somebody who can write to the bucket would. */
function replace(app: Application, name: string, body: Buffer): void {
  app.published.store(keyOf(app, name), body);
  const sha256 = createHash('sha256').update(body).digest('hex');
  rewrite(app.published, keyOf(app, MANIFEST_NAME), (manifest) => ({
    ...manifest,
    files: (manifest['files'] as { name: string }[]).map((file) =>
      file.name === name ? { ...file, bytes: body.length, sha256 } : file,
    ),
  }));
}

describe('the files for analysts', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('are in each folder and its manifest; the table is not encoded, so that ranges of it can be read', async () => {
    const app = application();
    await publishTwoDays(app);
    for (const channelVersion of versionsOf(app).folders.keys()) {
      const { files } = parseManifest(app.published.text(keyOf(app, MANIFEST_NAME, channelVersion)));
      const names = files.map(({ name }) => name);
      assert.ok(names.includes('aggregates.parquet') && names.includes('builds.json'), channelVersion);
    }
    const stored = app.published.contents.get(keyOf(app, 'aggregates.parquet'));
    assert.deepEqual(stored?.headers, {
      contentType: 'application/vnd.apache.parquet',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    assert.equal(stored.body.subarray(0, 4).toString(), 'PAR1');
  });

  it('have the sums that the files of each measure have, with DuckDB', async () => {
    const app = application();
    await publishTwoDays(app);
    const sums = await duckRows(`
      select measure, date_of, strftime(date, '%Y%m%d') as date, sum(submissions)::bigint as submissions, sum("sum") as total,
        sum(list_sum(counts))::bigint as count, count(*) as rows
      from '${table(app)}' group by all order by all`);
    assert.deepEqual(sums, sumsOfJson(snapshotOf(app, NIGHTLY)));
    assert.ok(sums.length > 0);
  });

  it('name the revision of each build', async () => {
    const app = application();
    await publishTwoDays(app);
    const { builds, ...head } = JSON.parse(app.published.text(keyOf(app, 'builds.json'))) as {
      builds: Record<string, string>;
    };
    assert.deepEqual(head, { format: 1, complete: true });
    const named = await duckRows(
      `select distinct build_id, revision from '${table(app)}' where build_id <> '0' and revision <> '' order by build_id`,
    );
    assert.deepEqual(
      Object.entries(builds),
      named.map((row) => [row['build_id'], row['revision']]),
    );
    assert.ok(named.length > 0);
  });

  it('change no byte of the other files, and the table stays away where it is switched off', async () => {
    const app = application();
    await publishTwoDays(app);
    const withTable = snapshotOf(app, NIGHTLY);
    mock.timers.reset();
    const other = new Application(app.settings.workDirectory, { ...app.settings, publishParquet: false });
    await publishTwoDays(other);
    const without = snapshotOf(other, NIGHTLY);
    assert.ok(withTable.has('aggregates.parquet'));
    const names = [...withTable.keys()].filter((name) => !['aggregates.parquet', MANIFEST_NAME].includes(name));
    assert.deepEqual([...without.keys()].filter((name) => name !== MANIFEST_NAME).toSorted(), names.toSorted());
    for (const name of names) assert.equal(without.get(name), withTable.get(name), name);
    const report = await verifyNow(other);
    assert.deepEqual([report.findings, report.counts.rendered], [[], 2]);
  });

  it('are rendered again by verify, which finds nothing wrong with what was published', async () => {
    const app = application();
    await publishTwoDays(app);
    const report = await verifyNow(app);
    assert.deepEqual([report.findings, report.counts.rendered], [[], 2]);
  });

  it('may be absent, as in folders of earlier releases', async () => {
    const app = application();
    await publishTwoDays(app);
    const gone = ['builds.json', 'aggregates.parquet'];
    await app.published.delete(gone.map((name) => keyOf(app, name)));
    rewrite(app.published, keyOf(app, MANIFEST_NAME), (manifest) => ({
      ...manifest,
      files: (manifest['files'] as { name: string }[]).filter(({ name }) => !gone.includes(name)),
    }));
    const report = await verifyNow(app);
    assert.deepEqual([report.findings, report.counts.rendered], [[], 2]);
  });

  for (const [what, body] of [
    ['another content', (app: Application) => rewritten(app, 'CHANGED')],
    ['no Parquet', () => Buffer.from('PAR1 is not enough for that, nor is the end: PAR1')],
    [
      'half of it',
      (app: Application) => app.published.contents.get(keyOf(app, 'aggregates.parquet'))?.body.subarray(9),
    ],
  ] as const) {
    it(`are found wrong when the table has ${what}`, async () => {
      const app = application();
      await publishTwoDays(app);
      replace(app, 'aggregates.parquet', (await body(app)) ?? Buffer.alloc(0));
      assert.deepEqual(found(await verifyNow(app)), ['error I3 wrong-render']);
    });
  }

  it('are found wrong when the builds are others', async () => {
    const app = application();
    await publishTwoDays(app);
    replace(app, 'builds.json', gzipSync('{"format":1,"complete":true,"builds":{}}'));
    assert.deepEqual(found(await verifyNow(app)), ['error I3 wrong-render']);
  });
});

/** The table with another revision in each row. */
async function rewritten(app: Application, revision: string): Promise<Buffer> {
  const rows = await readParquet(table(app));
  const definitions = JSON.parse(app.published.text(keyOf(app, 'histograms.json'))) as Record<string, object>;
  const written: Buffer[] = [];
  const output = new AggregatesTable(NIGHTLY, {
    compress: (bytes) => zstdCompressSync(bytes),
    write: (bytes) => written.push(Buffer.from(bytes)),
  });
  const byMeasure = Map.groupBy(rows, (row) => String(row['measure']));
  for (const [measure, all] of byMeasure) {
    const slots = all.map((row) => ({
      measure,
      byDate: row['date_of'] === 'build' ? ('by-build-date' as const) : ('by-submission-date' as const),
      path: ['reason', 'application', 'os', 'os_version', 'arch'].map((name) => row[name]).join('/'),
      date: (row['date'] as Date).toISOString().slice(0, 10).replaceAll('-', ''),
      values: valuesOf(row),
      buildId: String(row['build_id']),
      revision,
    }));
    const [build = [], submission = []] = ['by-build-date', 'by-submission-date'].map((byDate) =>
      slots.filter((slot) => slot.byDate === byDate),
    );
    const definition = (definitions[measure] ?? {}) as Record<string, unknown>;
    const shown = { measure, definition, slots: { 'by-build-date': build, 'by-submission-date': submission } };
    takeRows(shown, output);
  }
  output.end();
  return Buffer.concat(written);
}

function valuesOf(row: Record<string, unknown>): number[] {
  const statistic = (name: string): number => (row[name] as number | null) ?? -1;
  const squares = statistic('sum_squares');
  const [low, high] = squares < 0 ? [-1, -1] : [squares % 2 ** 32, Math.floor(squares / 2 ** 32)];
  const counts = (row['counts'] as bigint[]).map(Number);
  const logs = [statistic('log_sum'), statistic('log_sum_squares')];
  return [...counts, statistic('sum'), ...logs, low, high, Number(row['submissions'])];
}

function sumsOfJson(folder: ReadonlyMap<string, string>): unknown[] {
  const sums: { measure: string; date_of: string; date: string }[] = [];
  for (const [name, text] of folder) {
    const [, measure, date_of] = /^(.+)-by-(build|submission)-date\.json$/.exec(name) ?? [];
    if (measure === undefined || date_of === undefined) continue;
    for (const [date, rows] of Object.entries(JSON.parse(text) as Record<string, number[][]>)) {
      const recorded = rows.map((row) => row.at(-7) ?? 0).filter((value) => value !== -1);
      const sum = (of: (row: number[]) => number): bigint => BigInt(rows.reduce((total, row) => total + of(row), 0));
      sums.push({
        ...{ measure, date_of, date },
        ...{ submissions: sum((row) => row.at(-2) ?? 0) },
        ...{ total: recorded.length === 0 ? null : recorded.reduce((a, b) => a + b, 0) },
        ...{ count: sum((row) => row.slice(0, -7).reduce((a, b) => a + b, 0)), rows: BigInt(rows.length) },
      });
    }
  }
  const key = (row: { measure: string; date_of: string; date: string }): string =>
    [row.measure, row.date_of, row.date].join('\t');
  return sums.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

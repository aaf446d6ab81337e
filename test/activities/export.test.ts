/** The data set as files: what is written, and that nothing is written elsewhere. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ExportInput, type ExportReport, exportDataSet, ExportRefused } from '../../src/export/export-data-set.ts';
import { csvLines } from '../../src/pipeline/dataset/csv-rows.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { duckRows } from '../fakes/parquet-readers.ts';
import { snapshotOf, versionsOf } from '../fakes/published-space.ts';
import { NIGHTLY, publishTwoDays, rewrite } from '../fakes/verified-space.ts';

const work = mkdtempSync(join(tmpdir(), 'export-'));
after(() => {
  rmSync(work, { recursive: true });
});
const newFolder = (): string => join(work, `to-${Math.random()}`);

function exportNow(app: Application, input: Partial<ExportInput> = {}): Promise<ExportReport> {
  const ports = { published: app.published, publishedPrefix: PREFIX, workDirectory: app.settings.workDirectory };
  return exportDataSet(ports, { to: newFolder(), format: 'json', ...input }, new AbortController().signal);
}

const filesIn = (to: string): string[] =>
  readdirSync(to, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(to.length + 1))
    .sort();

const folderOf = (app: Application, channelVersion = NIGHTLY): string =>
  versionsOf(app).folders.get(channelVersion) ?? '';

const refused = (work: Promise<unknown>, message: RegExp): Promise<void> =>
  assert.rejects(work, (error) => error instanceof ExportRefused && message.test(error.message));

describe('export', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('writes every published file, decompressed', async () => {
    const app = application();
    await publishTwoDays(app);
    const to = newFolder();
    const { files, channelVersions, lacking } = await exportNow(app, { to });
    const published = app.published.keys(PREFIX).map((key) => key.slice(PREFIX.length));
    const current = [...versionsOf(app).folders.values()];
    const named = published.filter((name) => !name.includes('/') || current.includes(name.split('/')[0] ?? ''));
    assert.deepEqual(filesIn(to), named.toSorted());
    assert.deepEqual([files, channelVersions, lacking], [named.length, ['aurora/27', NIGHTLY], []]);
    assert.equal(readFileSync(join(to, 'versions.json'), 'utf8'), app.published.text(VERSIONS));
    for (const [name, text] of snapshotOf(app, NIGHTLY))
      assert.equal(readFileSync(join(to, folderOf(app), name), 'utf8'), text, name);
  });

  for (const [what, format, name] of [
    ['a manifest', 'json', '_manifest.json'],
    ['a manifest', 'csv', '_manifest.json'],
    ['a measure', 'json', 'GC_MS-by-build-date.json'],
    ['a measure', 'csv', 'GC_MS-by-build-date.json'],
    ['a filter tree', 'csv', 'filter-tree.json'],
    ['a table', 'parquet', 'aggregates.parquet'],
  ] as const) {
    it(`to ${format} names a channel/version that lacks ${what}, and writes all others`, async () => {
      const app = application();
      await publishTwoDays(app);
      assert.ok(app.published.contents.delete(`${PREFIX}${folderOf(app)}/${name}`));
      const to = newFolder();
      const { lacking } = await exportNow(app, { to, format });
      assert.deepEqual([...new Set(lacking.map(({ channelVersion }) => channelVersion))], [NIGHTLY]);
      assert.ok(filesIn(to).some((file) => file.startsWith(`${folderOf(app, 'aurora/27')}/`)));
    });
  }

  it('writes the manifest once when it names itself', async () => {
    const app = application();
    await publishTwoDays(app);
    const key = `${PREFIX}${folderOf(app)}/_manifest.json`;
    const manifest = JSON.parse(app.published.text(key)) as { files: { name: string }[] };
    const [first] = manifest.files;
    manifest.files.push({ ...first!, name: '_manifest.json' });
    app.published.store(key, gzipSync(JSON.stringify(manifest)));
    const { lacking } = await exportNow(app);
    assert.deepEqual(lacking, []);
  });

  it('names a damaged changes.json', async () => {
    const app = application();
    await publishTwoDays(app);
    app.published.store(`${PREFIX}changes.json`, gzipSync('x').subarray(0, 12));
    const { lacking } = await exportNow(app);
    assert.deepEqual(lacking, [{ channelVersion: 'changes.json', reason: 'it could not be read' }]);
  });

  it('writes one channel, and a versions.json that names no other', async () => {
    const app = application();
    await publishTwoDays(app);
    const to = newFolder();
    await exportNow(app, { to, channel: 'aurora' });
    const { $head: _, ...named } = JSON.parse(readFileSync(join(to, 'versions.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    assert.deepEqual(named, { 'aurora/27': folderOf(app, 'aurora/27') });
    assert.deepEqual(
      [...new Set(filesIn(to).map((name) => name.split('/')[0]))],
      [folderOf(app, 'aurora/27'), 'versions.json'],
    );
  });

  it('writes tables that are read with one pattern', async () => {
    const app = application();
    await publishTwoDays(app);
    const to = newFolder();
    await exportNow(app, { to, format: 'parquet' });
    const rows = await duckRows(
      `select channel || '/' || version as name, count(*) > 0 as has_rows from '${to}/*/aggregates.parquet' group by name order by name`,
    );
    assert.deepEqual(rows, [
      { name: 'aurora/27', has_rows: true },
      { name: NIGHTLY, has_rows: true },
    ]);
  });

  it('writes CSV with the rows of the table', async () => {
    const app = application();
    await publishTwoDays(app);
    const to = newFolder();
    await exportNow(app, { to, format: 'csv', channel: NIGHTLY });
    await exportNow(app, { to: join(to, 'tables'), format: 'parquet', channel: NIGHTLY });
    const columns = `measure, date_of, strftime(date, '%Y%m%d') as date, reason, os, arch, submissions, "sum", sum_squares, log_sum`;
    const table = `select ${columns}, list_aggregate(counts, 'string_agg', ' ') as counts from '${to}/tables/*/aggregates.parquet'`;
    const types = `types = {'date': 'VARCHAR', 'counts': 'VARCHAR', 'sum': 'DOUBLE', 'sum_squares': 'DOUBLE', 'log_sum': 'DOUBLE'}`;
    const csv = `select ${columns.replace(/strftime\(.*?\) as date/, 'date')}, counts from read_csv('${to}/*/aggregates.csv', ${types})`;
    const rows = await duckRows(`${csv} order by all`);
    assert.ok(rows.length > 0);
    assert.deepEqual(rows, await duckRows(`${table} order by all`));
  });

  it('goes on without a table that is not there, and says so', async () => {
    const app = application();
    await publishTwoDays(app);
    rewrite(app.published, `${PREFIX}${folderOf(app)}/_manifest.json`, (manifest) => ({
      ...manifest,
      files: (manifest['files'] as { name: string }[]).filter(({ name }) => name !== 'aggregates.parquet'),
    }));
    const to = newFolder();
    const { lacking } = await exportNow(app, { to, format: 'parquet' });
    assert.deepEqual(
      lacking.map(({ channelVersion }) => channelVersion),
      [NIGHTLY],
    );
    assert.deepEqual(filesIn(to), [`${folderOf(app, 'aurora/27')}/aggregates.parquet`, 'versions.json'].sort());
  });

  it('goes on without a file that does not decompress, and leaves no half of it', async () => {
    const app = application();
    await publishTwoDays(app);
    const name = `${folderOf(app)}/GC_MS-by-build-date.json`;
    app.published.store(PREFIX + name, gzipSync('{"20131029":[]}').subarray(0, 20));
    for (const format of ['json', 'csv'] as const) {
      const to = newFolder();
      const { lacking } = await exportNow(app, { to, format });
      assert.match(lacking.map(({ reason }) => reason).join(), /1 of its files .* GC_MS-by-build-date\.json/);
      assert.ok(!filesIn(to).includes(name));
    }
  });

  for (const hostile of ['..', '.', 'a\\b', 'x\u0000', '-'.repeat(300)]) {
    it(`writes no file that is called ${JSON.stringify(hostile.slice(0, 10))}`, async () => {
      const app = application();
      await publishTwoDays(app);
      rewrite(app.published, `${PREFIX}${folderOf(app)}/_manifest.json`, (manifest) => ({
        ...manifest,
        files: [...(manifest['files'] as object[]), { name: hostile, bytes: 1, sha256: '0'.repeat(64) }],
      }));
      app.published.store(`${PREFIX}${folderOf(app)}/${hostile}`, 'x');
      const to = newFolder();
      const { lacking } = await exportNow(app, { to });
      assert.deepEqual([...new Set(lacking.map(({ channelVersion }) => channelVersion))], [NIGHTLY]);
      assert.ok(filesIn(to).includes(`${folderOf(app)}/histograms.json`));
    });
  }

  it('refuses a folder that has something, such as a link to elsewhere, and writes nothing', async () => {
    const app = application();
    await publishTwoDays(app);
    const [to, elsewhere] = [newFolder(), newFolder()];
    mkdirSync(to);
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(to, folderOf(app)));
    await refused(exportNow(app, { to }), /is not empty: name a new or an empty folder/);
    assert.deepEqual(filesIn(elsewhere), []);
  });

  it('refuses a channel that the data set does not have, a file in place of the folder, and a place without data set', async () => {
    const app = application();
    await publishTwoDays(app);
    const to = newFolder();
    await refused(exportNow(app, { to, channel: 'night' }), /has no night; it has nightly, aurora\./);
    assert.throws(() => readdirSync(to), 'nothing was written');
    writeFileSync(to, '');
    await refused(exportNow(app, { to }), /cannot be written to/);
    await app.published.delete([VERSIONS]);
    await refused(exportNow(app), /versions\.json does not exist/);
  });
});

describe('rows as CSV', () => {
  const lines = (path: string, json: unknown): string[] => [
    ...csvLines({ channelVersion: 'nightly/28', measure: 'M', byDate: 'by-build-date' }, json, new Map([[5, path]])),
  ];

  it('are no formulas, whatever submitters call their systems', () => {
    const [line] = lines('=1+1/@a/"x,y"/-1/+2', { 20131029: [[1, 0, 0, 2, -1, 3, 4, 5, 6, 5]] });
    assert.equal(line, `nightly,28,M,build,20131029,'=1+1,'@a,"""x,y""",'-1,'+2,6,2,21474836484,,3,1 0 0\r\n`);
  });

  it('are those of the file only: what is no row is left out', () => {
    assert.deepEqual(lines('a/b/c/d/e', { 20131029: [[1, 2], 'x', null, {}], 20131030: 3 }), ['', '']);
    assert.deepEqual(lines('a/b/c/d/e', null), []);
  });
});

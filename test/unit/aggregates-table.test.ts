/** `aggregates.parquet` as others read it: every row, with DuckDB and with hyparquet. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { AggregatesTable } from '../../src/pipeline/dataset/parquet/aggregates-table.ts';
import { type ShownMeasure, takeRows } from '../../src/pipeline/dataset/measure-rows.ts';
import type { ByDate, Slot } from '../../src/pipeline/aggregates/slot.ts';
import { TextValues } from '../../src/pipeline/aggregates/text-values.ts';
import { TableFile } from '../../src/threads/table-file.ts';
import { isSameTable } from '../../src/verify/table-content.ts';
import { duckRows, readMeasure, readParquet } from '../fakes/parquet-readers.ts';
import { atScale } from '../fakes/at-scale.ts';
import { seededChance } from '../fakes/seeded-chance.ts';

const work = mkdtempSync(join(tmpdir(), 'aggregates-table-'));
after(() => {
  rmSync(work, { recursive: true });
});

/** The file of these measures. */
function parquet(measures: readonly ShownMeasure[], level = 3): { readonly path: string; readonly bytes: Buffer } {
  const written: Uint8Array[] = [];
  const table = new AggregatesTable('nightly/28', {
    compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
    write: (bytes) => written.push(Buffer.from(bytes)),
  });
  for (const measure of measures) takeRows(measure, table);
  table.end();
  const bytes = Buffer.concat(written);
  const path = join(work, `${Math.random()}.parquet`);
  writeFileSync(path, bytes);
  return { path, bytes };
}

interface Row {
  readonly date?: string;
  readonly path?: string;
  readonly values: readonly number[];
}

const slot = (measure: string, byDate: ByDate, { date = '20131029', path = 'r/a/o/v/x', values }: Row): Slot => ({
  measure,
  byDate,
  path,
  date,
  values: TextValues.of(values.join(',')) ?? values,
  buildId: '20131029030201',
  revision: 'http://hg.mozilla.org/mozilla-central/rev/0123456789ab',
});

function measureOf(
  measure: string,
  rows: { readonly build?: readonly Row[]; readonly submission?: readonly Row[] },
  definition: Readonly<Record<string, unknown>> = { kind: 'boolean' },
): ShownMeasure {
  return {
    measure,
    definition,
    slots: {
      'by-build-date': (rows.build ?? []).map((row) => slot(measure, 'by-build-date', row)),
      'by-submission-date': (rows.submission ?? []).map((row) => slot(measure, 'by-submission-date', row)),
    },
  };
}

describe('aggregates.parquet', () => {
  it('has each row with its filter, dates, build, statistics, bounds and counts', async () => {
    const path = 'saved_session/Firefox/WINNT/6.1/x86-64';
    const values = [3, 2, 0, 2, 0.5, -1, 4, 2, 5];
    const { path: file } = parquet([measureOf('BOOL', { build: [{ path, values }] })]);
    deepEqual(await duckRows(`select * replace (date::text as date) from '${file}'`), [
      {
        measure: 'BOOL',
        date_of: 'build',
        date: '2013-10-29',
        reason: 'saved_session',
        application: 'Firefox',
        os: 'WINNT',
        os_version: '6.1',
        arch: 'x86-64',
        channel: 'nightly',
        version: '28',
        build_id: '20131029030201',
        revision: 'http://hg.mozilla.org/mozilla-central/rev/0123456789ab',
        submissions: 5n,
        sum: 2,
        sum_squares: 4 + 2 * 2 ** 32,
        log_sum: 0.5,
        log_sum_squares: null,
        bounds: [0n, 1n, 2n],
        counts: [3n, 2n, 0n],
      },
    ]);
    const [row] = await readParquet(file);
    deepEqual([row?.['measure'], row?.['counts'], row?.['log_sum_squares']], ['BOOL', [3n, 2n, 0n], null]);
  });

  it('has types that readers need no cast for', async () => {
    const { path } = parquet([measureOf('M', { build: [{ values: [1, 0, 0, 0, 0, 0, 0, 0, 1] }] })]);
    const types = await duckRows(`select column_name, column_type from (describe select * from '${path}')`);
    const byName = Object.fromEntries(types.map((row) => [row['column_name'], row['column_type']]));
    deepEqual(
      [byName['measure'], byName['date'], byName['submissions'], byName['sum'], byName['counts'], byName['bounds']],
      ['VARCHAR', 'DATE', 'BIGINT', 'DOUBLE', 'BIGINT[]', 'BIGINT[]'],
    );
  });

  it('keeps numbers that few files have: beyond 32 and 64 bits, and a date that is no day', async () => {
    const values = [2 ** 33, 2 ** 70, 70_000, 1e300, -2, -1, -1, 3, 2 ** 40];
    const { path } = parquet([measureOf('M', { submission: [{ date: '20131399', values }] })]);
    const [row] = await duckRows(`select date, counts, sum, log_sum, sum_squares, submissions from '${path}'`);
    deepEqual(row, {
      date: null,
      counts: [2n ** 33n, 2n ** 63n - 1n, 70_000n],
      sum: 1e300,
      log_sum: -2,
      sum_squares: null,
      submissions: 2n ** 40n,
    });
  });

  it('knows that a simple measure may really have been −1', async () => {
    const rows = { build: [{ values: [1, 0, 0, -1, -1, -1, -1, -1, 1] }] };
    const { path } = parquet([measureOf('M', rows), measureOf('SIMPLE_MEASURES_X', rows)]);
    deepEqual(await duckRows(`select measure, sum from '${path}' order by measure`), [
      { measure: 'M', sum: null },
      { measure: 'SIMPLE_MEASURES_X', sum: -1 },
    ]);
  });

  it('keeps texts of submitters as they are', async () => {
    const path = 'r/a/"o\u0000\n<b>/v😀/x';
    const { path: file } = parquet([measureOf('M', { build: [{ path, values: [1, 0, 0, 0, 0, 0, 0, 0, 1] }] })]);
    const [row] = await readParquet(file);
    deepEqual([row?.['os'], row?.['os_version']], ['"o\u0000\n<b>', 'v😀']);
  });

  it('is a file without rows where there are none', async () => {
    const { path } = parquet([]);
    deepEqual(await duckRows(`select count(*) as n from '${path}'`), [{ n: 0n }]);
    deepEqual(await readParquet(path), []);
  });

  /** Measures of several lengths, in several row groups. */
  const many = Array.from({ length: 60 }, (_, index) => {
    const n = 2 + (index % 9);
    const rows = Array.from({ length: 10 + index * 5 }, (__, row): Row => {
      const values = [...Array.from({ length: n }, (___, bucket) => (row + bucket) % 300), row, -1, 0.25, 1, 2, 3];
      return { path: `r/a/o/v/${row}`, values };
    });
    const name = `M${String(index).padStart(3, '0')}`;
    return measureOf(name, { build: rows, submission: rows.slice(0, 3) }, { kind: 'enumerated', n_values: n - 1 });
  });

  it('has all rows of many measures, sorted, in row groups of a few measures each', async () => {
    const { path } = parquet(many);
    const read = await duckRows(
      `select measure, date_of, arch, submissions, "sum", log_sum, log_sum_squares, sum_squares, counts, len(bounds) as bounds from '${path}'`,
    );
    const expected = many.flatMap(({ measure, slots }) =>
      Object.values(slots)
        .flat()
        .map(({ byDate, path: filter, values }) => {
          const numbers = [...values];
          return {
            measure,
            date_of: byDate === 'by-build-date' ? 'build' : 'submission',
            arch: filter.split('/').at(-1),
            submissions: 3n,
            sum: numbers.at(-6),
            log_sum: null,
            log_sum_squares: 0.25,
            sum_squares: 1 + 2 * 2 ** 32,
            counts: numbers.slice(0, -6).map(BigInt),
            bounds: BigInt(numbers.length - 6),
          };
        }),
    );
    deepEqual(read, expected);
    const groups = await groupsOf(path);
    ok(groups.length >= 3 && groups.length <= 6, `${groups.length} row groups`);
    deepEqual([groups[0]?.['least'], groups.at(-1)?.['greatest']], ['M000', 'M059']);
  });

  it('has a measure that is too large for a row group in several', async () => {
    const rows = Array.from({ length: 2800 }, (_, row): Row => {
      const counts = Array.from({ length: 400 }, (__, bucket) => (row * 31 + bucket * bucket) % 1000);
      return { path: `r/a/o/v/${row % 50}`, values: [...counts, row, -1, -1, row % 7, 0, 1] };
    });
    const wide = measureOf('WIDE', { submission: rows }, { kind: 'linear', low: 1, high: 100_000, n_buckets: 400 });
    const { path } = parquet([wide]);
    const [sums] = await duckRows(
      `select sum(list_sum(counts))::bigint as counts, sum(counts[400])::bigint as last, sum("sum") as total, max(bounds[400]) as high from '${path}'`,
    );
    const total = (of: (row: Row) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
    deepEqual(sums, {
      counts: BigInt(total(({ values }) => values.slice(0, 400).reduce((a, b) => a + b, 0))),
      last: BigInt(total(({ values }) => values[399] ?? 0)),
      total: total(({ values }) => values[400] ?? 0),
      high: 100_000n,
    });
    deepEqual(
      (await groupsOf(path)).map(({ least }) => least),
      ['WIDE', 'WIDE'],
    );
  });

  it('is equal for equal rows, and the same table when another zstd compressed it', () => {
    const [one, again, other] = [parquet(many), parquet(many), parquet(many, 9)];
    ok(one.bytes.equals(again.bytes));
    ok(!one.bytes.equals(other.bytes));
    ok(isSameTable(one.path, other.path));
    ok(!isSameTable(one.path, parquet(many.slice(1)).path));
  });

  it(
    'is another table when a bit of its footer or of a page differs',
    { skip: atScale ? false : 'npm run test:all runs it' },
    () => {
      const { path, bytes } = parquet([measureOf('M', { build: [{ values: [1, 0, 0, 0, 0, 0, 0, 0, 1] }] })]);
      const copy = join(work, 'changed.parquet');
      const unseen = Array.from(bytes.keys()).filter((at) => {
        if (at % 3 > 0) return false;
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ 1;
        writeFileSync(copy, changed);
        return isSameTable(path, copy);
      });
      deepEqual(unseen, []);
    },
  );
});

describe('a table that would be too large to be stored', () => {
  it('is left out, and written no further', () => {
    const path = join(work, 'large.parquet');
    const file = new TableFile(path, 'nightly/28', 10_000);
    const rows = Array.from({ length: 3000 }, (_, row): Row => ({
      path: `r/a/o/v/${row}`,
      values: [row, 1, row * 1.1, 1, 1, 1, 1, 1],
    }));
    for (let index = 0; index < 20; index += 1) takeRows(measureOf(`M${index + 10}`, { build: rows }), file);
    equal(file.end(), null);
    file.close();
    ok(statSync(path).size < 200_000);
  });
});

describe('a query of one measure over HTTP', () => {
  it('reads at most 5 % of the file', { skip: atScale ? false : 'npm run test:all runs it' }, async () => {
    const chance = seededChance(13);
    const measures = Array.from({ length: 150 }, (_, index) => {
      const rows = Array.from({ length: 700 }, (__, row): Row => {
        const counts = Array.from({ length: 30 }, () => (chance() < 0.7 ? 0 : Math.floor(chance() ** 3 * 5000)));
        return {
          path: `r/a/o/v/${row}`,
          values: [...counts, chance() * 1e6, chance() * 1e3, chance() * 1e4, -1, -1, 7],
        };
      });
      const definition = { kind: 'exponential', low: 1, high: 10_000, n_buckets: 30 };
      return measureOf(`M${String(index).padStart(3, '0')}`, { build: rows }, definition);
    });
    const { bytes: file } = parquet(measures);
    const { url, close } = await serve(file);
    try {
      const { rows, bytes } = await readMeasure(url, 'M077');
      deepEqual([rows.length, new Set(rows.map((row) => row['measure'])).size, bytes.file], [700, 1, file.length]);
      ok(bytes.read <= file.length * 0.05, `${bytes.read} of ${file.length} bytes`);
    } finally {
      close();
    }
  });
});

/** Serves the bytes as object stores do, by ranges. */
async function serve(file: Buffer): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, answer) => {
    const [, from = '0', to = String(file.length - 1)] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const part = file.subarray(Number(from), Number(to) + 1);
    answer.writeHead(request.headers.range === undefined ? 200 : 206, { 'content-length': part.length });
    answer.end(request.method === 'HEAD' ? undefined : part);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/aggregates.parquet`, close: () => server.close() };
}

describe('the queries of docs/formats/published.md 5.13', () => {
  it('give what they say, in DuckDB', async () => {
    const days = ['20131028', '20131029'];
    const rows = days.flatMap((date, day) =>
      ['r/Firefox/WINNT/6.1/x86', 'r/Firefox/Linux/3.1/x86'].map((path, os): Row => {
        const values = [os, 4, 4 + 6 * day, 100 * (1 + os), -1, -1, -1, -1, 3];
        return { date, path, values };
      }),
    );
    const { path } = parquet([measureOf('A', { build: rows }), measureOf('GC_MS', { build: rows, submission: rows })]);
    const [median = '', means = ''] = readyQueries().map((query) =>
      query.replace('URL', path).replace('DIR/*/aggregates.parquet', path),
    );
    deepEqual(await duckRows(`select date::text as date, hits, median from (${median})`), [
      { date: '2013-10-28', hits: 17n, median: 1n },
      { date: '2013-10-29', hits: 29n, median: 2n },
    ]);
    const shared = { channel: 'nightly', version: '28' };
    deepEqual(
      await duckRows(
        `select channel, version, os, submissions::bigint as submissions, mean from (${means}) order by os`,
      ),
      [
        { ...shared, os: 'Linux', submissions: 6n, mean: 400 / 24 },
        { ...shared, os: 'WINNT', submissions: 6n, mean: 200 / 22 },
      ],
    );
  });
});

/** Those for DuckDB's command line. */
function readyQueries(): string[] {
  const text = readFileSync(new URL('../../docs/formats/published.md', import.meta.url), 'utf8');
  return Array.from(text.matchAll(/duckdb -c "((?:[^"\\]|\\")+)"/g), ([, query = '']) => query.replaceAll('\\"', '"'));
}

/** Row groups with the first and last measure of each. */
async function groupsOf(path: string): Promise<Record<string, unknown>[]> {
  return duckRows(
    `select row_group_id as id, any_value(stats_min_value) as least, any_value(stats_max_value) as greatest
     from parquet_metadata('${path}') where path_in_schema = 'measure' group by id order by id`,
  );
}

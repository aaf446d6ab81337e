/** The website's data access: figures of docs/formats/published.md 5.9, sums, filters and documents as they may come. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as client from '../../website/client/index.ts';
import { GeneratedDataSet, HOSTILE, SMALL, summed } from '../fakes/generated-data-set.ts';
import { Evolution } from '../golden/v1-client.ts';
import { gunzipSync } from 'node:zlib';

const TREE = {
  _id: 0,
  name: 'reason',
  saved_session: {
    _id: 1,
    name: 'appName',
    Firefox: {
      _id: 2,
      name: 'OS',
      WINNT: {
        _id: 3,
        name: 'osVersion',
        '6.1': { _id: 4, name: 'arch', x86: { _id: 5 }, 'x86-64': { _id: 6 } },
      },
      Linux: { _id: 7, name: 'osVersion', '3.1': { _id: 8, name: 'arch', x86: { _id: 9 } } },
    },
  },
};
const EXPONENTIAL = { kind: 'exponential', low: 1, high: 10_000, n_buckets: 10, description: 'example' };
const ROWS = {
  '20131028': [[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0.5, 0.25, -1, -1, 1, 6]],
  '20131029': [
    [0, 2, 4, 3, 1, 0, 0, 0, 0, 0, 90, 20.5, 45.25, -1, -1, 5, 5],
    [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 40, 8, 20, -1, -1, 2, 9],
  ],
};
const definition = client.readDefinition(EXPONENTIAL, 10);

function select(filter: readonly string[], range: client.DateRange = {}): client.Sums {
  const dated = client.sumByDate(client.readMeasureRows(ROWS), client.readFilterTree(TREE), filter);
  const sums = client.addSums(dated.filter(([date]) => client.within(date, range)).map(([, one]) => one));
  assert.ok(sums);
  return sums;
}

const close = (actual: number | null | undefined, expected: number, digits = 9): void => {
  assert.ok(actual != null && Math.abs(actual - expected) < 10 ** -digits, `${actual} is not ${expected}`);
};

describe('quantities', () => {
  const cases: readonly [string, readonly string[], client.DateRange, readonly number[]][] = [
    ['everything', ['', '', '', '', ''], {}, [8, 14, 9.357142857142858, 6.214095849716038, 33.887241002843915]],
    ['a system', ['', '', 'WINNT', '', ''], {}, [6, 11, 8.272727272727273, 5.645751311064591, 34.59263300491698]],
    [
      'another',
      ['saved_session', 'Firefox', 'Linux'],
      {},
      [2, 3, 13.333333333333334, 11.673929308738987, 16.727091267134227],
    ],
    ['one date', [''], { from: '20131029' }, [7, 13, 10, 6.904528777122721, 34.09796670150146]],
  ];
  for (const [name, filter, range, [submissions, samples, mean, median, p95]] of cases) {
    it(`of ${name} are those of the worked example`, () => {
      const sums = select(filter, range);
      assert.equal(sums.submissions, submissions);
      assert.equal(client.sampleCount(sums), samples);
      close(client.mean(sums), mean!);
      close(client.percentile(sums, definition, 50), median!);
      close(client.percentile(sums, definition, 95), p95!);
    });
  }

  it('of a linear measure: deviation with its root, percentiles as published', () => {
    const linear = client.readDefinition({ kind: 'linear', low: 1, high: 100, n_buckets: 10 });
    const sums = client.sumsOfRow([0, 2, 4, 3, 1, 0, 0, 0, 0, 0, 260, -1, -1, 9000, 0, 5])!;
    close(client.percentile(sums, linear, 50), 20.8);
    close(client.percentile(sums, linear, 95), 41.25);
    // The former dashboards said 2240, which lacks the root and a division.
    const deviation = client.standardDeviation(sums, linear);
    close(deviation?.value, Math.sqrt(9000 / 10 - 26 ** 2));
    assert.equal(deviation?.estimated, false);
    assert.equal(client.lastBucketEnd(sums, linear), Number.NaN);
  });

  it('of an exponential measure: the real geometric mean, and a deviation that is marked as an estimate', () => {
    const sums = select(['']);
    // The former dashboards said 2.07: the mean of the logarithms of the values plus one.
    close(client.geometricMean(sums), Math.exp(29 / 14) - 1);
    assert.equal(client.standardDeviation(sums, definition)?.estimated, true);
  });

  it('without interpolation a percentile is the lower bound of its bucket', () => {
    assert.equal(client.percentile(select(['']), definition, 50, false), 3);
  });

  it('a statistic that no row recorded is null, and −1 yields to a recorded value', () => {
    assert.equal(select(['']).sumSquaresLow, null);
    const mixed = client.addSums([
      client.sumsOfRow([1, 0, 0, 3, -1, -1, 9, 0, 1])!,
      client.sumsOfRow([1, 0, 0, 3, 0.5, 0.25, -1, -1, 1])!,
    ]);
    assert.deepEqual([mixed?.sum, mixed?.logSum, mixed?.sumSquaresLow], [6, 0.5, 9]);
  });

  it('are those of the v1 client for every measure and filter that it can ask for', () => {
    const data = new GeneratedDataSet({ ...SMALL, dates: 5, leaves: 12 });
    const read = (name: string): string => gunzipSync(data.file(`20131120120000-28-nightly/${name}`)!).toString();
    const paths = client.readFilterTree(JSON.parse(read('filter-tree.json')));
    for (const measure of data.measureNames.slice(0, 8)) {
      const files = ['histograms.json', 'filter-tree.json', `${measure}-by-build-date.json`];
      const old = new Map(files.map((name) => [name, read(name)]));
      const raw = (JSON.parse(old.get('histograms.json')!) as Record<string, unknown>)[measure];
      const rows = client.readMeasureRows(JSON.parse(old.get(`${measure}-by-build-date.json`)!));
      for (const filter of ['', 'saved_session', 'saved_session/Firefox/WINNT']) {
        const theirs = new Evolution(old, measure, 'by-build-date', filter);
        const dated = client.sumByDate(
          rows,
          paths,
          client.FILTER_LEVELS.map((_, level) => filter.split('/')[level] ?? ''),
        );
        const ours = client.addSums(dated.map(([, sums]) => sums))!;
        const buckets = client.readDefinition(raw, client.bucketsOf(rows));
        assert.equal(ours.submissions, theirs.submissions(), measure);
        assert.equal(client.sampleCount(ours), theirs.count(), measure);
        close(client.mean(ours), theirs.mean());
        for (const p of [5, 50, 95]) close(client.percentile(ours, buckets, p), theirs.percentile(p), 6);
      }
    }
  });
});

describe('intervals', () => {
  const row = (counts: readonly number[], submissions: number): client.Sums =>
    client.sumsOfRow([...counts, 0, -1, -1, -1, -1, submissions])!;
  const linear = client.readDefinition({ kind: 'linear', low: 1, high: 100, n_buckets: 10 });
  const few = row([0, 10, 30, 40, 30, 10, 0, 0, 0, 0], 40);
  const many = row([0, 1000, 3000, 4000, 3000, 1000, 0, 0, 0, 0], 4000);

  it('go by submissions, because samples of one are not independent: 100 times as many, a tenth as wide', () => {
    const [wide, narrow] = [few, many].map((sums) => client.percentileEstimate(sums, linear, 50)!);
    const ratio = (wide!.high - wide!.low) / (narrow!.high - narrow!.low);
    assert.ok(ratio > 8 && ratio < 12, String(ratio));
  });

  it('a comparison with itself is not certain; one with a shifted distribution is', () => {
    assert.equal(client.compare(many, many, linear).certain, false);
    const shifted = row([0, 0, 1000, 3000, 4000, 3000, 1000, 0, 0, 0], 4000);
    const comparison = client.compare(shifted, many, linear);
    assert.equal(comparison.certain, true);
    close(comparison.difference?.value, 12.5, 0);
    assert.ok(comparison.distance!.value > comparison.distance!.limit);
  });

  it('answers are compared by the share of yes', () => {
    const boolean = client.readDefinition({ kind: 'boolean' });
    const comparison = client.compare(row([50, 50, 0], 100), row([80, 20, 0], 100), boolean);
    assert.equal(comparison.quantity, 'share of yes');
    close(comparison.difference?.value, 0.3);
    assert.ok(comparison.difference!.low > 0.15 && comparison.difference!.high < 0.45);
  });

  it('distributions with other buckets have no distance', () => {
    assert.equal(client.distance(few, row([1, 2, 3], 6)), null);
  });

  it('covers the true median about 95 times in 100', () => {
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    let covered = 0;
    for (let round = 0; round < 400; round += 1) {
      const counts = Array.from({ length: 10 }, () => 0);
      // Uniform over 1 to 100: the median is 50.5.
      for (let n = 0; n < 200; n += 1) {
        const value = 1 + random() * 99;
        counts[linear.bounds.findLastIndex((bound) => bound <= value)]! += 1;
      }
      const estimate = client.percentileEstimate(row(counts, 200), linear, 50)!;
      if (estimate.low <= 50.5 && 50.5 <= estimate.high) covered += 1;
    }
    assert.ok(covered > 366 && covered <= 396, `${covered} of 400`);
  });
});

describe('definitions', () => {
  it('give the bounds of the former dashboards', () => {
    assert.deepEqual(definition.bounds, [0, 1, 3, 10, 32, 101, 319, 1006, 3172, 10000]);
    assert.deepEqual(client.readDefinition({ kind: 'enumerated', n_values: '3' }).bounds, [0, 1, 2, 3]);
  });

  it('that do not fit the rows, or cannot be read, become bucket numbers and say so', () => {
    for (const raw of [
      { ...EXPONENTIAL, n_buckets: 9 },
      { kind: 'unheard of' },
      null,
      { kind: 'linear', low: 1, high: {}, n_buckets: 5 },
    ]) {
      const { bounds, pending } = client.readDefinition(raw, 4);
      assert.deepEqual([bounds, pending], [[0, 1, 2, 3], true]);
    }
  });

  it('name categories by their labels', () => {
    const raw = { kind: 'enumerated', n_values: 3, original_kind: 'categorical', labels: ['http', 'https'] };
    const categorical = client.readDefinition(raw);
    assert.deepEqual(
      [0, 1, 2].map((index) => client.bucketName(categorical, index)),
      ['http', 'https', '2'],
    );
    assert.equal(categorical.originalKind, 'categorical');
  });
});

describe('filters', () => {
  const paths = client.readFilterTree(TREE);

  it('may leave out any level, and count the options of each level under the others', () => {
    assert.deepEqual([...client.chosenIds(paths, ['', '', '', '', 'x86'])].toSorted(), [5, 9]);
    const counts = client.submissionsById(client.readMeasureRows(ROWS), { to: '20131029' });
    const options = client.countOptions(paths, counts, ['', '', '', '', 'x86']);
    assert.deepEqual(options[2], [
      { name: 'WINNT', submissions: 5 },
      { name: 'Linux', submissions: 2 },
    ]);
    assert.deepEqual(options[4], [
      { name: 'x86', submissions: 7 },
      { name: 'x86-64', submissions: 1 },
    ]);
  });

  it('take hostile and damaged trees as they are', () => {
    const tree = JSON.parse(
      `{"_id":0,"__proto__":{"_id":1},"x":null,"y":[{"_id":2}],"constructor":{"_id":"3"}}`,
    ) as unknown;
    assert.deepEqual(
      [...client.readFilterTree(tree)],
      [
        [0, []],
        [1, ['__proto__']],
      ],
    );
  });
});

describe('documents', () => {
  it('an entry that is damaged never hides a good one', () => {
    assert.deepEqual([...client.readVersions({ 'a/1': 'f', 'b/2': 5, $head: {}, 'c/3': '../x' })], [['a/1', 'f']]);
    const index = client.readMeasureIndex({ format: 1, measures: { A: 5, B: { shard: '1', spark: [1, 'x', null] } } });
    assert.deepEqual(
      index?.measures.map(({ name, shard, spark }) => [name, shard, spark]),
      [['B', null, [1, null, null]]],
    );
    assert.equal(client.readMeasureIndex({ format: 2 }), undefined);
    const changes = client.readChanges({ changes: [{ id: 'x', kind: 'later', filter: 3 }, {}, null] });
    assert.deepEqual(
      changes.changes.map(({ id, kind, filter }) => [id, kind, filter]),
      [['x', 'later', []]],
    );
    assert.equal(client.readStatus('no object').at, null);
  });

  it('a summary row may stand alone or in a list', () => {
    const row = [1, 2, 0, 3, -1, -1, 4, 0, 3];
    for (const stored of [row, [row]]) {
      const summary = client.readSummary({ A: { build: { '20131028': stored, nonsense: 1 } } }, 'A', 'build');
      assert.deepEqual(
        summary?.map(([date, sums]) => [date, sums.submissions, sums.counts]),
        [['20131028', 3, [1, 2, 0]]],
      );
    }
    assert.equal(client.readSummary({}, 'toString', 'build'), undefined);
  });

  it('a folder’s time is that of its name', () => {
    assert.equal(client.folderTime('20131028120304-28-nightly')?.toISOString(), '2013-10-28T12:03:04.000Z');
    assert.equal(client.folderTime('other'), null);
  });
});

describe('the data set', () => {
  const open = (data: GeneratedDataSet) => {
    const asked: string[] = [];
    const fetched: typeof fetch = async (input) => {
      const path = (input as string).slice('http://host/v7/'.length);
      asked.push(path);
      const body = data.file(path);
      return body === undefined ? new Response('', { status: 403 }) : new Response(gunzipSync(body));
    };
    return { asked, dataSet: new client.DataSet('http://host/v7', { fetch: fetched }) };
  };
  const ALL = ['', '', '', '', ''];
  const size = { ...SMALL, dates: 4, leaves: 8 };

  it('takes the unfiltered sums from the summary, and they are those of the whole file', async () => {
    const { asked, dataSet } = open(new GeneratedDataSet(size));
    const fast = await dataSet.sums('nightly/28', 'GC_MS', 'build', ALL);
    assert.equal(fast.summarised, true);
    assert.ok(!asked.some((path) => path.includes('-by-')), asked.join());
    const { asked: old, dataSet: other } = open(Object.assign(new GeneratedDataSet(size), { absent: new Set(['/_']) }));
    const slow = await other.sums('nightly/28', 'GC_MS', 'build', ALL);
    assert.equal(slow.summarised, false);
    assert.ok(old.some((path) => path.endsWith('GC_MS-by-build-date.json')));
    assert.deepEqual(rounded(fast.dated), rounded(slow.dated));
  });

  it('lists measures from histograms.json where a folder has no index', async () => {
    const { dataSet } = open(new GeneratedDataSet(size));
    const index = await dataSet.measures('beta/26');
    assert.deepEqual(
      [index.measures.length, index.measures[0]?.name, index.measures[0]?.submissions],
      [40, 'GC_MS', null],
    );
  });

  it('fetches a file once, and each failure says why there is nothing', async () => {
    const { asked, dataSet } = open(new GeneratedDataSet(size));
    await dataSet.sums('nightly/28', 'GC_MS', 'build', ['saved_session', '', '', '', '']);
    const before = asked.length;
    await dataSet.sums('nightly/28', 'GC_MS', 'build', ['', '', 'WINNT', '', '']);
    assert.equal(asked.length, before);
    const reasons: readonly (readonly [string, string, readonly string[], client.Nothing])[] = [
      ['nightly/99', 'GC_MS', ALL, 'no such channel and version'],
      ['nightly/28', 'toString', ALL, 'no such measure'],
      ['nightly/28', 'GC_MS', ['', '', 'BeOS', '', ''], 'no such filter'],
    ];
    for (const [channelVersion, measure, filter, reason] of reasons)
      await assert.rejects(dataSet.sums(channelVersion, measure, 'build', filter), {
        name: 'NothingFoundError',
        reason,
      });
  });

  it('has no changes before the first comparison, and tries again after a failure', async () => {
    const data = new GeneratedDataSet(size);
    data.absent.add('changes.json');
    const { dataSet } = open(data);
    assert.equal(await dataSet.changes(), null);
    data.absent.add('versions.json');
    await assert.rejects(dataSet.refresh(), { reason: 'file is missing' });
    data.absent.clear();
    assert.equal((await dataSet.folders()).size, 8);
    assert.equal(
      (await dataSet.changes())?.changes.some(({ measure }) => measure === HOSTILE),
      true,
    );
  });

  it('sums that the generator writes are element-wise', () => {
    assert.deepEqual(
      summed({
        d: [
          [1, 2, 3, 9, -1, -1, 1, 0, 2, 7],
          [1, 0, 0, 1, -1, -1, 1, 0, 1, 8],
        ],
      }),
      { d: [[2, 2, 3, 10, -1, -1, 2, 0, 3]] },
    );
  });
});

/** Sums of logarithms depend on the order of additions in their last digits. */
function rounded(dated: client.DatedSums): unknown {
  return dated.map(([date, sums]) => [
    date,
    { ...sums, logSum: sums.logSum?.toFixed(6), logSumSquares: sums.logSumSquares?.toFixed(4) },
  ]);
}

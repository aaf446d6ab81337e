import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isIndexFile, MeasureIndex, type SnapshotFile } from '../../src/pipeline/dataset/measure-index.ts';
import type { ByDate, Slot } from '../../src/pipeline/aggregates/slot.ts';
import { TextValues } from '../../src/pipeline/aggregates/text-values.ts';
import { measureFile } from '../../src/pipeline/dataset/measure-file.ts';
import { type FileSummary, summarise } from '../../src/pipeline/dataset/summary.ts';

type Rows = readonly (readonly [date: string, values: readonly number[]])[];

const slots = (byDate: ByDate, rows: Rows, asText = false): Slot[] =>
  rows.map(([date, values], index) => ({
    measure: 'M',
    byDate,
    path: `r/a/o/v/${index}`,
    date,
    values: asText ? TextValues.of(values.join(','))! : values,
    buildId: '0',
    revision: '',
  }));

interface IndexFile {
  readonly dates: { readonly build: readonly string[]; readonly submission: readonly string[] };
  readonly shards: number;
  readonly measures: Record<string, { kind: string; description: string; shard: number; submissions: number }>;
}
type Dates = Record<string, readonly number[]>;
type Shard = Record<string, { readonly build: Dates; readonly submission: Dates }>;
interface Indexed {
  readonly index: IndexFile;
  readonly shards: readonly Shard[];
}

/** The parsed files of measures that all have these rows. */
function indexed(
  measures: readonly string[],
  rows: { readonly build?: Rows; readonly submission?: Rows },
  { asText = false, definition = {} } = {},
): Indexed {
  const index = new MeasureIndex();
  const files: { name: string; json: string }[] = [];
  for (const measure of measures) {
    const summaries = {
      'by-build-date': summaryOf(measure, slots('by-build-date', rows.build ?? [], asText)),
      'by-submission-date': summaryOf(measure, slots('by-submission-date', rows.submission ?? [], asText)),
    };
    files.push(...texts(index.add({ measure, definition, summaries })));
  }
  files.push(...texts(index.end()));
  deepEqual(
    files.map(({ name }) => name),
    [...files.slice(1).map((_, shard) => `_summary-${shard}.json`), '_measures.json'],
  );
  const parsed = files.map(({ json }) => JSON.parse(json) as unknown);
  return { index: parsed.pop() as IndexFile, shards: parsed as Shard[] };
}

describe('the index of a snapshot’s measures', () => {
  const rows: Rows = [
    ['20131029', [1, 2, 5, 0.5, 0.25, -1, -1, 3]],
    ['20131028', [0, 1, 2, 1, 1, -1, -1, 1]],
    ['20131029', [4, 0, -1, 1.5, -1, 7, 0, 4]],
  ];

  for (const asText of [false, true]) {
    it(`adds the rows of a date, and leaves missing statistics out${asText ? ', from text' : ''}`, () => {
      const files = indexed(['M'], { submission: rows }, { asText });
      deepEqual(files.shards[0], {
        M: {
          build: {},
          submission: { 20131028: [0, 1, 2, 1, 1, -1, -1, 1], 20131029: [5, 2, 5, 2, 0.25, 7, 0, 7] },
        },
      });
    });
  }

  it('adds a sum of −1 of a simple measure, which may be real', () => {
    const files = indexed(['SIMPLE_MEASURES_X'], { submission: rows });
    equal(files.shards[0]?.['SIMPLE_MEASURES_X']?.submission['20131029']?.[2], 4);
  });

  it('gives each measure a mean a date in the order of all dates, null where it has none', () => {
    const index = new MeasureIndex();
    const add = (measure: string, submission: Rows): unknown[] => [
      ...index.add({
        measure,
        definition: {},
        summaries: {
          'by-build-date': summaryOf(measure, []),
          'by-submission-date': summaryOf(measure, slots('by-submission-date', submission)),
        },
      }),
    ];
    const old: Rows = Array.from({ length: 35 }, (_, day) => [`201309${String(day + 10)}`, [1, 1, 3, 0, 0, 0, 0, 1]]);
    add('A', [...old, ['20131029', [0, 3, 1, 0, 0, 0, 0, 1]]]);
    add('B', [
      ['20131028', [0, 0, 0, 0, 0, 0, 0, 1]],
      ['20131029', [1, 0, -1, 0, 0, 0, 0, 1]],
      ['20131030', [2, 1, 2, 0, 0, 0, 0, 2]],
    ]);
    const files = [...index.end()];
    const { measures, dates } = JSON.parse(String(files.at(-1)!.json));
    equal(dates.submission.length, 38);
    deepEqual(measures.A.spark, [...Array.from({ length: 27 }, () => 1.5), null, 0.3333, null]);
    deepEqual(measures.B.spark, [...Array.from({ length: 29 }, () => null), 0.6667]);
    equal(measures.A.submissions, 36);
    equal(measures.B.submissions, 4);
  });

  it('counts the submissions by build date where there are no others', () => {
    const files = indexed(['M'], { build: rows });
    equal(files.index.measures['M']?.submissions, 8);
    deepEqual(files.index.dates, { build: ['20131028', '20131029'], submission: [] });
  });

  it('begins a new summary when one is full, and names the one of each measure', () => {
    const wide: Rows = [['20131029', [...Array.from({ length: 40_000 }, () => 1), 1, 1, 1, 1, 1, 1]]];
    const measures = Array.from({ length: 8 }, (_, index) => `M${index}`);
    const files = indexed(measures, { build: wide });
    deepEqual([files.index.shards, files.shards.length], [2, 2]);
    for (const measure of measures) {
      const { shard } = files.index.measures[measure]!;
      ok(measure in files.shards[shard]!, `${measure} is not in summary ${shard}`);
    }
  });

  it('holds sums that JSON cannot, and shortens descriptions', () => {
    const huge: Rows = [
      ['20131029', [1e308, 0, 1, 1, 1, 1, 1, 1]],
      ['20131029', [1e308, 0, 1, 1, 1, 1, 1, 1]],
    ];
    const definition = { kind: 'linear', description: 'x'.repeat(1000) };
    const files = indexed(['M'], { submission: huge }, { definition });
    equal(files.shards[0]?.['M']?.submission['20131029']?.[0], Number.MAX_VALUE);
    const { kind, description } = files.index.measures['M']!;
    deepEqual([kind, description.length], ['linear', 500]);
  });

  it('keeps any measure name as it is', () => {
    const names = ['__proto__', 'a"b', 'constructor'];
    const files = indexed(names, { submission: rows });
    deepEqual(Object.keys(files.index.measures).sort(), names.toSorted());
    deepEqual(Object.keys(files.shards[0]!).sort(), names.toSorted());
  });

  it('knows its own files by name', () => {
    const names = [
      '_measures.json',
      '_summary-0.json',
      '_summary-12.json',
      '_summary-.json',
      '_manifest.json',
      'x_measures.json',
    ];
    deepEqual(names.map(isIndexFile), [true, true, true, false, false, false]);
  });
});

function texts(files: Iterable<SnapshotFile>): { name: string; json: string }[] {
  return Array.from(files, ({ name, json }) => ({ name, json: String(json) }));
}

function summaryOf(measure: string, rows: readonly Slot[]): FileSummary {
  const length = rows[0]?.values.length ?? 0;
  return summarise(measureFile(rows, () => 1).json, length, measure.startsWith('SIMPLE_MEASURES_'));
}

/** Sums of the files of a measure: the kernel gives what the plain rule gives, byte for byte. */
import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SummaryKernel } from '../../src/kernels/summary-kernel.ts';
import type { Slot } from '../../src/pipeline/aggregates/slot.ts';
import { TextValues } from '../../src/pipeline/aggregates/text-values.ts';
import { measureFile } from '../../src/pipeline/dataset/measure-file.ts';
import { type FileSummary, type Summarise, summarise } from '../../src/pipeline/dataset/summary.ts';

const kernel = new SummaryKernel();
const inKernel: Summarise = (file, length, simple) => kernel.summarise(file, length, simple);

type Rows = readonly (readonly [date: string, values: readonly number[]])[];

function fileOf(rows: Rows): Buffer {
  const slots = rows.map(([date, values], index): Slot => ({
    measure: 'M',
    byDate: 'by-build-date',
    path: `r/a/o/v/${index}`,
    date,
    values: TextValues.of(values.join(',')) ?? values,
    buildId: '0',
    revision: '',
  }));
  return measureFile(slots, (path) => Number(path.slice('r/a/o/v/'.length)) * 37).json;
}

const told = ({ text, dates }: FileSummary) => ({ text: text.toString(), dates });

function same(rows: Rows, length: number, simple = false): void {
  const file = fileOf(rows);
  deepEqual(told(inKernel(file, length, simple)), told(summarise(file, length, simple)));
}

describe('the summary of a file of a measure', () => {
  for (const [name, by] of [
    ['by the plain rule', summarise],
    ['by the kernel', inKernel],
  ] as const) {
    it(`has the sums of each date, its hits, sum and submissions, ${name}`, () => {
      const file = fileOf([
        ['20131029', [1, 0, 2, 5, 1, -1, -1, -1, 3]],
        ['20131028', [0, 0, 0, -1, -1, -1, -1, -1, 1]],
        ['20131029', [0, 4, 0, -1, 0.5, 0.25, -1, -1, 1]],
      ]);
      const { text, dates } = told(by(file, 9, false));
      equal(text, '"20131028":[0,0,0,-1,-1,-1,-1,-1,1],"20131029":[1,4,2,5,1.5,0.25,-1,-1,4],');
      deepEqual(dates, [
        { date: '20131028', hits: 0, sum: -1, submissions: 1 },
        { date: '20131029', hits: 7, sum: 5, submissions: 4 },
      ]);
    });

    it(`adds a sum of −1 of a simple measure, and is empty without rows, ${name}`, () => {
      const row = [1, 0, 0, -1, -1, -1, -1, -1, 1];
      const file = fileOf([
        ['20131029', row],
        ['20131029', row],
      ]);
      equal(told(by(file, 9, true)).text, '"20131029":[2,0,0,-2,-1,-1,-1,-1,2],');
      deepEqual(told(by(fileOf([]), 9, false)), { text: '', dates: [] });
    });
  }

  it('is the same for any numbers', () => {
    const number = fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.constantFrom(-1, 1, 9, 10, 0.5, -0.25, -0) },
      fc.nat(5000),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const dates = fc.constantFrom('20131027', '20131028', '20131029', '99999999');
    const rows = fc
      .integer({ min: 8, max: 60 })
      .chain((length) =>
        fc.tuple(
          fc.constant(length),
          fc.array(fc.tuple(dates, fc.array(number, { minLength: length, maxLength: length })), { maxLength: 12 }),
        ),
      );
    fc.assert(
      fc.property(rows, fc.boolean(), ([length, some], simple) => {
        same(some, length, simple);
      }),
      { numRuns: 1500 },
    );
  });

  it('is the same for more dates than the kernel keeps at once, and for the longest rows', () => {
    const short = [7, 0, 0, 1, 2, 3, 4, 5, 6];
    const dates = Array.from({ length: 2500 }, (_, day) => String(20_000_000 + day));
    same(
      dates.map((date) => [date, short]),
      short.length,
    );
    for (const length of [10_006, 10_007, 20_000]) {
      const long = Array.from({ length }, (_, place) => (place % 7 === 0 ? place / 8 : 0));
      same(
        dates.slice(0, 12).map((date) => [date, long]),
        length,
      );
    }
  });
});

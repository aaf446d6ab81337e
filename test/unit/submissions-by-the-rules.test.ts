/** Any submissions: counted by the aggregator as the rules, taken word by word, would have it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cases } from '../fakes/cases.ts';
import { pathPart } from '../../src/pipeline/submissions/filter-path.ts';
import { SIMPLE_MEASURE_BOUNDS, simpleMeasureName } from '../../src/pipeline/submissions/simple-measures.ts';
import { REVISION, type Counted, count } from '../fakes/counted-submissions.ts';

describe('any submissions', () => {
  const number = fc.oneof(fc.nat(50), fc.constantFrom(-1, 0.5, 1e10));
  const value = fc.oneof({ arbitrary: number, weight: 5 }, { arbitrary: fc.jsonValue({ maxDepth: 1 }), weight: 1 });
  const array = fc.oneof(
    { arbitrary: fc.array(fc.nat(9), { minLength: 8, maxLength: 10 }), weight: 4 },
    { arbitrary: fc.array(value, { maxLength: 9 }), weight: 1 },
  );
  const name = fc.constantFrom('A', 'B_C', 'STARTUP_A', 'a b', 'ä', 'main');
  const dictionary = <T>(of: fc.Arbitrary<T>) => fc.dictionary(name, of, { noNullPrototype: true });
  const info = fc.record(
    {
      OS: fc.constantFrom<unknown>('WINNT', 'Linux', 'name', 5),
      version: fc.constantFrom<unknown>('6.1', 6.1, '3.11.0', '', null),
      arch: fc.constantFrom<unknown>('x86', 'x/86', '🦊'),
      revision: fc.constantFrom<unknown>(REVISION, '', null),
    },
    { noNullPrototype: true },
  );
  const record = fc.record(
    {
      ver: fc.constantFrom<unknown>(2, 5, 1),
      info: fc.oneof({ arbitrary: info, weight: 9 }, { arbitrary: fc.constantFrom<unknown>(null, [], 'x'), weight: 1 }),
      histograms: fc.oneof(
        { arbitrary: dictionary(fc.oneof(array, value)), weight: 9 },
        { arbitrary: value, weight: 1 },
      ),
      simpleMeasurements: dictionary(fc.oneof(value, dictionary(value))),
      other: fc.jsonValue(),
    },
    { noNullPrototype: true, requiredKeys: ['info'] },
  );

  it('count as JSON.parse and the rules would have it', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), fc.shuffledSubarray([0, 1, 2, 3, 4]), (records, order) => {
        const shuffled = records.map((one) => {
          const entries = Object.entries(one);
          const first = order.flatMap((index) => entries.slice(index, index + 1));
          return Object.fromEntries([...first, ...entries]);
        });
        const counted = count(shuffled.map((one, index) => `${index}\t${JSON.stringify(one)}`));
        assert.deepEqual(counted.rows, literally(shuffled));
      }),
      { numRuns: cases(1000) },
    );
  });
});

interface Loose {
  readonly [name: string]: unknown;
}
const isLoose = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The rules of docs/formats/submissions.md, word by word, for records of the one key. */
function literally(records: readonly Loose[]): Counted['rows'] {
  const rows = new Map<string, [number[], string, string]>();
  const add = (measure: string, path: string, row: readonly number[], buildId: string, revision: string): void => {
    if (!/^[A-Za-z0-9_.-]{1,128}$/.test(measure)) return;
    for (const byDate of ['by-build-date', 'by-submission-date']) {
      const place = `${measure} ${byDate} 20131029/${path} ${row.length}`;
      const [sums] = rows.get(place) ?? [];
      const isMissable = (index: number): boolean =>
        index >= row.length - 6 &&
        index < row.length - 1 &&
        !(measure.startsWith('SIMPLE_') && index === row.length - 6);
      const sum = (x: number, y: number, index: number): number =>
        isMissable(index) && (x === -1 || y === -1) ? Math.max(x, y) : x + y;
      const [, , known = ''] = rows.get(place) ?? [];
      const kept = known > revision ? known : revision;
      rows.set(place, [row.map((y, index) => (sums === undefined ? y : sum(sums[index]!, y, index))), buildId, kept]);
    }
  };
  for (const record of records) {
    const path = pathOf(record);
    if (path === undefined) continue;
    const revision = (record['info'] as { revision?: string }).revision ?? '';
    for (const [name, array] of isLoose(record['histograms']) ? Object.entries(record['histograms']) : [])
      if (isHistogram(array)) add(name, path, [...array, 1], '20131029030201', revision);
    for (const [measure, value] of simpleOf(record['simpleMeasurements'])) {
      const log = Math.log(Math.abs(value) + 1);
      const bucket = SIMPLE_MEASURE_BOUNDS.findLastIndex((bound) => bound <= value);
      const buckets = Array.from({ length: 50 }, (_, index) => (index === bucket ? 1 : 0));
      add(measure, path, [...buckets, value, log, log * log, -1, -1, 1], '0', 'simple-measures-hack');
    }
  }
  // Of several lengths both show the longest row.
  const byLength = [...rows].toSorted(([, [a]], [, [b]]) => a.length - b.length);
  return Object.fromEntries(byLength.map(([place, row]) => [place.replace(/ \d+$/, ''), row]));
}

function pathOf({ ver, info }: Loose): string | undefined {
  if (![undefined, 2, 5].includes(ver as number) || !isLoose(info)) return undefined;
  const { OS: os, version, arch, revision } = info;
  if (typeof os !== 'string' || typeof arch !== 'string') return undefined;
  if (revision !== undefined && typeof revision !== 'string') return undefined;
  if (typeof version !== 'string' && typeof version !== 'number') return undefined;
  const text = os === 'Linux' ? String(version).slice(0, 3) : String(version);
  return `saved_session/Firefox/${pathPart(os)}/${pathPart(text)}/${pathPart(arch)}`;
}

function isHistogram(array: unknown): array is number[] {
  if (!Array.isArray(array) || array.length < 8 || array.some((item) => typeof item !== 'number')) return false;
  const counts = array.slice(0, -5);
  const statistics = array.slice(-5);
  return (
    counts.every((bucket) => Number.isInteger(bucket) && bucket >= 0 && bucket < 2 ** 32) &&
    statistics.every((statistic) => Math.abs(Number(statistic)) <= Number.MAX_SAFE_INTEGER)
  );
}

function simpleOf(value: unknown): [string, number][] {
  const members = isLoose(value) ? Object.entries(value) : [];
  const flat = members.flatMap(([name, member]): [string, unknown][] =>
    isLoose(member)
      ? Object.entries(member).map(([sub, inner]) => [simpleMeasureName(name, sub), inner])
      : [[simpleMeasureName(name), member]],
  );
  return flat.filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && Math.abs(entry[1]) <= Number.MAX_SAFE_INTEGER,
  );
}

/** Submissions of one file, counted: what tests of the aggregator ask for. */
import assert from 'node:assert/strict';
import { AggregateKernel } from '../../src/kernels/aggregate-kernel.ts';
import { BY_DATES } from '../../src/pipeline/aggregates/slot.ts';
import { DEFAULT_RULES, SubmissionAggregator } from '../../src/pipeline/submissions/aggregator.ts';
import { SlowSums } from './slow-sums.ts';

export const REVISION = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
export const INFO = { OS: 'WINNT', version: '6.1', arch: 'x86-64', revision: REVISION };
export const FLAG = [1, 0, 0, 0, -1, -1, 0, 0];
export const WHERE = '20131029/saved_session/Firefox/WINNT/6.1/x86-64';

export const keyOf = (build: string, submission: string): string =>
  `saved_session/Firefox/nightly/28.0a1/${build}.${submission}.v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma`;
export const KEY = keyOf('20131029030201', '20131029');

export interface Counted {
  readonly records: number;
  readonly skipped: Record<string, number>;
  /** By measure, all of them. */
  readonly badHistograms: Readonly<Record<string, number>>;
  /** Rows by `measure by-date date/path`: values, build id, revision. */
  readonly rows: Record<string, unknown[]>;
}

const LIMITS = { maxLineBytes: 1 << 22, maxTableBytes: 1 << 24 };
const kernels = new Map<number, AggregateKernel>();

/** Counted twice: by the kernel, and by the reference, which must give the same. */
export function count(lines: readonly (string | Buffer)[], { key = KEY, rules = {} } = {}): Counted {
  const all = { ...DEFAULT_RULES, ...rules };
  const { maxHistogramLength } = all;
  const kernel = kernels.get(maxHistogramLength) ?? new AggregateKernel({ ...LIMITS, maxHistogramLength });
  kernels.set(maxHistogramLength, kernel);
  kernel.clear();
  const mixedBefore = kernel.mixedStatistics;
  const slow = new SlowSums();
  const counted = [kernel, slow].map((sums) => {
    const aggregator = new SubmissionAggregator(sums, all);
    aggregator.openFile(key);
    for (const line of lines)
      addLine(aggregator, sums, Buffer.concat([Buffer.from('\t{'), Buffer.from(line), Buffer.from('\t')]));
    return aggregator;
  });
  const [aggregator] = counted as [SubmissionAggregator];
  const [byKernel, bySlow] = counted.map(({ records, skipped, badHistograms }) => ({
    ...{ records, skipped },
    badHistograms: badHistograms.worst(Infinity),
  }));
  assert.deepEqual(byKernel, bySlow);
  assert.equal(kernel.mixedStatistics - mixedBefore, slow.mixedStatistics);
  assert.equal(linesOf(kernel), slow.text());
  const rows = [...slow.table().sorted()].map(({ channelVersion, slot }) => {
    assert.equal(channelVersion, 'nightly/28');
    const place = `${slot.measure} ${slot.byDate} ${slot.date}/${slot.path}`;
    return [place, [Array.from(slot.values), slot.buildId, slot.revision]];
  });
  return {
    records: aggregator.records,
    skipped: aggregator.skipped,
    badHistograms: aggregator.badHistograms.worst(Infinity),
    rows: Object.fromEntries(rows) as Counted['rows'],
  };
}

/** The line is between the first two bytes and the last one. */
function addLine(aggregator: SubmissionAggregator, sums: AggregateKernel | SlowSums, bytes: Buffer): void {
  if (sums instanceof SlowSums) {
    aggregator.addLine(bytes, 2, bytes.length - 1);
    return;
  }
  const at = sums.hold(bytes, 2, bytes.length - 1);
  aggregator.addLine(sums.bytes, at, at + bytes.length - 3);
}

/** The lines of the result, folded in memory. */
function linesOf(kernel: AggregateKernel): string {
  const texts: string[] = [];
  for (const summed of kernel.measures) {
    const pieces: Buffer[] = [];
    kernel.gatherRows([summed], (piece) => pieces.push(Buffer.from(piece)));
    const rows = Buffer.concat(pieces);
    for (const byDate of BY_DATES) {
      kernel.beginKey(summed.measure);
      kernel.beginBlock();
      kernel.bytes.set(rows, kernel.inputAt);
      assert.equal(kernel.addPacked(kernel.inputAt, rows.length, byDate), rows.length);
      kernel.sort({ ...summed, byDate }, 'result');
      for (let isMore = true; isMore;) {
        isMore = kernel.write('result');
        texts.push(kernel.takeOutput().toString());
      }
    }
  }
  return texts.join('');
}

export const line = (record: unknown): string => `a-uuid\t${JSON.stringify(record)}`;
export const submission = (part: Record<string, unknown> = {}): string => line({ ver: 2, info: INFO, ...part });
export const rowOf = (counted: Counted, measure: string, where = WHERE): unknown =>
  counted.rows[`${measure} by-build-date ${where}`]?.[0];
export const paths = ({ rows }: Counted): string[] => [
  ...new Set(Object.keys(rows).map((place) => place.split(/ 2013\d{4}\//)[1]!)),
];

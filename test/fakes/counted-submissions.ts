/** Submissions of one file, counted: what tests of the aggregator ask for. */
import assert from 'node:assert/strict';
import { SlotTable } from './slot-table.ts';
import { DEFAULT_RULES, SubmissionAggregator } from '../../src/pipeline/submissions/aggregator.ts';

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

export function count(lines: readonly (string | Buffer)[], { key = KEY, rules = {} } = {}): Counted {
  const table = new SlotTable();
  const aggregator = new SubmissionAggregator(table, { ...DEFAULT_RULES, ...rules });
  aggregator.openFile(key);
  for (const line of lines) {
    const bytes = Buffer.concat([Buffer.from('\t{'), Buffer.from(line), Buffer.from('\t')]);
    aggregator.addLine(bytes, 2, bytes.length - 1);
  }
  const rows = [...table.sorted()].map(({ channelVersion, slot }) => {
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

export const line = (record: unknown): string => `a-uuid\t${JSON.stringify(record)}`;
export const submission = (part: Record<string, unknown> = {}): string => line({ ver: 2, info: INFO, ...part });
export const rowOf = (counted: Counted, measure: string, where = WHERE): unknown =>
  counted.rows[`${measure} by-build-date ${where}`]?.[0];
export const paths = ({ rows }: Counted): string[] => [
  ...new Set(Object.keys(rows).map((place) => place.split(/ 2013\d{4}\//)[1]!)),
];

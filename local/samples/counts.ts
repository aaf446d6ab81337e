/** What a correct pipeline finds in a set of sample submissions; tests and the demo compare with it. */
import { LINE_FAULTS, type LineFault } from './faults.ts';
import { type SampleFile } from './partitions.ts';

export interface SampleCounts {
  /** Readable files; the damaged ones below come on top. */
  files: number;
  /** Good records, those before the break of the truncated file included. */
  records: number;
  /** Bytes of text in the readable files. */
  decodedBytes: number;
  readonly badLines: Record<LineFault, number>;
  /** Arrays that a reader must skip, inside good records. */
  badHistograms: number;
  /** Good records by submission day, channel/version and reason as in the key: `counts['20131029']['nightly/28']['saved_session']`. */
  readonly submissions: Record<string, Record<string, Record<string, number>>>;
  /** Keys of the damaged and stray objects; null when the set has none. All have the first submission day. */
  truncatedFile: string | null;
  wrongContainer: string | null;
  strayObject: string | null;
  emptyObject: string | null;
}

export function emptyCounts(): SampleCounts {
  return {
    files: 0,
    records: 0,
    decodedBytes: 0,
    badLines: Object.fromEntries(LINE_FAULTS.map((fault) => [fault, 0])) as Record<LineFault, number>,
    badHistograms: 0,
    submissions: {},
    truncatedFile: null,
    wrongContainer: null,
    strayObject: null,
    emptyObject: null,
  };
}

/** Adds good records of a file. */
export function addSubmissions(counts: SampleCounts, file: SampleFile, submissions: number): void {
  const { channel, version } = file.build;
  const [reason = ''] = file.partition.split('/');
  const ofDay = (counts.submissions[file.day] ??= {});
  const ofVersion = (ofDay[`${channel}/${version.split('.')[0] ?? ''}`] ??= {});
  ofVersion[reason] = (ofVersion[reason] ?? 0) + submissions;
  counts.records += submissions;
}

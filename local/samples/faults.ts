/**
 * The faults that sample submissions carry on purpose, each counted under the name that the pipeline gives it
 * (docs/formats/submissions.md 3.8).
 */
import { gzipSync } from 'node:zlib';
import { compress, decodableText } from './containers.ts';
import { type SampleRecord } from './session.ts';

export const LINE_FAULTS = ['no_tab', 'bad_json', 'no_info', 'bad_revision'] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** A line (without its end) that looks like a record's and is none. */
export function faultyLine(fault: LineFault, id: string, record: SampleRecord): string {
  const { info, ...rest } = record;
  switch (fault) {
    case 'no_tab':
      return `${id} ${JSON.stringify({ info })}`;
    case 'bad_json':
      return `${id}\t${JSON.stringify(record).slice(0, 400)}`;
    case 'no_info':
      return `${id}\t${JSON.stringify({ ...rest, histograms: {} })}`;
    case 'bad_revision':
      return `${id}\t${JSON.stringify({ info: { ...info, revision: 518 }, histograms: {} })}`;
  }
}

/** Replaces one histogram by an array that no reader may count; the record itself stays good. */
export function withBadHistogram(record: SampleRecord): SampleRecord {
  return { ...record, histograms: { ...record.histograms, GC_MS: [1, 2, null, 4, 5, 6, 7, 8] } };
}

/** Gzip where LZMA belongs. */
export function wrongContainer(text: string): Buffer {
  return gzipSync(text);
}

export interface TruncatedFile {
  readonly bytes: Buffer;
  /** Lines that decode completely before the stream breaks off. */
  readonly completeLines: number;
}

/** Cuts a file so far inside a line that every decoder agrees on the number of complete lines. */
export async function truncatedFile(lines: readonly string[]): Promise<TruncatedFile> {
  const whole = await compress(lines.join('\n') + '\n', 'lzma');
  const margin = 1_000;
  for (let length = Math.floor(whole.length * 0.6); length > 0; length -= 97) {
    const bytes = whole.subarray(0, length);
    const text = await decodableText(bytes);
    const completeLines = text.split('\n').length - 1;
    const partial = text.length - (text.lastIndexOf('\n') + 1);
    if (partial > margin && partial < (lines[completeLines]?.length ?? 0) - margin) return { bytes, completeLines };
  }
  throw new Error('the file is too short to be cut inside a line');
}

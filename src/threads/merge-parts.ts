/** File jobs over sorted parts: parts → one part, parts → the segment of a day, parts → `result.txt`. */
import { rename, rm } from 'node:fs/promises';
import { DayMeasures } from '../pipeline/aggregates/day-measures.ts';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { PartSlot } from '../pipeline/aggregates/part-line.ts';
import { type PartInfo, readPart, writePart } from './part-file.ts';
import { type ResultFileInfo, writeResultLines } from './result-file.ts';

export interface MergePartsInput {
  /** Part files, in the order in which equal slots are added. */
  readonly parts: readonly string[];
  /** File to write. */
  readonly output: string;
}

export async function mergePartFiles({ parts, output }: MergePartsInput): Promise<PartInfo> {
  return writePart(output, mergeParts(parts.map(readPart)));
}

export interface MergeDayInput extends MergePartsInput {
  /** No submission of the day is later; rows of later ones are left out. Undefined where there is no such day. */
  readonly latest?: string | undefined;
  /** Measures that stay before others when there are too many. */
  readonly published?: readonly string[];
}

export interface DaySegment extends PartInfo {
  /** Measures that were left out, since the day has too many. */
  readonly measuresLeftOut: number;
  /** Rows of days of submission that are later than `latest`. */
  readonly laterRows: number;
}

/** The same for the parts of one channel/version and day, with a limit of measures (docs/formats/results.md 4.8). */
export async function mergeDayParts({ parts, output, latest, published }: MergeDayInput): Promise<DaySegment> {
  const measures = new DayMeasures(published);
  const later = { rows: 0 };
  const all = mergeParts(parts.map(readPart));
  const info = await writePart(output, latest === undefined ? all : upTo(latest, all, later), (item) => {
    measures.note(item);
  });
  if (measures.excess === 0) return { ...info, measuresLeftOut: 0, laterRows: later.rows };
  // Only now is it known how many submissions a measure must have to stay.
  const whole = `${output}.whole`;
  await rename(output, whole);
  const kept = await writePart(output, measures.keeping(readPart(whole)));
  await rm(whole);
  return { ...kept, measuresLeftOut: measures.excess, laterRows: later.rows };
}

/** A result may name any day of submission; a later one than any other would decide what its readers take for the newest. */
async function* upTo(
  latest: string,
  slots: AsyncIterable<PartSlot>,
  later: { rows: number },
): AsyncGenerator<PartSlot> {
  for await (const item of slots) {
    if (item.slot.byDate === 'by-submission-date' && item.slot.date > latest) later.rows += 1;
    else yield item;
  }
}

/** Writes the sum of the parts in the form of a result. */
export async function partsToResult({ parts, output }: MergePartsInput): Promise<ResultFileInfo> {
  return writeResultLines(output, mergeParts(parts.map(readPart)));
}

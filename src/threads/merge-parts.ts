/** File jobs over sorted parts: parts → one part, parts → the segment of a day, parts → `result.txt`. */
import { rename, rm } from 'node:fs/promises';
import { DayMeasures } from '../pipeline/aggregates/day-measures.ts';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
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

export interface DaySegment extends PartInfo {
  /** Measures that were left out, since the day has too many. */
  readonly measuresLeftOut: number;
}

export interface MergeDayPartsInput extends MergePartsInput {
  /** Measures that stay before others when there are too many. */
  readonly published?: readonly string[];
}

/** The same for the parts of one channel/version and day, with a limit of measures (docs/formats/results.md 4.8). */
export async function mergeDayParts({ parts, output, published }: MergeDayPartsInput): Promise<DaySegment> {
  const measures = new DayMeasures(published);
  const info = await writePart(output, mergeParts(parts.map(readPart)), (item) => {
    measures.note(item);
  });
  if (measures.excess === 0) return { ...info, measuresLeftOut: 0 };
  // Only now is it known how many submissions a measure must have to stay.
  const whole = `${output}.whole`;
  await rename(output, whole);
  const kept = await writePart(output, measures.keeping(readPart(whole)));
  await rm(whole);
  return { ...kept, measuresLeftOut: measures.excess };
}

/** Writes the sum of the parts in the form of a result. */
export async function partsToResult({ parts, output }: MergePartsInput): Promise<ResultFileInfo> {
  return writeResultLines(output, mergeParts(parts.map(readPart)));
}

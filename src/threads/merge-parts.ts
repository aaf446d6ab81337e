/** File jobs over sorted parts: parts → one part, parts → `result.txt`. */
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

/** Writes the sum of the parts in the form of a result. */
export async function partsToResult({ parts, output }: MergePartsInput): Promise<ResultFileInfo> {
  return writeResultLines(output, mergeParts(parts.map(readPart)));
}

/** File jobs over sorted parts: parts → one part, parts → `result.txt`. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import { ResultLineWriter } from '../pipeline/aggregates/result-lines.ts';
import { type PartInfo, readPart, writePart } from './part-file.ts';

export interface MergePartsInput {
  /** Part files, in the order in which equal slots are added. */
  readonly parts: readonly string[];
  /** File to write. */
  readonly output: string;
}

export async function mergePartFiles({ parts, output }: MergePartsInput): Promise<PartInfo> {
  return writePart(output, mergeParts(parts.map(readPart)));
}

export interface PartsToResultResult {
  readonly lines: number;
  readonly bytes: number;
}

/** Writes the sum of the parts in the form of a result. */
export async function partsToResult({ parts, output }: MergePartsInput): Promise<PartsToResultResult> {
  let lines = 0;
  let bytes = 0;
  async function* blocks(): AsyncGenerator<Buffer> {
    const writer = new ResultLineWriter();
    const block = (line: string): Buffer => {
      const text = Buffer.from(`${line}\n`);
      lines += 1;
      bytes += text.length;
      return text;
    };
    for await (const { channelVersion, slot } of mergeParts(parts.map(readPart))) {
      const line = writer.add(channelVersion, slot);
      if (line !== undefined) yield block(line);
    }
    const last = writer.end();
    if (last !== undefined) yield block(last);
  }
  await pipeline(Readable.from(blocks()), createWriteStream(output));
  return { lines, bytes };
}

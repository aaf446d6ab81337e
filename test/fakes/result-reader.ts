/** Reads and merges results slowly: one line after the other into one table. What the merge gives must be the same. */
import { type DropCounts, type LineKey, ResultParser } from '../../src/pipeline/aggregates/result-parser.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import { BY_DATES } from '../../src/pipeline/aggregates/slot.ts';
import { SlotTable } from './slot-table.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { addCounts } from '../../src/pipeline/known-reasons.ts';

interface Row {
  readonly key: LineKey;
  readonly path: string;
  readonly values: Float64Array;
  readonly buildId: string;
  readonly revision: string;
}

/** Holds the rows of a result until it was read to its end. */
export class ResultReader {
  readonly dropped: DropCounts = {};
  readonly #parser = new ResultParser();
  #rows: Row[] = [];
  #drops: DropCounts = {};

  parseLine(bytes: Uint8Array, start: number, end: number): void {
    try {
      const key = this.#parser.parseLine(bytes, start, end);
      this.#parser.takeRows((row) => this.#rows.push({ key, ...row, values: row.values.slice() }));
      addCounts(this.#drops, this.#parser.stagedDrops);
    } finally {
      this.#parser.discard();
    }
  }

  commit(table: SlotTable): void {
    for (const { key, path, values, buildId, revision } of this.#rows) {
      const rows = table.measure(table.measuresOf(key.channelVersion), key.measure);
      const byDate = BY_DATES.indexOf(key.byDate) as 0 | 1;
      table.add(rows, byDate, path, values, 0, values.length, buildId, revision);
    }
    addCounts(this.dropped, this.#drops);
    this.discard();
  }

  discard(): void {
    this.#rows = [];
    this.#drops = {};
  }
}

export interface SlowMerge {
  /** Lines with LF. */
  readonly text: string;
  /** By number of the result, what is wrong with its lines; which of several faults is told is open. */
  readonly rejected: Record<number, readonly string[]>;
  readonly dropped: DropCounts;
}

/** @param results texts of results, in the order in which they are added */
export function mergeSlowly(results: readonly (string | Buffer)[]): SlowMerge {
  const table = new SlotTable();
  const reader = new ResultReader();
  const rejected: Record<number, string[]> = {};
  for (const [number, result] of results.entries()) {
    const faults: string[] = [];
    for (const line of linesOf(Buffer.from(result))) {
      try {
        reader.parseLine(line, 0, line.length);
      } catch (error) {
        if (!(error instanceof InvalidDataError)) throw error;
        faults.push(error.reason);
      }
    }
    if (faults.length === 0) reader.commit(table);
    else {
      reader.discard();
      rejected[number] = faults;
    }
  }
  const dropped = { ...reader.dropped };
  if (table.mixedStatistics > 0) dropped['mixed_statistics'] = table.mixedStatistics;
  return { text: [...resultLines(table.sorted())].map((line) => `${line}\n`).join(''), rejected, dropped };
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(0x0a, start);
    const end = lf < 0 ? bytes.length : lf;
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

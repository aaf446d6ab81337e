/**
 * The kernel of the merge as the threads call it: lines of results in, sorted text out. The WebAssembly module
 * (`merge/index.ts`) reads what is written as this project and the original write it; what a text means that it has not
 * seen, and every line that is written otherwise, is read here, by the parser that results are defined by.
 */
import { randomInt } from 'node:crypto';
import { SIMPLE_MEASURE_PREFIX } from '../pipeline/aggregates/slot.ts';
import {
  type DropCounts,
  type LineKey,
  pathFault,
  type RestOfLine,
  ResultParser,
} from '../pipeline/aggregates/result-parser.ts';
import { MAX_PATH } from '../pipeline/aggregates/row-limits.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { isPlain, PLAIN_END, RowKernel } from './row-kernel.ts';

/** Faults of an aggregate by the numbers that `merge/read-lines.ts` gives them. */
const FAULTS = ['', 'bad_path', 'bad_date', 'bad_values', 'empty_aggregate', 'bad_number', 'clamped_sum'] as const;

export class MergeKernel extends RowKernel<'merge'> {
  readonly #parser = new ResultParser();
  #dropped: DropCounts = {};
  #mixedBefore = 0;
  /** Where lines go, and how many bytes of them fit. */
  readonly inputAt: number;
  readonly inputBytes: number;

  constructor(inputBytes: number) {
    super('merge', {
      newPath: (at, length) => this.#newPath(at, length),
      newEnd: (at, length) => PLAIN_END.exec(this.latin1(at, length))?.[1]?.length ?? 0,
      readRest: (at, where) => {
        this.#readRest(at, where);
      },
    });
    this.inputAt = this.kernel.setUp(inputBytes, randomInt(2 ** 32));
    this.inputBytes = inputBytes;
    this.fillTables();
  }

  /** Forgets all texts and counts: for another merge. */
  reset(): void {
    this.forget();
    this.#dropped = {};
    this.#mixedBefore = Number(this.kernel.mixedTotal());
    const drops = this.kernel.dropsAt();
    this.bytes.fill(0, drops, drops + 8 * FAULTS.length);
  }

  /** Begins an empty table, for lines of this key. */
  beginKey({ measure }: LineKey): void {
    this.kernel.beginRows(measure.startsWith(SIMPLE_MEASURE_PREFIX) ? 1 : 0);
  }

  /**
   * Adds what is behind the TAB of a line.
   * @param at place in `bytes`; LF must be at `end`
   * @throws InvalidDataError `bad_json`: the result must be rejected, and the rows of this key are of no use
   */
  addLine(at: number, end: number): void {
    this.lineEnd = end;
    this.kernel.addLine(at, end);
  }

  /** Aggregates left out of all lines that were added, by reason; and `mixed_statistics`. */
  get dropped(): DropCounts {
    const dropped = { ...this.#dropped };
    const at = this.kernel.dropsAt();
    for (const [number, reason] of FAULTS.entries()) {
      const count = Number(this.bytes.readBigUInt64LE(at + 8 * number));
      if (count > 0) addCounts(dropped, { [reason]: count });
    }
    const mixed = Number(this.kernel.mixedTotal()) - this.#mixedBefore;
    if (mixed > 0) dropped['mixed_statistics'] = mixed;
    return dropped;
  }

  #newPath(at: number, length: number): number {
    const raw = this.bytes.toString('utf8', at, at + length);
    const path = isPlain(raw) ? raw : decoded(raw);
    const fault = path.length > MAX_PATH ? 'bad_path' : pathFault(path);
    if (fault !== '') return -FAULTS.indexOf(fault);
    return path === raw && isPlain(path) ? 0 : this.keepPath(path);
  }

  #readRest(at: number, where: number): void {
    const parser = this.#parser;
    try {
      parser.parseRest(this.bytes, at, this.lineEnd, REST[where] ?? 'object');
      parser.takeRows(({ path, values, buildId, revision }) => {
        const pathNumber = this.keepPath(path);
        const end = this.keepEnd(buildId, revision);
        const scratch = this.kernel.scratchAt();
        const bytes = this.bytes;
        for (let index = 0; index < values.length; index += 1)
          bytes.writeDoubleLE(values[index] as number, scratch + 8 * index);
        this.kernel.addNumbers(pathNumber, values.length, end);
      });
      addCounts(this.#dropped, parser.stagedDrops);
    } finally {
      parser.discard();
    }
  }
}

const REST: readonly RestOfLine[] = ['object', 'after value', 'after object'];

function decoded(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    throw new InvalidDataError('bad_json', 'Not JSON: a text has a bad escape');
  }
}

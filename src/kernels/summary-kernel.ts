/** Host of the kernel that sums the files of a measure (`render/index.ts`). */
import { MAX_ROW } from '../pipeline/aggregates/row-limits.ts';
import { type DateSums, type FileSummary, summarise } from '../pipeline/dataset/summary.ts';
import { instantiate, type RenderExports } from './instantiate.ts';
import { POWERS_OF_TEN } from './powers-of-ten.ts';

const DATE_WORDS = 4;
/** Behind the file: it is read by vectors. */
const PADDING = 16;

export class SummaryKernel {
  readonly #kernel: RenderExports;
  #bytes: Buffer = Buffer.alloc(0);

  constructor() {
    this.#kernel = instantiate('render', { numberAt: (at) => this.#numberAt(at) });
    if (this.#kernel.maxRow() !== MAX_ROW) throw new Error('src/kernels/render was compiled with another longest row');
    this.#kernel.setUp();
    this.#memory.set(POWERS_OF_TEN, this.#kernel.powersAt());
  }

  /** As `summary.ts` does. */
  summarise(file: Buffer, length: number, simple: boolean): FileSummary {
    if (length > MAX_ROW) return summarise(file, length, simple);
    const start = this.#kernel.fileAt(file.length + PADDING);
    file.copy(this.#memory, start);
    const texts: Buffer[] = [];
    const dates: DateSums[] = [];
    // Behind the brace.
    for (let at = start + 1; at !== 0;) {
      at = this.#kernel.summarise(at, length, simple ? 1 : 0);
      const output = this.#kernel.outputAt();
      texts.push(Buffer.from(this.#memory.subarray(output, output + this.#kernel.outputBytes())));
      this.#takeDates(dates);
    }
    const [only] = texts;
    return { text: texts.length === 1 && only !== undefined ? only : Buffer.concat(texts), dates };
  }

  #takeDates(dates: DateSums[]): void {
    const at = this.#kernel.datesAt();
    const count = this.#kernel.summedDates();
    const words = new Float64Array(this.#kernel.memory.buffer, at, count * DATE_WORDS);
    for (let date = 0; date < count; date += 1) {
      const word = date * DATE_WORDS;
      dates.push({
        date: this.#memory.toString('latin1', at + word * 8, at + word * 8 + 8),
        hits: words[word + 1] as number,
        sum: words[word + 2] as number,
        submissions: words[word + 3] as number,
      });
    }
  }

  /** Of a number that the kernel leaves to `Number`. */
  #numberAt(at: number): number {
    const bytes = this.#memory;
    let end = at;
    while (!ENDS.has(bytes[end] as number)) end += 1;
    this.#kernel.numberEndsAt(end);
    return Number(bytes.toString('latin1', at, end));
  }

  get #memory(): Buffer {
    if (this.#bytes.length === 0 || this.#bytes.buffer !== this.#kernel.memory.buffer)
      this.#bytes = Buffer.from(this.#kernel.memory.buffer);
    return this.#bytes;
  }
}

/** A comma, a bracket. */
const ENDS: ReadonlySet<number> = new Set([0x2c, 0x5d]);

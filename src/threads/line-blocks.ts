/** Sorts any number of lines: in blocks that fit into memory, each of which becomes a file. */
import { createReadStream } from 'node:fs';
import { sortedMerge } from '../pipeline/sorted-merge.ts';
import { compareText } from '../pipeline/text-order.ts';
import { writeLines } from './line-writer.ts';
import { textLines } from './lines.ts';

/** Characters that are sorted in memory at a time. */
const BLOCK_CHARACTERS = 32 << 20;

export class LineBlocks {
  /** Lines taken in. */
  lines = 0;
  readonly #prefix: string;
  readonly #compare: (a: string, b: string) => number;
  readonly #blockCharacters: number;
  readonly #paths: string[] = [];
  #block: string[] = [];
  #characters = 0;

  /**
   * @param prefix of the paths of the files
   * @param compare the order; lines that are equal in it stay in the order in which they came
   */
  constructor(prefix: string, compare = compareText, blockCharacters = BLOCK_CHARACTERS) {
    this.#prefix = prefix;
    this.#compare = compare;
    this.#blockCharacters = blockCharacters;
  }

  /** @param line without LF; an answer without a promise is the rule, since there are millions of lines */
  add(line: string): Promise<void> | undefined {
    this.lines += 1;
    this.#block.push(line);
    this.#characters += line.length + 1;
    return this.#characters >= this.#blockCharacters ? this.#flush() : undefined;
  }

  /** Ends the last block. @returns the blocks, each sorted */
  async blocks(): Promise<AsyncIterable<string>[]> {
    if (this.#block.length > 0) await this.#flush();
    return this.#paths.map(linesOf);
  }

  /** All lines in order, repeats too: those that are equal are handed out together. */
  async *sorted(): AsyncGenerator<readonly [string, ...string[]], void, undefined> {
    yield* sortedMerge<string, readonly [string, ...string[]]>(await this.blocks(), {
      compare: this.#compare,
      combine: (equal) => equal,
      unsorted: (line) => new Error(`a sorted block is not sorted at ${JSON.stringify(line)}`),
    });
  }

  async #flush(): Promise<void> {
    const path = `${this.#prefix}-${this.#paths.length}`;
    await writeLines(path, this.#block.sort(this.#compare), (line) => line);
    this.#paths.push(path);
    this.#block = [];
    this.#characters = 0;
  }
}

/** Opened when the first line is asked for. */
async function* linesOf(path: string): AsyncGenerator<string> {
  yield* textLines(createReadStream(path));
}

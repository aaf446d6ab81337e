/** Finds the lines of results and tells their keys apart, over the bytes: the first pass of a merge. */
import { randomInt } from 'node:crypto';
import { instantiate, type MergeExports } from './instantiate.ts';

/** Bytes that are looked at in one call. */
export const INDEX_BLOCK = 256 << 10;
const LINE_WORDS = 4;
/** Behind the bytes that are looked at, since they are read by vectors. */
const PADDING = 64;

/**
 * Told of a line: its place from the start of the block, its bytes without LF, and the number of its key, from 1; 0 when
 * there is no TAB where the key of a line ends.
 */
type OnLine = (offset: number, length: number, key: number) => void;

export class LineIndexer {
  readonly #kernel: MergeExports;
  readonly #at: number;
  readonly #newKey: (text: string) => void;

  /** @param newKey is told each key that was not seen before, in the order of their numbers */
  constructor(newKey: (text: string) => void) {
    this.#newKey = newKey;
    this.#kernel = instantiate('merge', {
      newKey: (number) => {
        this.#keyFound(number);
      },
    });
    this.#at = this.#kernel.setUpIndex(INDEX_BLOCK + PADDING, randomInt(2 ** 32));
  }

  /** Where up to `INDEX_BLOCK` bytes go before `lines` is called. */
  block(): Buffer {
    return Buffer.from(this.#kernel.memory.buffer, this.#at, INDEX_BLOCK + PADDING);
  }

  /**
   * Hands on each line that ends in the first `bytes` of the block.
   * @returns where the one begins that does not
   */
  lines(bytes: number, each: OnLine): number {
    const rest = this.#kernel.index(this.#at, this.#at + bytes);
    this.#handOn(each);
    return rest;
  }

  /** Hands on a line that is all of the first `bytes` of the block, or begins with them when it is longer. */
  line(bytes: number, each: OnLine): void {
    this.#kernel.indexLine(this.#at, this.#at + bytes);
    this.#handOn(each);
  }

  #handOn(each: OnLine): void {
    const count = this.#kernel.indexedCount();
    const words = new Uint32Array(this.#kernel.memory.buffer, this.#kernel.indexedLines(), LINE_WORDS * count);
    for (let line = 0; line < words.length; line += LINE_WORDS)
      each(words[line] as number, words[line + 1] as number, words[line + 2] as number);
  }

  #keyFound(number: number): void {
    const at = this.#kernel.keyAt(number);
    this.#newKey(Buffer.from(this.#kernel.memory.buffer, at, this.#kernel.keyLength(number)).toString('utf8'));
  }
}

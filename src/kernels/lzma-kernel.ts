/**
 * The decoder of LZMA-alone as the threads call it. The WebAssembly module (`lzma/index.ts`) decodes; this reads the header and
 * says which streams it takes. What it does not take has to be read by liblzma, which delivers the same of all others too.
 */
import { instantiate, type Kernels } from './instantiate.ts';

/** How a step of a decoder ends. */
export type StepEnd = 'more' | 'end' | 'damaged';

/** The file's header, and the coder's first bytes. */
export const LZMA_START_BYTES = 18;

/** What the header of an LZMA-alone file says. */
interface LzmaHeader {
  /** Bits of context: of the byte before a literal, of the place of a literal, of any place. */
  readonly context: readonly [lc: number, lp: number, pb: number];
  readonly dictionaryBytes: number;
  /** Decoded bytes; −1 when they are not known. */
  readonly size: bigint;
}

const MOST_CONTEXT = 4;
const MIN_DICTIONARY = 4096;
/** Twice what programs take by default. Memory of a thread never shrinks, and that for larger ones is liblzma's alone. */
const MAX_DICTIONARY = 16 << 20;
/** Those that liblzma takes when it has to tell the format by the content. */
const END_OF_SIZES = 1n << 38n;
const UNKNOWN = 0xffff_ffff_ffff_ffffn;
const INPUT_BYTES = 64 << 10;
/** What a symbol may take of the input; it is set to 0 behind the last byte. */
const BEHIND_INPUT = 32;
/** Beside the window: patterns, probabilities, input. */
const OTHER_BYTES = 2 << 20;
/** By number, as `lzma/symbols.ts` and `lzma/index.ts` know them. A stream that is cut is damaged at its end. */
const ENDS = ['more', 'end', 'damaged', 'damaged'] as const satisfies readonly StepEnd[];

let kernelOfThread: { readonly kernel: Kernels['lzma']; readonly inputAt: number } | undefined;

/** One stream at a time: all of a thread use the same memory. */
export class LzmaDecoder {
  readonly #kernel: Kernels['lzma'];
  readonly #inputAt: number;
  #end: number;
  #isAtEnd = false;

  /**
   * @param start the first `LZMA_START_BYTES` of the file
   * @returns undefined when liblzma has to read the file
   */
  static of(start: Uint8Array, maxBytes: number): LzmaDecoder | undefined {
    const header = headerOf(Buffer.from(start.buffer, start.byteOffset, start.length));
    if (header === undefined || windowBytes(header) + OTHER_BYTES > maxBytes) return undefined;
    const decoder = new LzmaDecoder();
    return decoder.#begin(header, start) ? decoder : undefined;
  }

  private constructor() {
    if (kernelOfThread === undefined) {
      const kernel = instantiate('lzma', {});
      kernelOfThread = { kernel, inputAt: kernel.setUp(INPUT_BYTES) };
    }
    this.#kernel = kernelOfThread.kernel;
    this.#inputAt = kernelOfThread.inputAt;
    this.#end = this.#inputAt;
  }

  #begin({ context, dictionaryBytes, size }: LzmaHeader, start: Uint8Array): boolean {
    const code = Buffer.from(start).readUInt32BE(LZMA_START_BYTES - 4);
    return this.#kernel.begin(...context, dictionaryBytes, size, code, this.#inputAt) !== 0;
  }

  /**
   * Decodes a block, or what is whole of the input.
   * @param read fills the bytes that follow; returns how many, 0 at the end
   * @returns the block: a view that is good until the next step
   */
  step(read: (into: Buffer) => number): { end: StepEnd; block: Buffer } {
    this.#fill(read);
    const end = ENDS[this.#kernel.decode(this.#end, this.#isAtEnd ? 1 : 0)] ?? 'damaged';
    const at = this.#kernel.blockAt();
    return { end, block: this.#bytes(at, this.#kernel.outputAt()) };
  }

  /** Whether bytes follow the end of the stream. */
  hasMore(read: (into: Buffer) => number): boolean {
    return this.#kernel.inputAt() < this.#end || (!this.#isAtEnd && read(Buffer.alloc(1)) > 0);
  }

  /** Once a symbol may reach behind the input. */
  #fill(read: (into: Buffer) => number): void {
    const at = this.#kernel.inputAt();
    if (this.#isAtEnd || this.#end - at > BEHIND_INPUT) return;
    const input = this.#bytes(this.#inputAt, this.#inputAt + INPUT_BYTES + BEHIND_INPUT);
    const rest = this.#end - at;
    input.copyWithin(0, at - this.#inputAt, this.#end - this.#inputAt);
    const length = read(input.subarray(rest, INPUT_BYTES));
    this.#kernel.goOnFrom(this.#inputAt);
    this.#end = this.#inputAt + rest + length;
    this.#isAtEnd = length === 0;
    if (this.#isAtEnd) input.fill(0, rest, rest + BEHIND_INPUT);
  }

  /** The memory may have grown, so it is asked for again. */
  #bytes(from: number, to: number): Buffer {
    return Buffer.from(this.#kernel.memory.buffer, from, to - from);
  }
}

/** Of a file whose start is as programs write it. */
function headerOf(start: Buffer): LzmaHeader | undefined {
  if (start.length < LZMA_START_BYTES) return undefined;
  const properties = start.readUInt8(0);
  const context = [properties % 9, Math.floor(properties / 9) % 5, Math.floor(properties / 45)] as const;
  const dictionaryBytes = start.readUInt32LE(1);
  const size = start.readBigUInt64LE(5);
  const isKnown =
    context[2] <= MOST_CONTEXT &&
    context[0] + context[1] <= MOST_CONTEXT &&
    isDictionary(dictionaryBytes) &&
    (size === UNKNOWN || size < END_OF_SIZES) &&
    start.readUInt8(13) === 0 &&
    // The coder's code is below its range, which begins with this.
    start.readUInt32BE(14) !== 0xffff_ffff;
  return isKnown ? { context, dictionaryBytes, size: size === UNKNOWN ? -1n : size } : undefined;
}

/** 2ⁿ, or 2ⁿ + 2ⁿ⁻¹. */
function isDictionary(bytes: number): boolean {
  const power = 2 ** (31 - Math.clz32(bytes));
  return bytes >= MIN_DICTIONARY && bytes <= MAX_DICTIONARY && (bytes === power || bytes === power * 1.5);
}

/** As `lzma/index.ts` takes it. */
function windowBytes({ dictionaryBytes }: LzmaHeader): number {
  return dictionaryBytes + Math.max(dictionaryBytes / 4, 1 << 20);
}

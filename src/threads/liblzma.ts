/** Decodes LZMA-alone and xz by liblzma, compiled to WebAssembly: the same on every platform, and all of its memory is inside a limit. */
import { code, end, getModule, initModule, LZMA_FINISH, LZMA_RUN, WasmLzmaStream } from 'node-liblzma/wasm';
import type { StepEnd } from '../kernels/lzma-kernel.ts';

const INPUT_BYTES = 64 << 10;
const OUTPUT_BYTES = 256 << 10;
/** liblzma's flag for several xz streams in one file. */
const CONCATENATED = 0x08;

/** Return codes of liblzma. */
const OK = 0;
const STREAM_END = 1;
const NO_MEMORY = 5;
const OVER_MEMORY_LIMIT = 6;
const BAD_FORMAT = 7;
const BAD_OPTIONS = 8;

/** One file's decoder. Its buffers are those of the thread, which decodes one file after the other. */
export class LiblzmaDecoder {
  readonly #stream: WasmLzmaStream;
  readonly #buffers = buffersOfThread();
  #isAtEnd = false;

  static async of(maxBytes: number): Promise<LiblzmaDecoder> {
    await initModule();
    return new LiblzmaDecoder(maxBytes);
  }

  private constructor(maxBytes: number) {
    const module = getModule();
    this.#stream = new WasmLzmaStream(module);
    const result = module._lzma_auto_decoder(this.#stream.ptr, BigInt(maxBytes), CONCATENATED);
    if (result !== OK) {
      this.#stream.free();
      throw new Error(`liblzma made no decoder: code ${result}`);
    }
    this.#stream.setInput(this.#buffers.input, 0);
  }

  /**
   * Decodes what fits the output, or until all that was read is used up.
   * @param read fills the bytes that follow; returns how many, 0 at the end
   * @returns the block: a view that is good until the next step
   */
  step(read: (into: Buffer) => number): { end: StepEnd | 'over memory' | 'bad format'; block: Buffer } {
    const stream = this.#stream;
    if (stream.availIn === 0 && !this.#isAtEnd) this.#read(read);
    stream.setOutput(this.#buffers.output, OUTPUT_BYTES);
    const result = code(stream, this.#isAtEnd ? LZMA_FINISH : LZMA_RUN);
    // The memory may have grown, so it is asked for again.
    return { end: endOf(result), block: this.#bytes(this.#buffers.output, OUTPUT_BYTES - stream.availOut) };
  }

  /** Whether bytes follow the end of the stream. */
  hasMore(read: (into: Buffer) => number): boolean {
    if (this.#stream.availIn > 0) return true;
    if (this.#isAtEnd) return false;
    this.#read(read);
    return this.#stream.availIn > 0;
  }

  close(): void {
    end(this.#stream);
    this.#stream.free();
  }

  #read(read: (into: Buffer) => number): void {
    const length = read(this.#bytes(this.#buffers.input, INPUT_BYTES));
    this.#stream.setInput(this.#buffers.input, length);
    this.#isAtEnd = length === 0;
  }

  #bytes(at: number, length: number): Buffer {
    return Buffer.from(getModule().HEAPU8.buffer, at, length);
  }
}

function endOf(result: number): StepEnd | 'over memory' | 'bad format' {
  if (result === OK) return 'more';
  if (result === STREAM_END) return 'end';
  if (result === OVER_MEMORY_LIMIT || result === NO_MEMORY) return 'over memory';
  return result === BAD_FORMAT || result === BAD_OPTIONS ? 'bad format' : 'damaged';
}

interface Buffers {
  readonly input: number;
  readonly output: number;
}

let buffers: Buffers | undefined;

function buffersOfThread(): Buffers {
  const module = getModule();
  buffers ??= { input: module._malloc(INPUT_BYTES), output: module._malloc(OUTPUT_BYTES) };
  return buffers;
}

/**
 * Decodes submission files: LZMA-alone or xz, by content, several xz streams in a row
 * (docs/formats/submissions.md 3.1). By liblzma, compiled to WebAssembly: the same on every platform, and all of its memory
 * is inside a limit.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { code, end, getModule, initModule, LZMA_FINISH, LZMA_RUN, WasmLzmaStream } from 'node-liblzma/wasm';
import { InvalidDataError } from '../pipeline/invalid-data.ts';

export interface DecodeLimits {
  /** Decoded bytes of one file. */
  readonly maxDecodedBytes: number;
  /** Decoded bytes per stored byte, looked at from 64 MiB on; honest files stay below 100. */
  readonly maxRatio: number;
  /** Memory of the decoder; a header may ask for gigabytes. */
  readonly maxDecoderBytes: number;
}

/** How a file ended: complete, or in the middle. */
export type DecodeEnd = 'complete' | 'truncated';

const INPUT_BYTES = 64 << 10;
const OUTPUT_BYTES = 256 << 10;
const RATIO_FROM = 64 << 20;
/** liblzma's flag for several xz streams in one file. */
const CONCATENATED = 0x08;

/** Return codes of liblzma. */
const OK = 0;
const STREAM_END = 1;
const NO_MEMORY = 5;
const OVER_MEMORY_LIMIT = 6;
const BAD_FORMAT = 7;
const BAD_OPTIONS = 8;

/**
 * Calls `onBlock` with the decoded bytes in order.
 * @param onBlock gets a view that is good until it returns
 * @returns `truncated` when the stream is damaged or breaks off after some bytes; those were delivered
 * @throws InvalidDataError `bad_container`, `file_too_large` or `decoder_memory`: no line of the file should count
 */
export async function decodeFile(
  path: string,
  storedBytes: number,
  limits: DecodeLimits,
  onBlock: (block: Buffer) => void,
): Promise<DecodeEnd> {
  if (storedBytes === 0) return 'complete';
  await initModule();
  const decoder = new Decoder(limits.maxDecoderBytes);
  const file = openSync(path, 'r');
  let decoded = 0;
  try {
    for (;;) {
      const { result, block } = decoder.step(file);
      decoded += block.length;
      if (decoded > limits.maxDecodedBytes || (decoded > RATIO_FROM && decoded > storedBytes * limits.maxRatio))
        throw new InvalidDataError('file_too_large', `${decoded} bytes decoded from ${storedBytes}: over the limit`);
      if (block.length > 0) onBlock(block);
      if (result === STREAM_END) return decoder.hasMore(file) ? 'truncated' : 'complete';
      if (result !== OK) return endOf(result, decoded);
    }
  } finally {
    closeSync(file);
    decoder.close();
  }
}

/** @throws InvalidDataError when the file as a whole is unfit */
function endOf(result: number, decoded: number): DecodeEnd {
  if (result === OVER_MEMORY_LIMIT || result === NO_MEMORY)
    throw new InvalidDataError('decoder_memory', 'The file asks for more decoder memory than allowed');
  if (decoded === 0 && (result === BAD_FORMAT || result === BAD_OPTIONS))
    throw new InvalidDataError('bad_container', 'The file is neither LZMA nor xz');
  return 'truncated';
}

/** One file's decoder. Its buffers are those of the thread, which decodes one file after the other. */
class Decoder {
  readonly #stream: WasmLzmaStream;
  readonly #buffers = buffersOfThread();
  #isAtEnd = false;

  constructor(maxBytes: number) {
    const module = getModule();
    this.#stream = new WasmLzmaStream(module);
    const result = module._lzma_auto_decoder(this.#stream.ptr, BigInt(maxBytes), CONCATENATED);
    if (result !== OK) {
      this.#stream.free();
      throw new Error(`liblzma made no decoder: code ${result}`);
    }
    this.#stream.setInput(this.#buffers.input, 0);
  }

  /** Decodes what fits the output, or until all that was read is used up. */
  step(file: number): { result: number; block: Buffer } {
    const stream = this.#stream;
    if (stream.availIn === 0 && !this.#isAtEnd) this.#read(file);
    stream.setOutput(this.#buffers.output, OUTPUT_BYTES);
    const result = code(stream, this.#isAtEnd ? LZMA_FINISH : LZMA_RUN);
    // The memory may have grown, so it is asked for again.
    return { result, block: this.#bytes(this.#buffers.output, OUTPUT_BYTES - stream.availOut) };
  }

  /** Whether bytes follow the end of the stream. */
  hasMore(file: number): boolean {
    if (this.#stream.availIn > 0) return true;
    if (this.#isAtEnd) return false;
    this.#read(file);
    return this.#stream.availIn > 0;
  }

  close(): void {
    end(this.#stream);
    this.#stream.free();
  }

  #read(file: number): void {
    const length = readSync(file, this.#bytes(this.#buffers.input, INPUT_BYTES), 0, INPUT_BYTES, null);
    this.#stream.setInput(this.#buffers.input, length);
    this.#isAtEnd = length === 0;
  }

  #bytes(at: number, length: number): Buffer {
    return Buffer.from(getModule().HEAPU8.buffer, at, length);
  }
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

/**
 * Decodes submission files: LZMA-alone or xz, by content, several xz streams in a row
 * (docs/formats/submissions.md 3.1).
 */
import { open } from 'node:fs/promises';
import lzma from 'lzma-native';
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

const OUTPUT_BLOCK = 1 << 20;
/** One step of a bomb decodes to thousands of times as much before the limits are looked at. */
const INPUT_BLOCK = 1 << 12;
/** Step sizes for locating a fault; the last is so small that the decoder drops only a few bytes of text. */
const STEPS = [INPUT_BLOCK, 1 << 10, 1] as const;
const RATIO_FROM = 64 << 20;
/** liblzma's flag for several xz streams in one file. */
const CONCATENATED = 0x08;

/**
 * Calls `onBlock` with the decoded bytes in order.
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
  const progress = { fed: 0, delivered: 0 };
  // The decoder drops what it decoded in the step that failed. So the file is decoded again, and the place in question
  // fed in smaller steps, until every line before the damage is found.
  let from = 0;
  for (const step of STEPS) {
    try {
      await decodeOnce(path, storedBytes, limits, { from, step }, progress, onBlock);
      if (step === INPUT_BLOCK) return 'complete';
    } catch (error) {
      if (isDamage(error, progress.delivered) === 'early') throw containerFault(error);
    }
    from = Math.max(0, progress.fed - 2 * step);
  }
  return 'truncated';
}

async function decodeOnce(
  path: string,
  storedBytes: number,
  limits: DecodeLimits,
  steps: InputSteps,
  progress: { fed: number; delivered: number },
  onBlock: (block: Buffer) => void,
): Promise<void> {
  const options = { memlimit: limits.maxDecoderBytes, flags: CONCATENATED, bufsize: OUTPUT_BLOCK, synchronous: true };
  // The package's types do not know `synchronous`.
  const decoder = lzma.createStream('autoDecoder', options as unknown as Parameters<typeof lzma.createStream>[1]);
  // Node's stream helpers see this stream as finished before it reports a fault in its last bytes, so they are not used.
  let fault: Error | undefined;
  // After a fault the stream forgets the callback of the write at hand, so the fault itself must end the wait.
  let wake = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    decoder.on('end', resolve);
    decoder.on('error', (error: Error) => {
      fault ??= error;
      wake();
      resolve();
    });
  });
  let decoded = 0;
  decoder.on('data', (block: Buffer) => {
    const start = decoded;
    decoded += block.length;
    if (decoded > limits.maxDecodedBytes || (decoded > RATIO_FROM && decoded > storedBytes * limits.maxRatio)) {
      fault ??= new InvalidDataError('file_too_large', `${decoded} bytes decoded from ${storedBytes}: over the limit`);
    } else if (decoded > progress.delivered) {
      onBlock(block.subarray(Math.max(0, progress.delivered - start)));
      progress.delivered = decoded;
    }
  });
  for await (const block of inputBlocks(path, steps, progress)) {
    await new Promise<void>((resolve) => {
      wake = resolve;
      decoder.write(block, () => {
        resolve();
      });
    });
    if (fault !== undefined) break;
  }
  if (fault === undefined) {
    decoder.end();
    await ended;
  }
  if (fault !== undefined) throw fault;
}

/** Feed the file in steps of this many bytes from byte `from` on; the bytes before it in large blocks. */
interface InputSteps {
  readonly from: number;
  readonly step: number;
}

/** @param progress `fed` becomes the number of bytes handed out in this pass */
async function* inputBlocks(path: string, steps: InputSteps, progress: { fed: number }): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    for (progress.fed = 0; ;) {
      const wanted = progress.fed < steps.from ? Math.min(INPUT_BLOCK, steps.from - progress.fed) : INPUT_BLOCK;
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, progress.fed);
      if (bytesRead === 0) return;
      const step = progress.fed < steps.from ? wanted : steps.step;
      for (let start = 0; start < bytesRead; start += step) {
        const block = buffer.subarray(start, Math.min(start + step, bytesRead));
        progress.fed += block.length;
        yield block;
      }
    }
  } finally {
    await file.close();
  }
}

const DAMAGE = new Set(['LZMA_BUF_ERROR', 'LZMA_DATA_ERROR', 'LZMA_FORMAT_ERROR', 'LZMA_OPTIONS_ERROR']);

/** `early`: the file as a whole is unfit. Errors that are not the decoder's verdict on the data are rethrown. */
function isDamage(error: unknown, delivered: number): 'early' | 'late' {
  if (error instanceof InvalidDataError) return 'early';
  const name = error instanceof Error ? error.name : '';
  if (name === 'LZMA_MEMLIMIT_ERROR') return 'early';
  if (!DAMAGE.has(name)) throw error;
  return delivered === 0 && (name === 'LZMA_FORMAT_ERROR' || name === 'LZMA_OPTIONS_ERROR') ? 'early' : 'late';
}

function containerFault(error: unknown): Error {
  if (error instanceof InvalidDataError) return error;
  return error instanceof Error && error.name === 'LZMA_MEMLIMIT_ERROR'
    ? new InvalidDataError('decoder_memory', 'The file asks for more decoder memory than allowed')
    : new InvalidDataError('bad_container', 'The file is neither LZMA nor xz');
}

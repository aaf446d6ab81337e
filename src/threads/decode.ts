/** Decodes submission files: LZMA-alone or xz, whichever the content says, several xz streams in a row (submissions.md 3.1). */
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

/** How a file ended: well, or in the middle. */
export type DecodeEnd = 'complete' | 'truncated';

const OUTPUT_BLOCK = 1 << 20;
const INPUT_BLOCK = 1 << 16;
/** Small enough that what the decoder holds back at a fault is a few bytes of text. */
const FINE_BLOCK = 1;
const RATIO_FROM = 64 << 20;
/** liblzma's flag for several xz streams in one file. */
const CONCATENATED = 0x08;

/**
 * Calls `onBlock` with the decoded bytes in order.
 * @returns `truncated` when the stream is damaged or breaks off after some bytes; those were delivered
 * @throws InvalidDataError `bad_container`, `file_too_large` or `decoder_memory`: nothing of the file should count
 */
export async function decodeFile(
  path: string,
  storedBytes: number,
  limits: DecodeLimits,
  onBlock: (block: Buffer) => void,
): Promise<DecodeEnd> {
  if (storedBytes === 0) return 'complete';
  const progress = { fed: 0, delivered: 0 };
  const attempt = async (fineFrom: number): Promise<void> => {
    await decodeOnce(path, storedBytes, limits, fineFrom, progress, onBlock);
  };
  try {
    await attempt(Infinity);
    return 'complete';
  } catch (error) {
    if (isDamage(error, progress.delivered) === 'early') throw containerFault(error);
  }
  // The decoder drops what it decoded in the step that failed. Go over the file again and feed the place in question in
  // tiny steps, so that every line before the damage is had.
  try {
    await attempt(Math.max(0, progress.fed - 2 * INPUT_BLOCK));
  } catch (error) {
    if (isDamage(error, progress.delivered) === 'early') throw containerFault(error);
  }
  return 'truncated';
}

async function decodeOnce(
  path: string,
  storedBytes: number,
  limits: DecodeLimits,
  fineFrom: number,
  progress: { fed: number; delivered: number },
  onBlock: (block: Buffer) => void,
): Promise<void> {
  const options = { memlimit: limits.maxDecoderBytes, flags: CONCATENATED, bufsize: OUTPUT_BLOCK, synchronous: true };
  const decoder = lzma.createStream('autoDecoder', options as unknown as Parameters<typeof lzma.createStream>[1]);
  // Node's stream helpers see this stream as finished before it reports a fault in its last bytes, so they are not used.
  let fault: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    decoder.on('end', resolve);
    decoder.on('error', (error: Error) => {
      fault ??= error;
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
  for await (const block of inputBlocks(path, fineFrom, progress)) {
    await new Promise<void>((resolve) => {
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

async function* inputBlocks(path: string, fineFrom: number, progress: { fed: number }): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    let position = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(INPUT_BLOCK), 0, INPUT_BLOCK, position);
      if (bytesRead === 0) return;
      const step = position >= fineFrom ? FINE_BLOCK : INPUT_BLOCK;
      for (let start = 0; start < bytesRead; start += step) {
        const block = buffer.subarray(start, Math.min(start + step, bytesRead));
        progress.fed = Math.max(progress.fed, position + start + block.length);
        yield block;
      }
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}

const DAMAGE = new Set(['LZMA_BUF_ERROR', 'LZMA_DATA_ERROR', 'LZMA_FORMAT_ERROR', 'LZMA_OPTIONS_ERROR']);

/** `early`: the file as a whole is unfit. Errors that are not the decoder's verdict on the data are thrown on. */
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

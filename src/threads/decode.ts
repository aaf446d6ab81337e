/**
 * Decodes submission files: LZMA-alone or xz, by content, several xz streams in a row (docs/formats/submissions.md 3.1).
 * LZMA-alone by a kernel of this project, all else by liblzma (docs/decisions/0013-lzma-kernel.md).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { LZMA_START_BYTES, LzmaDecoder } from '../kernels/lzma-kernel.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { LiblzmaDecoder } from './liblzma.ts';

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

const RATIO_FROM = 64 << 20;

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
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(LZMA_START_BYTES);
    const length = readSync(file, start, 0, start.length, 0);
    const ours = LzmaDecoder.of(start.subarray(0, length), limits.maxDecoderBytes);
    let position = ours === undefined ? 0 : length;
    const read = (into: Buffer): number => {
      const bytes = readSync(file, into, 0, into.length, position);
      position += bytes;
      return bytes;
    };
    if (ours !== undefined) return decodeAll(ours, read, storedBytes, limits, onBlock);
    const liblzma = await LiblzmaDecoder.of(limits.maxDecoderBytes);
    try {
      return decodeAll(liblzma, read, storedBytes, limits, onBlock);
    } finally {
      liblzma.close();
    }
  } finally {
    closeSync(file);
  }
}

function decodeAll(
  decoder: LzmaDecoder | LiblzmaDecoder,
  read: (into: Buffer) => number,
  storedBytes: number,
  limits: DecodeLimits,
  onBlock: (block: Buffer) => void,
): DecodeEnd {
  let decoded = 0;
  for (;;) {
    const { end, block } = decoder.step(read);
    decoded += block.length;
    if (decoded > limits.maxDecodedBytes || (decoded > RATIO_FROM && decoded > storedBytes * limits.maxRatio))
      throw new InvalidDataError('file_too_large', `${decoded} bytes decoded from ${storedBytes}: over the limit`);
    if (block.length > 0) onBlock(block);
    if (end === 'more') continue;
    if (end === 'end') return decoder.hasMore(read) ? 'truncated' : 'complete';
    if (end === 'over memory')
      throw new InvalidDataError('decoder_memory', 'The file asks for more decoder memory than allowed');
    if (decoded === 0 && end === 'bad format')
      throw new InvalidDataError('bad_container', 'The file is neither LZMA nor xz');
    return 'truncated';
  }
}

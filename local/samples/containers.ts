/** The two containers of submission files, LZMA-alone and xz, and what a reader can still get out of a cut one. */
import lzma from 'lzma-native';

export type Container = 'lzma' | 'xz';

/** Preset 0 is what the original's writer used, and the fastest. The library takes xz's 0 for "the default", ten times slower. */
const LZMA_PRESET = 0;
const XZ_PRESET = 1;

/** Compresses in liblzma's own threads. */
export function compress(text: string, container: Container): Promise<Buffer> {
  const encoder =
    container === 'lzma'
      ? lzma.createStream('aloneEncoder', { preset: LZMA_PRESET })
      : lzma.createStream('easyEncoder', { preset: XZ_PRESET });
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    encoder.on('data', (part: Buffer) => parts.push(part));
    encoder.once('end', () => {
      resolve(Buffer.concat(parts));
    });
    encoder.once('error', reject);
    encoder.end(text);
  });
}

/** What decodes before the stream breaks off, or all of it when it does not. */
export function decodableText(bytes: Buffer): Promise<string> {
  const decoder = lzma.createStream('autoDecoder');
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const finish = (): void => {
      resolve(Buffer.concat(parts).toString('utf8'));
    };
    decoder.on('data', (part: Buffer) => parts.push(part));
    decoder.once('end', finish);
    decoder.once('error', finish);
    decoder.end(bytes);
  });
}

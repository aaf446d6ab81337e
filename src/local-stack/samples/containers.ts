/** The two containers of submission files, LZMA-alone and xz, and what a reader can still get out of a cut one. */
import lzma from 'lzma-native';

export type Container = 'lzma' | 'xz';

/** Preset 0 is what the original's writer used; speed matters more here than size. */
const PRESET = 0;

/** Compresses in liblzma's own threads. */
export function compress(text: string, container: Container): Promise<Buffer> {
  const encoder =
    container === 'lzma'
      ? lzma.createStream('aloneEncoder', { preset: PRESET })
      : lzma.createStream('easyEncoder', { preset: PRESET });
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

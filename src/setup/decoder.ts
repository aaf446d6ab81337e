/**
 * Whether this machine decodes submission files: one small file of each container, with the code that decodes all
 * others.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecodeLimits } from '../threads/decode.ts';
import { ok, type SetupItem } from './item.ts';

/** What both samples hold. */
const SAMPLE_TEXT = 'uuid\t{"ver":1,"histograms":{}}\n'.repeat(3);
/** Made with `samples/containers.ts`. */
const SAMPLES = {
  lzma: 'XQAABAD//////////wA6nUlVuTB61YjO0r4eqrFVT+nhTAFGL/robJ7ctXRgj9fi+ClN21//1CwAAA==',
  xz: '/Td6WFoAAAFpIt42AgAhARAAAACocI6G4ABcACddADqdSVW5MHrViM7Svh6qsVVP6eFMAUYv+uhsnty1dGCP1+L30+QAAAAA8TfWMAABP11esoJtkEKZDQEAAAAAAVla',
};

/** @param workDirectory the folder for temporary files, which is tried at the same time */
export function decoderItem(workDirectory: string, limits: DecodeLimits): SetupItem {
  return {
    name: 'decoder of submissions',
    look: async () => {
      const folder = await mkdtemp(join(workDirectory, 'telemetry-setup-'));
      try {
        for (const [container, sample] of Object.entries(SAMPLES)) await decodes(folder, container, sample, limits);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
      return ok(`LZMA and xz decode in ${workDirectory}`);
    },
  };
}

async function decodes(folder: string, container: string, sample: string, limits: DecodeLimits): Promise<void> {
  // Loaded here, so that a native part that does not load fails only this item.
  const { decodeFile } = await import('../threads/decode.ts');
  const bytes = Buffer.from(sample, 'base64');
  const path = join(folder, container);
  await writeFile(path, bytes);
  const blocks: Buffer[] = [];
  const end = await decodeFile(path, bytes.length, limits, (block) => blocks.push(Buffer.from(block)));
  if (end !== 'complete' || Buffer.concat(blocks).toString('utf8') !== SAMPLE_TEXT)
    throw new Error(`the ${container} sample decodes to something else: reinstall the packages (npm ci)`);
}

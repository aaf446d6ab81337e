/** What the Dockerfile says of the image that it makes. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const dockerfile = readFileSync(resolve(import.meta.dirname, '../../Dockerfile'), 'utf8');
/** Its last stage, which is the image. */
export const imageStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM'));

/** Paths of the checkout that the image has as they are here. */
export function copiedPaths(): string[] {
  return [...imageStage.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
}

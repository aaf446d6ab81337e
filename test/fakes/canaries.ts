/** Looking for secrets where none may be. */
import { inflatedText } from '../../src/state/documents.ts';
import type { ObjectStore } from '../../src/ports.ts';

/** Which of the canaries are in a text, or in what base64 in it stands for. */
export function canariesIn(text: string, canaries: readonly string[]): string[] {
  const decoded = [...text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)].map(([part]) =>
    Buffer.from(part, 'base64').toString('utf8'),
  );
  const whole = [text, ...decoded].join('\n');
  return canaries.filter((canary) => whole.includes(canary));
}

/** Every object of a bucket, inflated. */
export async function objectTexts(store: ObjectStore): Promise<[key: string, text: string][]> {
  const texts: [string, string][] = [];
  for await (const entry of store.list('')) {
    if (entry.kind !== 'object') continue;
    const { body } = await store.get(entry.key);
    texts.push([entry.key, inflatedText(body)]);
  }
  return texts;
}

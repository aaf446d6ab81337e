/** The page's side of its worker. */
import { type Nothing, NothingFoundError } from '../client/index.ts';
import type { Answer, QuestionName, Questions } from './protocol.ts';
import { worker } from './start.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let last = 0;

worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
  const asked = waiting.get(data.id);
  waiting.delete(data.id);
  if (asked === undefined) return;
  if (!('reason' in data)) asked.resolve(data.value);
  else if (data.reason === 'fault') asked.reject(new Error(data.message));
  else asked.reject(new NothingFoundError(data.reason satisfies Nothing, data.message));
});
worker.addEventListener('error', () => {
  for (const { reject } of waiting.values()) reject(new Error('The page’s worker has failed: reload the page.'));
  waiting.clear();
});

/** @throws NothingFoundError as the data set does */
export function ask<Name extends QuestionName>(
  name: Name,
  ...parameters: Parameters<Questions[Name]>
): Promise<ReturnType<Questions[Name]>> {
  last += 1;
  const id = last;
  return new Promise((resolve, reject) => {
    waiting.set(id, {
      resolve: (value) => {
        resolve(value as ReturnType<Questions[Name]>);
      },
      reject,
    });
    worker.postMessage({ id, name, parameters });
  });
}

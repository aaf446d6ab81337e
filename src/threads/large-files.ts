/** A file in which a thread runs out of memory is left out, as any other that cannot be read; the others are counted. */
import type { FailedFile } from '../pipeline/done-queue/done-message.ts';
import type { CountSubmissionsInput } from './aggregate-submissions.ts';

/**
 * Once a thread ran out of memory in a file, the files behind it are read to find all others that are unfit, so that the task
 * is counted again once, and not once for each of them.
 */
export async function withoutLargeFiles<Input extends CountSubmissionsInput, Result>(
  input: Input,
  count: (input: Input) => Promise<Result>,
  find: (input: CountSubmissionsInput) => Promise<readonly FailedFile[]>,
): Promise<Result> {
  let unfit = input.unfit ?? [];
  for (;;) {
    const counted = await untilOutOfMemory(input, (at) => count({ ...input, unfit, at }));
    if ('result' in counted) return counted.result;
    let large: number | undefined = counted.large;
    while (large !== undefined) {
      unfit = [...unfit, { key: input.files[large]?.key ?? '', reason: 'out_of_memory' }];
      const from: number = large + 1;
      const given = { ...input, files: input.files.slice(from), unfit };
      const found = await untilOutOfMemory(given, (at) => find({ ...given, at }));
      large = 'large' in found ? from + found.large : undefined;
      if ('result' in found) unfit = found.result;
    }
  }
}

/** @returns what the job gives, or the index of the file in which its thread ran out of memory */
async function untilOutOfMemory<Result>(
  { files }: CountSubmissionsInput,
  run: (at: Int32Array) => Promise<Result>,
): Promise<{ readonly result: Result } | { readonly large: number }> {
  const at = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  try {
    return { result: await run(at) };
  } catch (error) {
    const large = Atomics.load(at, 0) - 1;
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY' || files[large] === undefined) throw error;
    return { large };
  }
}

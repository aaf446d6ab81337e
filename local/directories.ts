/** Where everything that only this checkout needs is kept. */
import { join, resolve } from 'node:path';
import { environment } from '../src/environment.ts';
import { localSchema } from './settings.ts';
import type { BinarySources } from './stack/binaries.ts';

export const LOCAL_DIRECTORY = '.local';
/** Data of the embedded stack. */
export const STACK_DIRECTORY = join(LOCAL_DIRECTORY, 'stack');

/** Where the programs of the stack come from. */
export function binarySources(): BinarySources {
  const { TEMPORAL_CLI: temporal, TEMPORAL_TEST_SERVER: testServer, WEED: weed } = localSchema.parse(environment());
  return {
    named: { temporal, 'temporal-test-server': testServer, weed },
    searchPath: environment()['PATH'] ?? '',
    cacheDirectory: resolve(LOCAL_DIRECTORY, 'cache', 'bin'),
  };
}

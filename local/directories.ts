/** Where everything that only this checkout needs is kept. */
import { join, resolve } from 'node:path';
import { type Config, environment } from '../src/config.ts';
import type { BinarySources } from './stack/binaries.ts';

export const LOCAL_DIRECTORY = '.local';
/** Data of the embedded stack. */
export const STACK_DIRECTORY = join(LOCAL_DIRECTORY, 'stack');

/** Where the programs of the stack come from. */
export function binarySources(config: Config): BinarySources {
  return {
    named: { temporal: config.TEMPORAL_CLI, 'temporal-test-server': config.TEMPORAL_TEST_SERVER, weed: config.WEED },
    searchPath: environment()['PATH'] ?? '',
    cacheDirectory: resolve(LOCAL_DIRECTORY, 'cache', 'bin'),
  };
}

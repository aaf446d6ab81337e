/** Where workflow code with interceptors lies that was bundled once for all tests of a run. */
import { basename, join } from 'node:path';

/**
 * Where the bundle with these interceptors lies once `test/prepare-bundles.ts` has made it.
 * @returns undefined when nobody makes one, as for a test file that is run alone
 */
export function readyBundle(interceptors: readonly string[]): string | undefined {
  const folder = process.env['TELEMETRY_TEST_BUNDLES'];
  if (folder === undefined) return undefined;
  const names = ['workflows', ...interceptors.map((module) => basename(module, '.ts'))];
  return join(folder, `${names.join('+')}.js`);
}

/**
 * `prepare-bundles.ts FOLDER`: bundles the workflows once for all tests of a run, as production has them and with the
 * short time-outs of the fault tests. A process that is told FOLDER by TELEMETRY_TEST_BUNDLES bundles neither itself.
 */
import { rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readyBundle } from './fakes/ready-bundle.ts';
import { bundleWorkflows } from './fakes/temporal.ts';

process.env['TELEMETRY_TEST_BUNDLES'] = process.argv[2];
for (const interceptors of [[], [resolve(import.meta.dirname, 'faults/harness/short-time-outs.ts')]]) {
  const file = readyBundle(interceptors) ?? '';
  const { code } = await bundleWorkflows({ interceptors });
  // Whoever finds the file finds it whole.
  await writeFile(`${file}.new`, code);
  await rename(`${file}.new`, file);
}

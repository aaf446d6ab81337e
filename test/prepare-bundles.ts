/**
 * `prepare-bundles.ts FOLDER`: bundles the workflows once for all tests of a run. As production has them, they are kept in
 * the checkout; with the short time-outs of the fault tests, a process finds them in FOLDER, which TELEMETRY_TEST_BUNDLES
 * names to it.
 */
import { rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { workflowCode } from '../src/workflow-bundle.ts';
import { readyBundle } from './fakes/ready-bundle.ts';
import { bundleWorkflows } from './fakes/temporal.ts';

process.env['TELEMETRY_TEST_BUNDLES'] = process.argv[2];
await workflowCode();
const interceptors = [resolve(import.meta.dirname, 'faults/harness/short-time-outs.ts')];
const file = readyBundle(interceptors) ?? '';
const { code } = await bundleWorkflows({ interceptors });
// Whoever finds the file finds it whole.
await writeFile(`${file}.new`, code);
await rename(`${file}.new`, file);

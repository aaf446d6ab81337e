/** The workflow code as one file, made when an image is built: a worker starts in a second, and cannot start with another release's workflows. */
import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkerOptions } from '@temporalio/worker';
import { type Config, ConfigError } from './config.ts';

const workflowsPath = fileURLToPath(new URL('./workflows/index.ts', import.meta.url));

/** Writes the bundle; resolves with its size in bytes. */
export async function writeWorkflowBundle(file: string): Promise<number> {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, code);
  return Buffer.byteLength(code);
}

/**
 * Where a worker takes its workflows from: the bundle that is configured, or the sources, bundled at the start.
 * @throws ConfigError when the configured bundle is not there
 */
export function workflowSource({
  TELEMETRY_WORKFLOW_BUNDLE: codePath,
}: Config): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  if (codePath === undefined) return { workflowsPath };
  if (!existsSync(codePath)) {
    throw new ConfigError(
      `TELEMETRY_WORKFLOW_BUNDLE: ${codePath} does not exist; make it with "telemetry bundle-workflows --output ${codePath}", or unset the variable`,
    );
  }
  return { workflowBundle: { codePath } };
}

/**
 * The workflow code as one file. An image has it built in, and so cannot start with another release's workflows; a
 * checkout keeps it for as long as nothing changes that it is made of. Either way a worker does not bundle as it starts.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkerOptions } from '@temporalio/worker';
import { type Config, ConfigError } from './config.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Of other states of the sources, such as another branch's. */
const KEPT_BUNDLES = 5;

/** Writes the bundle; resolves with its size in bytes. */
export async function writeWorkflowBundle(file: string): Promise<number> {
  const code = await bundled();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, code);
  return Buffer.byteLength(code);
}

/**
 * Where a worker takes its workflows from: the bundle that is configured, or one of the sources as they are.
 * @throws ConfigError when the configured bundle is not there
 */
export async function workflowSource({
  TELEMETRY_WORKFLOW_BUNDLE: codePath,
}: Config): Promise<Pick<WorkerOptions, 'workflowBundle'>> {
  if (codePath === undefined) return { workflowBundle: { code: await workflowCode() } };
  if (!existsSync(codePath)) {
    throw new ConfigError(
      `TELEMETRY_WORKFLOW_BUNDLE: ${codePath} does not exist; make it with "telemetry bundle-workflows --output ${codePath}", or unset the variable`,
    );
  }
  return { workflowBundle: { codePath } };
}

/** The bundle of the sources as they are, kept in the checkout. */
export function workflowCode(): Promise<string> {
  return keptBundle(ROOT, bundled);
}

/**
 * The bundle that was made of the same inputs before, or what `bundle` makes now. Workers that start at the same moment
 * may each make one; whoever finds a kept one finds it whole.
 * @param root of a checkout: its `src/`, `node_modules/` and `.local/cache/`
 */
export async function keptBundle(root: string, bundle: () => Promise<string>): Promise<string> {
  const inputs = await hashOfInputs(root);
  if (inputs === null) return bundle();
  const folder = join(root, '.local', 'cache', 'workflows');
  const file = join(folder, `${inputs}.js`);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return kept;
  const code = await bundle();
  // Sources that change while they are bundled: nobody knows which of them are in it.
  if ((await hashOfInputs(root)) === inputs) await keep(file, code).catch(() => undefined);
  return code;
}

/**
 * All sources, although workflows import a part of them: what they do not import changes the name only, and nothing has to
 * be right about imports. Packages count by the record of what npm installed.
 * @returns null without that record, when nobody knows what is installed
 */
async function hashOfInputs(root: string): Promise<string | null> {
  const installed = await readFile(join(root, 'node_modules', '.package-lock.json')).catch(() => null);
  if (installed === null) return null;
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  // Stack traces have the paths of the checkout in which the bundle was made.
  const hash = createHash('sha256').update(root).update(installed);
  for (const file of files.sort()) {
    const source = await readFile(join(root, 'src', file));
    hash.update(`\0${file}\0${source.length}\0`).update(source);
  }
  return hash.digest('hex');
}

async function keep(file: string, code: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  // On the disk before it has its name: after a crash a half one must not be there under it.
  await writeFile(draft, code, { flush: true });
  await rename(draft, file);
  // Drafts do not count: they are those of workers that start at this moment, or of one that was killed.
  const bundles = (await readdir(folder)).filter((name) => name.endsWith('.js')).map((name) => join(folder, name));
  const dated = await Promise.all(bundles.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  const newestFirst = dated.sort((a, b) => b.at - a.at);
  for (const { path } of newestFirst.slice(KEPT_BUNDLES)) await rm(path, { force: true });
}

async function bundled(): Promise<string> {
  const workflowsPath = join(ROOT, 'src', 'workflows', 'index.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  return code;
}

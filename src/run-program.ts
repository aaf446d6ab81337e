/** Runs a program to its end and keeps its output. */
import { execFile } from 'node:child_process';

export interface ProgramRun {
  /** Standard output, then standard error. */
  readonly output: string;
  readonly stdout: string;
  /** Null when it ended with exit code 0. */
  readonly error: string | null;
}

export interface ProgramOptions {
  readonly deadlineMs?: number | undefined;
  /** Instead of this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Kills the program. */
  readonly signal?: AbortSignal;
}

const DEFAULT_DEADLINE_MS = 30_000;

/** Never rejects: a program that is missing, fails, hangs or is stopped is a result too. */
export function runProgram(
  executable: string,
  args: readonly string[],
  { deadlineMs = DEFAULT_DEADLINE_MS, environment, signal }: ProgramOptions = {},
): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const options = {
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
      ...(environment !== undefined && { env: { ...environment } }),
      ...(signal !== undefined && { signal }),
    } as const;
    execFile(executable, [...args], options, (error, stdout, stderr) => {
      const output = `${stdout}\n${stderr}`;
      resolve({ output, stdout, error: error === null ? null : reason(error, deadlineMs) });
    });
  });
}

function reason(error: Error & { code?: unknown; signal?: unknown; killed?: boolean }, deadlineMs: number): string {
  if (error.name === 'AbortError') return 'stopped';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'its output is too long';
  if (error.killed === true) return `no end within ${deadlineMs / 1_000} s`;
  if (error.code === 'ENOENT') return 'no such program';
  if (error.code === 'EACCES') return 'not permitted to run';
  if (typeof error.signal === 'string') return `signal ${error.signal}`;
  return `exit code ${String(error.code)}`;
}

/** Running a program to its end and keeping what it said. */
import { execFile } from 'node:child_process';

export interface ProgramRun {
  /** Standard output, then standard error. */
  readonly output: string;
  /** Null when it ended with exit code 0. */
  readonly error: string | null;
}

const DEFAULT_DEADLINE_MS = 30_000;

/** Never rejects: a program that is missing, fails or hangs is an answer too. */
export function runProgram(
  executable: string,
  args: readonly string[],
  deadlineMs: number = DEFAULT_DEADLINE_MS,
): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const options = { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    execFile(executable, [...args], options, (error, stdout, stderr) => {
      const output = `${stdout}\n${stderr}`;
      resolve({ output, error: error === null ? null : reason(error, deadlineMs) });
    });
  });
}

function reason(error: Error & { code?: unknown; signal?: unknown; killed?: boolean }, deadlineMs: number): string {
  if (error.killed === true) return `no end within ${deadlineMs / 1_000} s`;
  if (error.code === 'ENOENT') return 'no such program';
  if (error.code === 'EACCES') return 'not permitted to run';
  if (typeof error.signal === 'string') return `signal ${error.signal}`;
  return `exit code ${String(error.code)}`;
}

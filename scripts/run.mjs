/** Running a program in the foreground of this one. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Shares the terminal, passes SIGINT and SIGTERM on, and resolves with the exit code (128 + signal number when killed). */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const forward = (signal) => {
      // Ctrl+C in a terminal reaches the child by itself; a second signal would cut its orderly stop short.
      if (signal === 'SIGINT' && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) return;
      child.kill(signal);
    };
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    const finish = (settle, value) => {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
      settle(value);
    };
    child.once('error', (error) => finish(reject, new Error(`cannot run ${program}: ${error.message}`)));
    child.once('exit', (code, signal) => finish(resolve, code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

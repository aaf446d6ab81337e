/** Running a program in the foreground of this one. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const WATCH_PARENT_MS = 500;

/**
 * Shares the terminal, passes signals on, and resolves with the exit code (128 + signal number when killed). When npm, which
 * started this process, is killed, the child is told to end: nobody else would.
 */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const forward = (signal) => {
      // Ctrl+C in a terminal reaches the child by itself; a second signal would cut the orderly end of some programs short.
      if (signal === 'SIGINT' && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) return;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, forward);
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }, WATCH_PARENT_MS);
    const finish = (settle, value) => {
      for (const signal of SIGNALS) process.off(signal, forward);
      clearInterval(watch);
      settle(value);
    };
    child.once('error', (error) => finish(reject, new Error(`cannot run ${program}: ${error.message}`)));
    child.once('exit', (code, signal) => finish(resolve, code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

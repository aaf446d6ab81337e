/** The long-running processes beside the embedded stack: the same commands that a deployment runs, with their logs in files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface ChildProcessGroup {
  /** Rejects when a process ends that was not stopped. */
  readonly failure: Promise<never>;
  /** SIGTERM to all, SIGKILL to those that do not end in time. */
  stop(): Promise<void>;
}

export interface ChildCommand {
  readonly command: string;
  readonly logFile: string;
}

const STOP_DEADLINE_MS = 45_000;

export function startCommands(
  commands: readonly ChildCommand[],
  environment: Readonly<Record<string, string | undefined>>,
): ChildProcessGroup {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  let stopping = false;
  const children = commands.map(({ command, logFile }) => {
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [cli, command], { env: environment, stdio: ['ignore', log, log] });
    closeSync(log);
    return { command, logFile, child };
  });
  const failure = Promise.race(
    children.map(async ({ command, logFile, child }): Promise<never> => {
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      if (stopping) return new Promise<never>(() => undefined);
      throw new Error(`"${command}" ended with ${signal ?? `exit code ${code ?? '?'}`}; its log is ${logFile}`);
    }),
  );
  failure.catch(() => undefined);
  return {
    failure,
    stop: async () => {
      stopping = true;
      await Promise.all(children.map(({ child }) => end(child)));
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}

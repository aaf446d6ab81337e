/** The long-running processes beside the embedded stack: the same commands that a deployment runs, with their logs in files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../src/commands/command-error.ts';

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

/** A process that is killed more often is given up. */
const MAX_KILLS = 5;

/** @param say told when a process was killed by somebody else, and is started again, as a supervisor would */
export function startCommands(
  commands: readonly ChildCommand[],
  environment: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): ChildProcessGroup {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  let stopping = false;
  const start = ({ command, logFile }: ChildCommand): ChildProcess => {
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [cli, command], { env: environment, stdio: ['ignore', log, log] });
    closeSync(log);
    return child;
  };
  const children = commands.map((command) => ({ command, child: start(command) }));
  const failure = Promise.race(
    children.map(async (running): Promise<never> => {
      const { command, logFile } = running.command;
      for (let kills = 1; ; kills += 1) {
        const [code, signal] = (await once(running.child, 'exit')) as [number | null, string | null];
        if (stopping) return new Promise<never>(() => undefined);
        const ended = `"${command}" ended with ${signal ?? `exit code ${code ?? '?'}`}`;
        if (signal === null || kills > MAX_KILLS)
          throw new CommandError(`${ended}, so the stack is stopped; its log is ${logFile}`);
        say(`${ended}; it is started again`);
        running.child = start(running.command);
      }
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

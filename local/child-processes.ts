/** The long-running processes beside the embedded stack: the same commands that a deployment runs, with their logs in files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../src/commands/command-error.ts';

export interface ChildProcessGroup {
  /** Starts the processes, which load the code of their commands and wait. */
  load(): void;
  /** Has the commands begin, once they were loaded. */
  begin(environment: Environment): void;
  /** Rejects when a process ends that was not stopped. */
  readonly failure: Promise<never>;
  /** SIGTERM to all, SIGKILL to those that do not end in time. */
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface ChildCommand {
  readonly command: string;
  readonly logFile: string;
}

const STOP_DEADLINE_MS = 45_000;

/** A process that is killed more often is given up. */
const MAX_KILLS = 5;

/** @param say told when a process was killed by somebody else, and is started again, as a supervisor would */
export function childProcesses(commands: readonly ChildCommand[], say: (line: string) => void): ChildProcessGroup {
  const { promise: failure, reject } = Promise.withResolvers<never>();
  failure.catch(() => undefined);
  const children = new Map<ChildCommand, ChildProcess>();
  let environment: Environment | undefined;
  let stopping = false;
  const start = (command: ChildCommand): ChildProcess => {
    const child = spawnHeld(command);
    children.set(command, child);
    if (environment !== undefined) tell(child, environment);
    return child;
  };
  const keepRunning = async (command: ChildCommand): Promise<void> => {
    let child = start(command);
    for (let kills = 1; ; kills += 1) {
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      if (stopping) return;
      const ended = `"${command.command}" ended with ${signal ?? `exit code ${code ?? '?'}`}`;
      if (signal === null || kills > MAX_KILLS)
        throw new CommandError(`${ended}, so the stack is stopped; its log is ${command.logFile}`);
      say(`${ended}; it is started again`);
      child = start(command);
    }
  };
  return {
    load: () => {
      for (const command of commands) keepRunning(command).catch(reject);
    },
    begin: (given) => {
      environment = given;
      for (const child of children.values()) tell(child, given);
    },
    failure,
    stop: async () => {
      stopping = true;
      await Promise.all([...children.values()].map(end));
    },
  };
}

const HELD_COMMAND = fileURLToPath(new URL('./held-command.ts', import.meta.url));

function spawnHeld({ command, logFile }: ChildCommand): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    return spawn(process.execPath, [HELD_COMMAND, command], { stdio: ['ignore', log, log, 'ipc'] });
  } finally {
    closeSync(log);
  }
}

/** A child that has ended is not told; its end is seen elsewhere. */
function tell(child: ChildProcess, environment: Environment): void {
  if (child.connected) child.send(environment, () => undefined);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}

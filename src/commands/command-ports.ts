/** The stores and queues of a deployment, for a command that a person runs. */
import { connectPorts } from '../composition.ts';
import type { Config } from '../config.ts';
import { interruptible } from './interruptible.ts';

export type CommandPorts = ReturnType<typeof connectPorts>['ports'];

/** Connects for the time of `work`, which Ctrl-C ends. */
export async function withPorts(
  config: Config,
  work: (ports: CommandPorts, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { ports, close } = connectPorts(config);
  try {
    await interruptible('interrupted', (signal) => work(ports, signal));
  } finally {
    await close();
  }
}

/** Services of a benchmark as child processes: they tell their parent where they listen, and end with it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface Service {
  readonly endpoint: string;
  readonly process: ChildProcess;
}

/** Starts a module of this folder. */
export async function startService(module: string, args: readonly string[] = []): Promise<Service> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args);
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${module} ended with exit code ${String(code)} before it listened`);
    }),
  ])) as [{ endpoint: string }];
  return { endpoint: message.endpoint, process: child };
}

/** In the child: listens on a free port of the loopback interface. */
export async function serveParent(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  tellParent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

export function tellParent(endpoint: string): void {
  process.once('disconnect', () => process.exit());
  process.send?.({ endpoint });
}

export async function endService({ process: child }: Pick<Service, 'process'>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  await ended;
}

/** Which ports of this machine the embedded stack takes. Loopback only. */
import { createServer, type Server } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** A port that was asked for by number and is taken by another program. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

export interface PortWish {
  /** Taken when free; another free port otherwise. */
  readonly preferred?: number | undefined;
  /** Taken or refused: a person named it. */
  readonly required?: number | undefined;
}

/**
 * One free port for each wish, all different, in one step: every chosen port is held until the last one is found.
 * The ports are free again when this resolves, so whoever starts a server there can still lose one to another program.
 * @throws PortTakenError when a required port is in use
 */
export async function choosePorts<Name extends string>(
  wishes: Readonly<Record<Name, PortWish>>,
): Promise<Record<Name, number>> {
  const held: Server[] = [];
  const chosen: Record<string, number> = {};
  try {
    // Wishes with a number go first, so that a free choice never takes the number another one needs.
    const names = (Object.keys(wishes) as Name[]).toSorted((a, b) => rank(wishes[a]) - rank(wishes[b]));
    for (const name of names) {
      const server = await hold(name, wishes[name]);
      held.push(server);
      chosen[name] = portOf(server);
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
  return chosen;
}

function rank(wish: PortWish): number {
  if (wish.required !== undefined) return 0;
  return wish.preferred === undefined ? 2 : 1;
}

async function hold(name: string, { required, preferred }: PortWish): Promise<Server> {
  if (required !== undefined) {
    const server = await listen(required);
    if (server === null) {
      throw new PortTakenError(
        `port ${required} (${name}) is in use by another program; stop that program or choose another port`,
      );
    }
    return server;
  }
  const server = (preferred === undefined ? null : await listen(preferred)) ?? (await listen(0));
  if (server === null) throw new PortTakenError(`the system has no free port for ${name}`);
  return server;
}

/** Resolves with null when the port is in use or closed to this user. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ port, host: LOOPBACK }, () => {
      resolve(server);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

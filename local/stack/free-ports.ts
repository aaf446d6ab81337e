/** Which ports of this machine the embedded stack takes. Loopback only. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/**
 * A free choice is from here. Systems give the ports above (Linux from 32,768, others from 49,152) to outgoing connections,
 * so a server that is about to start would lose one of those now and then.
 */
const FIRST_FREE_CHOICE = 12_000;
const LAST_FREE_CHOICE = 32_000;
const FREE_CHOICES = 100;

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
 * Ports in `unusable` are chosen only where they are required. The ports are free again when this resolves, so whoever starts a server there can still lose one to another program.
 * @throws PortTakenError when a required port is in use
 */
export async function choosePorts<Name extends string>(
  wishes: Readonly<Record<Name, PortWish>>,
  unusable: ReadonlySet<number> = new Set(),
): Promise<Record<Name, number>> {
  const held: Server[] = [];
  const chosen: Record<string, number> = {};
  try {
    // Wishes with a number go first, so that a free choice never takes the number another one needs.
    const names = (Object.keys(wishes) as Name[]).toSorted((a, b) => rank(wishes[a]) - rank(wishes[b]));
    for (const name of names) {
      const server = await hold(name, wishes[name], unusable);
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

async function hold(name: string, { required, preferred }: PortWish, unusable: ReadonlySet<number>): Promise<Server> {
  if (required !== undefined) {
    const server = await listen(required);
    if (server === null) {
      throw new PortTakenError(
        `port ${required} (${name}) is in use by another program; stop that program or choose another port`,
      );
    }
    return server;
  }
  const server =
    (preferred === undefined || unusable.has(preferred) ? null : await listen(preferred)) ??
    (await listenAnywhere(unusable));
  if (server === null) throw new PortTakenError(`the system has no free port for ${name}`);
  return server;
}

async function listenAnywhere(unusable: ReadonlySet<number>): Promise<Server | null> {
  for (let choice = 0; choice < FREE_CHOICES; choice += 1) {
    const port = randomInt(FIRST_FREE_CHOICE, LAST_FREE_CHOICE);
    const server = unusable.has(port) ? null : await listen(port);
    if (server !== null) return server;
  }
  return listen(0);
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

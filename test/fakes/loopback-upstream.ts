/** A real HTTP server on loopback that stands for the upstream, and a count of every connection this process opens. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers by path; anything else is 404. The paths asked for are kept. */
export class LoopbackUpstream {
  readonly answers = new Map<string, Answer>();
  readonly asked: string[] = [];
  connections = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.asked.push(path);
      const answer = this.answers.get(path);
      if (answer === undefined) response.writeHead(404).end('no such revision');
      else answer(response, request);
    });
    this.#server.on('connection', () => (this.connections += 1));
  }

  static async start(): Promise<LoopbackUpstream> {
    const upstream = new LoopbackUpstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** For the setting of the same meaning; the host may be another name for this machine. */
  template(host = '127.0.0.1', scheme = 'http'): string {
    return `${scheme}://${host}:${this.port}/{repo}/{revision}`;
  }

  /** What `/<repo>/<revision>` answers. */
  serve(path: string, body: string | Buffer, status = 200): void {
    this.answers.set(path, (response) => response.writeHead(status).end(body));
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** How many sockets this process opened to anywhere while `work` ran. */
export async function socketsOpened(work: () => Promise<void>): Promise<number> {
  let opened = 0;
  const count = (): void => {
    opened += 1;
  };
  subscribe('net.client.socket', count);
  try {
    await work();
  } finally {
    unsubscribe('net.client.socket', count);
  }
  return opened;
}

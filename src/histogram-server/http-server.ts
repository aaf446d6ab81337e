/**
 * The histogram server's front: bounds on sizes, times and connections, and an answer to every request
 * (docs/security.md T9).
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { ANSWER_HEADERS } from './routes.ts';

export interface HttpServerSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly maxConnections: number;
  /** A request that is not answered by then is given up; above what the upstream may take. */
  readonly answerTimeoutMs: number;
}

const MAX_URL_LENGTH = 2048;
const MAX_HEADER_BYTES = 8192;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 5_000;
const STOP_WITHIN_MS = 5_000;

export class HistogramHttpServer {
  readonly #server: Server;
  readonly #settings: HttpServerSettings;

  constructor(app: Hono, settings: HttpServerSettings) {
    this.#settings = settings;
    const listener = getRequestListener(app.fetch, {
      hostname: settings.host,
      errorHandler: () => plainError(400, 'Bad Request'),
    });
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => {
        if ((request.url ?? '').length <= MAX_URL_LENGTH) {
          void listener(request, response);
          return;
        }
        response.writeHead(414, { ...ANSWER_HEADERS, connection: 'close' });
        response.end(JSON.stringify({ error: 'The URL is too long' }));
      },
    );
    this.#server.maxConnections = settings.maxConnections;
    // Also ends connections whose client has stopped reading.
    this.#server.setTimeout(settings.answerTimeoutMs);
    this.#server.on('connect', (_, socket: Duplex) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 501 Not Implemented\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    });
  }

  /** Resolves with the address once requests are taken. @throws when the address cannot be listened on */
  async listen(): Promise<string> {
    this.#server.listen(this.#settings.port, this.#settings.host);
    await once(this.#server, 'listening');
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Takes no more requests, lets those at hand end, and cuts off what takes longer than a few seconds. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const cut = setTimeout(() => {
      this.#server.closeAllConnections();
    }, STOP_WITHIN_MS);
    await closed;
    clearTimeout(cut);
  }
}

function plainError(status: number, text: string): Response {
  return new Response(JSON.stringify({ error: text }), { status, headers: ANSWER_HEADERS });
}

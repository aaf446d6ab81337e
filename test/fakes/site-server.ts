/** Serves the built-in site as it would be published, and a generated data set beside it, and notes what was asked for. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lookup } from 'mrmime';
import { builtInSite } from '../../src/website/built-in.ts';
import type { GeneratedDataSet } from './generated-data-set.ts';

const DATA = '/data/v7/';

export class SiteServer {
  readonly #server: Server;
  readonly #work: string;
  readonly requests: string[] = [];

  private constructor(server: Server, work: string) {
    this.#server = server;
    this.#work = work;
  }

  /** Listens on a free port of this machine, or on the one that is named. */
  static async start(dataSet: GeneratedDataSet, port = 0): Promise<SiteServer> {
    const work = await mkdtemp(join(tmpdir(), 'site-'));
    const site = new SiteServer(createServer(), work);
    site.#server.on('request', (request, answer) => {
      const path = request.url ?? '/';
      site.requests.push(path);
      if (path.startsWith(DATA)) sendData(dataSet.file(path.slice(DATA.length)), answer);
      else void sendPage(join(work, 'website'), path.replace(/[?#].*$/, ''), answer);
    });
    await new Promise<void>((resolve) => {
      site.#server.listen(port, '127.0.0.1', resolve);
    });
    const addresses = {
      dataset: `${site.address}/data/`,
      prefix: 'v7/',
      webUi: 'http://127.0.0.1:1',
      namespace: 'default',
    };
    await builtInSite(addresses).fetch(work, new AbortController().signal);
    return site;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#work, { recursive: true, force: true });
  }
}

function sendData(body: Buffer | undefined, answer: ServerResponse): void {
  if (body === undefined) {
    // As a bucket that strangers may not list.
    answer.writeHead(403).end();
    return;
  }
  answer.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body);
}

async function sendPage(folder: string, path: string, answer: ServerResponse): Promise<void> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  try {
    const body = name.includes('..') ? undefined : await readFile(join(folder, name));
    answer.writeHead(body === undefined ? 404 : 200, { 'content-type': lookup(name) ?? 'text/plain' }).end(body);
  } catch {
    answer.writeHead(404).end();
  }
}

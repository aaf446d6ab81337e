/** The histogram server in this process: real HTTP on loopback, real folders, an upstream that the test controls. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { DiskCache } from '../../src/histogram-server/disk-cache.ts';
import { DefinitionFolder } from '../../src/histogram-server/definition-folder.ts';
import { HistogramHttpServer } from '../../src/histogram-server/http-server.ts';
import {
  type LookUpEvent,
  RevisionCache,
  type RevisionCacheSettings,
} from '../../src/histogram-server/revision-cache.ts';
import { histogramRoutes } from '../../src/histogram-server/routes.ts';
import { HttpUpstream, type HttpUpstreamSettings } from '../../src/histogram-server/upstream.ts';
import { LoopbackUpstream } from './loopback-upstream.ts';

export const HOSTS = ['hg.mozilla.org', 'hg-edge.mozilla.org'];
export const CENTRAL = '/mozilla-central/518f5bff0ae4';
export const CENTRAL_URL = 'https://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
export const SMALL = '{"A":{"kind":"flag","description":"x"}}';

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface ServerOptions {
  readonly upstream?: Partial<HttpUpstreamSettings> | null;
  readonly cache?: Partial<RevisionCacheSettings>;
}

export class TestHistogramServer {
  readonly work = mkdtempSync(join(tmpdir(), 'histogram-server-'));
  readonly disk = new DiskCache(join(this.work, 'cache'));
  readonly events: LookUpEvent['event'][] = [];
  readonly upstream: LoopbackUpstream;
  readonly errors: Error[] = [];
  address = '';
  #cache: RevisionCache | undefined;
  #server: HistogramHttpServer | undefined;

  private constructor(upstream: LoopbackUpstream) {
    this.upstream = upstream;
  }

  static async start(options: ServerOptions = {}): Promise<TestHistogramServer> {
    const server = new TestHistogramServer(await LoopbackUpstream.start());
    await server.restart(options);
    return server;
  }

  get revisions(): RevisionCache {
    if (this.#cache === undefined) throw new Error('not started');
    return this.#cache;
  }

  get definitions(): string {
    return join(this.work, 'definitions');
  }

  /** As a new process would come up: same folders, empty memory. */
  async restart({ upstream, cache }: ServerOptions = {}): Promise<void> {
    await this.#server?.stop();
    this.#cache = new RevisionCache(
      {
        folder: new DefinitionFolder(this.definitions),
        disk: this.disk,
        upstream:
          upstream === null
            ? null
            : new HttpUpstream({
                template: this.upstream.template(),
                allowPrivate: true,
                maxBytes: 1 << 20,
                timeoutMs: 5000,
                pausesMs: [5, 10],
                ...upstream,
              }),
      },
      { rules: { hosts: HOSTS }, inMemory: 50, ...cache },
      (_, { event }) => this.events.push(event),
    );
    const app = histogramRoutes({
      revisions: this.#cache,
      upstream: 'test',
      onError: (error) => this.errors.push(error),
    });
    this.#server = new HistogramHttpServer(app, {
      host: '127.0.0.1',
      port: 0,
      maxConnections: 64,
      answerTimeoutMs: 20_000,
    });
    this.address = await this.#server.listen();
  }

  async get(path: string, init: RequestInit = {}): Promise<Answered> {
    const response = await fetch(`${this.address}${path}`, { signal: AbortSignal.timeout(20_000), ...init });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  async histograms(url: string): Promise<Answered> {
    return this.get(`/histograms?revision=${encodeURIComponent(url)}`);
  }

  async buckets(url: string): Promise<Answered> {
    return this.get(`/histogram_buckets?revision=${encodeURIComponent(url)}`);
  }

  async stop(): Promise<void> {
    this.#cache?.close();
    await this.#server?.stop();
    await this.upstream.stop();
    rmSync(this.work, { recursive: true, force: true });
  }
}

/** A fresh server, with an upstream of its own, for every test. */
export function eachWithHistogramServer(options: ServerOptions = {}): () => TestHistogramServer {
  let server: TestHistogramServer | undefined;
  beforeEach(async () => {
    server = await TestHistogramServer.start(options);
  });
  afterEach(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('only inside a test');
    return server;
  };
}

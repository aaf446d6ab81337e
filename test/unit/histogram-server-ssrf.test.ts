import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { mayConnectTo } from '../../src/histogram-server/public-address.ts';
import { RevisionCache } from '../../src/histogram-server/revision-cache.ts';
import { histogramRoutes } from '../../src/histogram-server/routes.ts';
import { HttpUpstream, type HttpUpstreamSettings } from '../../src/histogram-server/upstream.ts';
import { upstreamTemplateProblem } from '../../src/histograms/upstream-url.ts';
import { CENTRAL, CENTRAL_URL, HOSTS, SMALL } from '../fakes/histogram-server.ts';
import { LoopbackUpstream, socketsOpened } from '../fakes/loopback-upstream.ts';

const REV = 'rev/518f5bff0ae4';

/** Listens where an attacker wants us to connect to. */
let trap: LoopbackUpstream;
let resolved: string[];
beforeEach(async () => {
  trap = await LoopbackUpstream.start();
  trap.serve(CENTRAL, SMALL);
  resolved = [];
});
afterEach(() => trap.stop());

const resolvingTo =
  (...addresses: readonly string[]) =>
  async (host: string): Promise<readonly LookupAddress[]> => {
    resolved.push(host);
    return addresses.map((address) => ({ address, family: isIP(address.replace(/%.*/, '')) }));
  };

function cacheOver(settings: Partial<HttpUpstreamSettings>): RevisionCache {
  const upstream = new HttpUpstream({
    template: trap.template('mirror.example', 'https'),
    allowPrivate: false,
    maxBytes: 1 << 20,
    timeoutMs: 5000,
    pausesMs: [1, 1],
    resolve: resolvingTo('127.0.0.1'),
    ...settings,
  });
  return new RevisionCache({ folder: null, disk: null, upstream }, { rules: { hosts: HOSTS }, inMemory: 50 });
}

describe('a hostile revision URL', () => {
  const here = (): number => trap.port;
  const urls: readonly (readonly [name: string, url: () => string])[] = [
    ['metadata address', () => `http://169.254.169.254/latest/${REV}`],
    ['metadata address, IPv6', () => `http://[fd00:ec2::254]/latest/${REV}`],
    ['metadata name', () => `http://metadata.google.internal/x/${REV}`],
    ['loopback', () => `http://127.0.0.1:${here()}/mozilla-central/${REV}`],
    ['localhost', () => `http://localhost:${here()}/mozilla-central/${REV}`],
    ['decimal IPv4', () => `http://2130706433:${here()}/mozilla-central/${REV}`],
    ['hexadecimal IPv4', () => `http://0x7f000001:${here()}/mozilla-central/${REV}`],
    ['octal IPv4', () => `http://0177.0.0.1:${here()}/mozilla-central/${REV}`],
    ['short IPv4', () => `http://127.1:${here()}/mozilla-central/${REV}`],
    ['IPv6 loopback', () => `http://[::1]:${here()}/mozilla-central/${REV}`],
    ['IPv4 in IPv6', () => `http://[::ffff:127.0.0.1]:${here()}/mozilla-central/${REV}`],
    ['good host as user', () => `http://hg.mozilla.org@127.0.0.1:${here()}/mozilla-central/${REV}`],
    ['good host as user and password', () => `http://hg.mozilla.org:443@127.0.0.1:${here()}/a/${REV}`],
    ['good host behind an at sign in the path', () => `http://127.0.0.1:${here()}/a@hg.mozilla.org/${REV}`],
    ['good host in the query', () => `http://127.0.0.1:${here()}/?//hg.mozilla.org/a/${REV}`],
    ['backslash', () => `http://127.0.0.1:${here()}\\@hg.mozilla.org/a/${REV}`],
    ['good host as suffix of another', () => `https://evil-hg.mozilla.org/a/${REV}`],
    ['good host as prefix of another', () => `https://hg.mozilla.org.evil.example/a/${REV}`],
    ['good host with a dot', () => `https://hg.mozilla.org./a/${REV}`],
    ['good host with a port', () => `https://hg.mozilla.org:${here()}/a/${REV}`],
    ['full-width dots', () => `https://hg\u3002mozilla\uff0eorg/a/${REV}`],
    ['parent folders', () => `https://hg.mozilla.org/../../admin/${REV}`],
    ['encoded parent folders', () => `https://hg.mozilla.org/%2e%2e/%2e%2e/admin/${REV}`],
    ['encoded slash', () => `https://hg.mozilla.org/..%2f..%2fadmin/${REV}`],
    ['at sign in the path', () => `https://hg.mozilla.org/x@127.0.0.1:${here()}/${REV}`],
    ['protocol in the path', () => `https://hg.mozilla.org/http://127.0.0.1:${here()}/${REV}`],
    ['query in the path', () => `https://hg.mozilla.org/a?b=/${REV}`],
    ['fragment in the path', () => `https://hg.mozilla.org/a#/${REV}`],
    ['line break', () => `https://hg.mozilla.org/a\r\nHost: evil/${REV}`],
    ['line break at the end', () => `https://hg.mozilla.org/a/${REV}\n`],
    ['NUL', () => `https://hg.mozilla.org/a\0/${REV}`],
    ['placeholders', () => `https://hg.mozilla.org/{url}/${REV}`],
    ['file', () => `file:///etc/passwd/${REV}`],
    ['ftp', () => `ftp://hg.mozilla.org/a/${REV}`],
    ['gopher', () => `gopher://127.0.0.1:${here()}/a/${REV}`],
    ['template text', () => `https://\${HOST}/a/${REV}`],
  ];
  for (const [name, url] of urls) {
    it(`(${name}) → 400, no name looked up, no connection`, async () => {
      const revisions = cacheOver({ allowPrivate: true });
      const app = histogramRoutes({ revisions, upstream: null, onError: assert.ifError });
      const opened = await socketsOpened(async () => {
        for (const path of ['histograms', 'histogram_buckets']) {
          const answer = await app.request(`/${path}?revision=${encodeURIComponent(url())}`);
          assert.equal(answer.status, 400, url());
        }
      });
      assert.deepEqual([opened, trap.connections, resolved], [0, 0, []]);
    });
  }
});

describe('an upstream whose name resolves to an address inside', () => {
  const inside: readonly (readonly string[])[] = [
    ['127.0.0.1'],
    ['10.0.0.1'],
    ['172.16.0.1'],
    ['192.168.1.1'],
    ['100.64.0.1'],
    ['169.254.169.254'],
    ['0.0.0.0'],
    ['::1'],
    ['::'],
    ['::ffff:127.0.0.1'],
    ['::ffff:7f00:1'],
    ['::127.0.0.1'],
    ['64:ff9b::7f00:1'],
    ['2002:7f00:1::'],
    ['2001:0:7f00:1::'],
    ['fe80::1%lo'],
    ['fd00:ec2::254'],
    ['fc00::1'],
    ['8.8.8.8', '127.0.0.1'],
    ['127.0.0.1', '8.8.8.8'],
    ['not an address'],
    [],
  ];
  for (const addresses of inside) {
    it(`(${addresses.join(', ') || 'nothing'}) is not connected to`, async () => {
      const revisions = cacheOver({ resolve: resolvingTo(...addresses) });
      const opened = await socketsOpened(async () => {
        assert.deepEqual(await revisions.find(CENTRAL_URL), { fault: 'unreachable' });
      });
      assert.deepEqual([opened, trap.connections, resolved], [0, 0, ['mirror.example']]);
    });
  }

  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
  ]) {
    it(`is not connected to when it is the literal ${host}`, async () => {
      const revisions = cacheOver({ template: trap.template(host, 'https') });
      const opened = await socketsOpened(async () => {
        assert.deepEqual(await revisions.find(CENTRAL_URL), { fault: 'unreachable' });
      });
      assert.deepEqual([opened, trap.connections, resolved], [0, 0, []]);
    });
  }

  for (const address of [
    '169.254.169.254',
    'fd00:ec2::254',
    'fe80::a9fe:a9fe',
    '100.100.100.200',
    '168.63.129.16',
    '::ffff:169.254.169.254',
    '0.0.0.0',
  ]) {
    it(`is never connected to at ${address}, private upstreams allowed or not`, async () => {
      const template = trap.template('mirror.example');
      const revisions = cacheOver({ template, allowPrivate: true, resolve: resolvingTo(address) });
      const opened = await socketsOpened(async () => {
        assert.deepEqual(await revisions.find(CENTRAL_URL), { fault: 'unreachable' });
      });
      assert.equal(opened, 0);
    });
  }

  it('is connected to at the address that was checked: the name is resolved once', async () => {
    const addresses = [['127.0.0.1'], ['169.254.169.254']];
    const resolve = async (host: string): Promise<readonly LookupAddress[]> =>
      resolvingTo(...(addresses.shift() ?? []))(host);
    const revisions = cacheOver({ template: trap.template('mirror.example'), allowPrivate: true, resolve });
    assert.equal((await revisions.find(CENTRAL_URL)).file?.text, SMALL);
    assert.deepEqual([resolved, trap.asked], [['mirror.example'], [CENTRAL]]);
  });

  it('times out like any other when its name is never resolved', async () => {
    const resolve = () => new Promise<readonly LookupAddress[]>(() => undefined);
    assert.deepEqual(await cacheOver({ resolve, timeoutMs: 50 }).find(CENTRAL_URL), { fault: 'timed_out' });
  });
});

describe('an upstream that redirects', () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it(`(${status}) is not followed, nor asked again`, async () => {
      const upstream = await LoopbackUpstream.start();
      try {
        upstream.answers.set(CENTRAL, (response) =>
          response.writeHead(status, { location: `http://127.0.0.1:${trap.port}${CENTRAL}` }).end(),
        );
        const revisions = cacheOver({ template: upstream.template(), allowPrivate: true });
        const opened = await socketsOpened(async () => {
          assert.deepEqual(await revisions.find(CENTRAL_URL), { fault: 'failed' });
        });
        assert.deepEqual([opened, upstream.asked, trap.connections], [1, [CENTRAL], 0]);
      } finally {
        await upstream.stop();
      }
    });
  }
});

describe('mayConnectTo', () => {
  for (const address of ['63.245.208.1', '1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1']) {
    it(`takes the public address ${address}`, () => {
      assert.equal(mayConnectTo(address, false), true);
      assert.equal(mayConnectTo(address, true), true);
    });
  }
  for (const address of ['127.0.0.1', '10.1.2.3', '192.168.0.1', '::1', 'fc00::1']) {
    it(`takes ${address} where private ones are allowed`, () => {
      assert.equal(mayConnectTo(address, false), false);
      assert.equal(mayConnectTo(address, true), true);
    });
  }
});

describe('the upstream setting', () => {
  const bad: readonly (readonly [template: string, problem: RegExp])[] = [
    ['http://mirror.example/{repo}/{revision}', /must be https/],
    ['https://{repo}/{revision}', /host is fixed text/],
    ['https://{repo}.example/{revision}', /host is fixed text/],
    ['https://user@mirror.example/{revision}', /without user name/],
    ['https://mirror.example{repo}/{revision}', /host is fixed text/],
    ['https://mirror.example/{repo}', /must contain \{revision\}/],
    ['ftp://mirror.example/{revision}', /must be an https/],
    ['mirror.example/{revision}', /must be an https/],
    ['https://mirror.example:port/{revision}', /must be an https/],
  ];
  for (const [template, problem] of bad) {
    it(`refuses ${template}`, () => {
      assert.match(upstreamTemplateProblem(template, false) ?? '', problem);
    });
  }
  it('takes any https host, and plain http where private ones are allowed', () => {
    assert.equal(upstreamTemplateProblem('https://raw.example/org/{repo}/{revision}/a.json', false), undefined);
    assert.equal(upstreamTemplateProblem('http://127.0.0.1:8080/{revision}', true), undefined);
  });
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it, mock } from 'node:test';
import { loadConfig } from '../../src/config.ts';
import { CENTRAL, CENTRAL_URL, eachWithHistogramServer, SMALL } from '../fakes/histogram-server.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const data = new URL('../../../shared/data/real/', import.meta.url);
const skip = existsSync(data) ? false : `${data.pathname} is not there`;

const errorOf = (answer: { text: string }): string => (JSON.parse(answer.text) as { error: string }).error;

interface Buckets {
  readonly histograms: Record<
    string,
    { kind: string; min: number; buckets: number[]; max: number; bucket_count: number }
  >;
  readonly skipped?: string[];
}
const bucketsOf = (answer: { text: string }): Buckets => JSON.parse(answer.text) as Buckets;

describe('the histogram server', () => {
  const server = eachWithHistogramServer();
  afterEach(() => {
    mock.timers.reset();
  });

  it('takes the revision anywhere in the query, the first of several, percent-decoded', async () => {
    server().upstream.serve(CENTRAL, SMALL);
    for (const query of [
      `x=1&revision=${CENTRAL_URL}`,
      `revision=${encodeURIComponent(CENTRAL_URL)}`,
      `revision=${CENTRAL_URL}&revision=arglebargle`,
      `revision=${CENTRAL_URL}/&y`,
    ]) {
      const { status, text, headers } = await server().get(`/histograms?${query}`);
      assert.deepEqual([status, text], [200, SMALL], query);
      assert.equal(headers.get('content-type'), 'application/json');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('access-control-allow-origin'), null);
    }
  });

  for (const path of [
    '/histograms',
    '/histograms?revision=',
    '/histogram_buckets?x=1',
    '/histogram_buckets?revision=',
  ]) {
    it(`${path} → 400`, async () => {
      const answer = await server().get(path);
      assert.equal(answer.status, 400);
      assert.equal(errorOf(answer), 'Must provide a revision URL');
    });
  }

  const refused: readonly [name: string, url: string, error: RegExp][] = [
    ['109: no URL', 'arglebargle', /Not a revision URL/],
    ['110: .. in the repository path', 'http://hg.mozilla.org/../../tmp/rev/518f5bff0ae4', /repository path/],
    ['110: .. in the middle', 'http://hg.mozilla.org/a/../b/rev/518f5bff0ae4', /repository path/],
    ['111: another host', 'https://example.org/mozilla-central/rev/518f5bff0ae4', /host/],
    ['a short id', 'https://hg.mozilla.org/mozilla-central/rev/518f5b', /too short/],
  ];
  for (const [name, url, error] of refused) {
    it(`${name} → 400, nothing fetched or written, nothing repeated`, async () => {
      for (const answer of [await server().histograms(url), await server().buckets(url)]) {
        assert.equal(answer.status, 400);
        assert.match(errorOf(answer), error);
        assert.ok(!answer.text.includes(url));
      }
      assert.equal(server().upstream.connections, 0);
      assert.deepEqual(await readdir(server().work), []);
    });
  }

  it('upstream 404 → 404, remembered for an hour', async () => {
    const clock = new ManualClock('2014-01-01T00:00:00Z');
    assert.equal((await server().histograms(CENTRAL_URL)).status, 404);
    clock.advance(3599);
    assert.equal((await server().buckets(CENTRAL_URL)).status, 404);
    assert.deepEqual(server().upstream.asked, [CENTRAL]);
    server().upstream.serve(CENTRAL, SMALL);
    clock.advance(2);
    assert.equal((await server().histograms(CENTRAL_URL)).status, 200);
  });

  const invalid: readonly (readonly [name: string, body: string])[] = [
    ['an HTML page', '<html><title>Sorry</title></html>'],
    ['half a file', SMALL.slice(0, -8)],
    ['JSON of another shape', '{"A":1}'],
    ['nothing', ''],
    ['more bytes than allowed', `{"A":{"kind":"flag","x":"${'y'.repeat(1 << 20)}"}}`],
  ];
  for (const [name, body] of invalid) {
    it(`${name} with status 200 → 502, not cached`, async () => {
      const clock = new ManualClock('2014-01-01T00:00:00Z');
      server().upstream.serve(CENTRAL, body);
      assert.equal((await server().histograms(CENTRAL_URL)).status, 502);
      assert.deepEqual(await readdir(server().work), []);
      server().upstream.serve(CENTRAL, SMALL);
      clock.advance(61);
      assert.equal((await server().histograms(CENTRAL_URL)).text, SMALL);
    });
  }

  it('an upstream that hangs → 504 after the time set, others are served meanwhile', async () => {
    assert.equal(loadConfig({}).TELEMETRY_HISTOGRAM_UPSTREAM_SECONDS, 30);
    await server().restart({ upstream: { timeoutMs: 1000 } });
    server().upstream.answers.set('/hangs/aaaaaaaaaaaa', () => undefined);
    server().upstream.answers.set('/drips/aaaaaaaaaaaa', (response) => response.writeHead(200).write('{'));
    server().upstream.serve(CENTRAL, SMALL);
    const startedAt = performance.now();
    let ended = 0;
    const slow = ['hangs', 'drips'].map(async (repo) => {
      const { status } = await server().histograms(`https://hg.mozilla.org/${repo}/rev/aaaaaaaaaaaa`);
      ended += 1;
      return status;
    });
    assert.equal((await server().histograms(CENTRAL_URL)).status, 200);
    assert.equal(ended, 0, 'served before the others timed out');
    assert.deepEqual(await Promise.all(slow), [504, 504]);
    assert.ok(performance.now() - startedAt >= 990);
  });

  it('20 parallel requests for one new revision → one upstream request', async () => {
    server().upstream.answers.set(CENTRAL, (response) => setTimeout(() => response.end(SMALL), 50));
    const paths = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'histograms' : 'histogram_buckets'));
    const answers = await Promise.all(paths.map((path) => server().get(`/${path}?revision=${CENTRAL_URL}`)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.deepEqual(server().upstream.asked, [CENTRAL]);
    assert.equal(server().revisions.counts.shared + server().revisions.counts.memory, 19);
  });

  it('an unknown symbol → left out of the buckets and named; still in /histograms', async () => {
    const text = '{"OLD":{"kind":"enumerated","n_values":"mozilla::Unknown::COUNT"},"A":{"kind":"flag"}}';
    server().upstream.serve(CENTRAL, text);
    const answer = await server().buckets(CENTRAL_URL);
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(bucketsOf(answer).histograms), ['A']);
    assert.deepEqual(bucketsOf(answer).skipped, ['OLD']);
    assert.equal(answer.headers.get('x-skipped-histograms'), 'OLD');
    assert.equal((await server().histograms(CENTRAL_URL)).text, text);
  });

  it('expressions are arithmetic, never executed', async () => {
    const high = ["__import__('os')", '10**9', 'process.exit(1)', '(function(){})()', '10 * 1000'];
    const linear = (value: string) => ({ kind: 'linear', low: 1, high: value, n_buckets: 10 });
    const file = Object.fromEntries(high.map((value, n) => [`H${n}`, linear(value)]));
    server().upstream.serve(CENTRAL, JSON.stringify(file));
    const { histograms, skipped } = bucketsOf(await server().buckets(CENTRAL_URL));
    assert.deepEqual(skipped, ['H0', 'H1', 'H2', 'H3']);
    assert.equal(histograms['H4']?.max, 10_000);
  });

  it('count and categorical are answered, an unknown kind is skipped, the request succeeds', async () => {
    const file = { C: { kind: 'count' }, L: { kind: 'categorical', labels: ['a', 'b', 'c'] }, F: { kind: 'foo' } };
    server().upstream.serve(CENTRAL, JSON.stringify(file));
    const { histograms, skipped } = bucketsOf(await server().buckets(CENTRAL_URL));
    assert.deepEqual(histograms, {
      C: { kind: '4', min: 1, buckets: [0, 1, 2], max: 2, bucket_count: 3 },
      L: { kind: '5', min: 1, buckets: [0, 1, 2, 3], max: 3, bucket_count: 4 },
    });
    assert.deepEqual(skipped, ['F']);
  });

  it('too few buckets or an empty range → skipped; low 0 counts as 1', async () => {
    const linear = (low: number, high: number, n_buckets: number) => ({ kind: 'linear', low, high, n_buckets });
    const file = { N2: linear(1, 10, 2), EQ: linear(5, 5, 10), LT: linear(9, 5, 10), ZERO: linear(0, 100, 10) };
    server().upstream.serve(CENTRAL, JSON.stringify(file));
    const { histograms, skipped } = bucketsOf(await server().buckets(CENTRAL_URL));
    assert.deepEqual(skipped, ['N2', 'EQ', 'LT']);
    assert.equal(histograms['ZERO']?.min, 1);
    assert.deepEqual(histograms['ZERO'].buckets, [0, 1, 13, 26, 38, 51, 63, 75, 88, 100]);
  });

  it('answers exactly the example of the specification, start-up variant included', async () => {
    const file =
      '{"A":{"kind":"flag","description":"x"},"HTTP_T":{"kind":"exponential","high":"3000","n_buckets":"10","description":"y"}}';
    server().upstream.serve(CENTRAL, file);
    const entry = '{"kind":"0","min":1,"buckets":[0,1,3,8,21,57,154,414,1114,3000],"max":3000,"bucket_count":10}';
    const answer = await server().buckets(CENTRAL_URL);
    assert.equal(
      answer.text,
      `{"histograms":{"A":{"kind":"3","min":1,"buckets":[0,1,2],"max":2,"bucket_count":3},"HTTP_T":${entry},"STARTUP_HTTP_T":${entry}}}`,
    );
    assert.equal(answer.headers.get('x-skipped-histograms'), null);
  });

  it('answers /histograms with the known constants replaced, and caches what the upstream sent', async () => {
    const raw = '{"R":{"kind":"enumerated","n_values":"JS::gcreason::NUM_TELEMETRY_REASONS"}}';
    server().upstream.serve(CENTRAL, raw);
    assert.equal((await server().histograms(CENTRAL_URL)).text, '{"R":{"kind":"enumerated","n_values":101}}');
    const path = server().disk.pathOf({ repo: 'mozilla-central', revision: '518f5bff0ae4' });
    assert.equal(readFileSync(path, 'utf8'), raw);
  });

  it('names hostile definitions without breaking the header, and bounds it', async () => {
    const bad = ['a\r\nset-cookie: x', 'ü', '__proto__', ...Array.from({ length: 500 }, (_, n) => `SKIPPED_${n}`)];
    const members = bad.map((name) => `${JSON.stringify(name)}:{"kind":"foo"}`);
    server().upstream.serve(CENTRAL, `{${members.join(',')}}`);
    const answer = await server().buckets(CENTRAL_URL);
    const header = answer.headers.get('x-skipped-histograms') ?? '';
    assert.match(header, /^a\?\?set-cookie:\?x, \?, __proto__, SKIPPED_0, .*, \+\d+$/);
    assert.ok(header.length < 1100);
    assert.equal(answer.headers.get('set-cookie'), null);
    assert.deepEqual(bucketsOf(answer).skipped, bad);
  });

  it('answers every method and path', async () => {
    const statuses = async (path: string, methods: readonly string[]) =>
      Promise.all(methods.map(async (method) => (await server().get(path, { method })).status));
    const methods = ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'];
    assert.deepEqual(await statuses('/health', methods), [200, 405, 405, 405, 405, 405, 501]);
    assert.deepEqual(await statuses('/histograms', methods), [400, 405, 405, 405, 405, 405, 501]);
    assert.deepEqual(await statuses('/x', methods), [404, 404, 404, 404, 404, 404, 501]);
    assert.deepEqual(await statuses('/Histograms', ['GET']), [404]);
    const { headers } = await server().get('/health', { method: 'POST', body: 'x'.repeat(100_000) });
    assert.equal(headers.get('allow'), 'GET, HEAD');
    assert.equal((await server().get(`/histograms?revision=${'x'.repeat(4000)}`)).status, 414);
    assert.equal((await server().get('/health', { headers: { 'x-long': 'y'.repeat(10_000) } })).status, 431);
    assert.deepEqual(server().errors, []);
  });

  const malformed: readonly (readonly [name: string, request: string, status: number])[] = [
    ['CONNECT', 'CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: x\r\n\r\n', 501],
    ['an absolute target', 'GET http://169.254.169.254/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 200],
    ['HTTP/1.0 without host', 'GET /health HTTP/1.0\r\n\r\n', 200],
    ['no host', 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['an impossible host', 'GET /health HTTP/1.1\r\nhost: a/b\\c\r\nconnection: close\r\n\r\n', 400],
    ['an impossible target', 'GET nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400],
    ['a broken percent code', 'GET /histograms?revision=%zz%f HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400],
    ['TRACE', 'TRACE /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 405],
    ['an upgrade', 'GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 200],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ];
  for (const [name, request, status] of malformed) {
    it(`answers ${name} with ${status}`, async () => {
      const { hostname, port } = new URL(server().address);
      const socket = connect(Number(port), hostname);
      socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
      socket.end(request);
      assert.match(await text(socket), new RegExp(`^HTTP/1.1 ${status} `));
      assert.deepEqual(server().errors, []);
    });
  }

  it('counts on /health what it did', async () => {
    server().upstream.serve(CENTRAL, SMALL);
    await server().histograms(CENTRAL_URL);
    await server().buckets(CENTRAL_URL);
    await server().histograms('https://hg.mozilla.org/mozilla-central/rev/aaaaaaaaaaaa');
    await server().histograms('arglebargle');
    const health = JSON.parse((await server().get('/health')).text) as Record<string, Record<string, number> & string>;
    assert.equal(health['status'], 'ok');
    assert.equal(Number(health['revisionsInMemory']), 1);
    const { upstream, memory, not_found, refused } = health['lookUps']!;
    assert.deepEqual({ upstream, memory, not_found, refused }, { upstream: 1, memory: 1, not_found: 1, refused: 1 });
    assert.deepEqual(health['answers'], { 200: 2, 400: 1, 404: 1 });
  });

  describe('with a real Histograms.json', { skip }, () => {
    const real = (name: string): Buffer => readFileSync(new URL(`Histograms.${name}.json`, data));

    it('answers all 624 definitions of 518f5bff0ae4, sums evaluated', async () => {
      server().upstream.serve(CENTRAL, real('518f5bff0ae4'));
      const { histograms, skipped = [] } = bucketsOf(await server().buckets(CENTRAL_URL));
      const names = Object.keys(JSON.parse(real('518f5bff0ae4').toString()) as object);
      assert.equal(names.length, 624);
      assert.deepEqual(skipped, []);
      assert.deepEqual(
        names.filter((name) => histograms[name] === undefined),
        [],
      );
      assert.equal(histograms['GC_MS']?.max, 10_000);
      assert.equal(histograms['MEMORY_RESIDENT']?.max, 16 * 1024 * 1024);
      const text = '"10 * 1000"';
      const sums = Object.entries(JSON.parse(real('518f5bff0ae4').toString()) as Record<string, { high?: unknown }>);
      const tenThousand = sums.filter(([, { high }]) => JSON.stringify(high) === text).map(([name]) => name);
      assert.ok(tenThousand.length > 0);
      for (const name of tenThousand) assert.equal(histograms[name]?.max, 10_000, name);
    });

    it('answers the 590 definitions of Aurora 24 and 209 start-up variants', async () => {
      server().upstream.serve(CENTRAL, real('aurora-24'));
      const { histograms, skipped } = bucketsOf(await server().buckets(CENTRAL_URL));
      assert.equal(skipped, undefined);
      assert.equal(Object.keys(histograms).length, 590 + 209);
      assert.equal(histograms['A11Y_CONSUMERS']?.bucket_count, 12);
      assert.equal(histograms['GC_REASON_2']?.bucket_count, 102);
      assert.equal(histograms['MEMORY_RESIDENT']?.min, 32 * 1024);
      assert.ok('STARTUP_STARTUP_CACHE_AGE_HOURS' in histograms);
    });
  });
});

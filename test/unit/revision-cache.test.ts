import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, it, mock } from 'node:test';
import { CENTRAL, CENTRAL_URL, eachWithHistogramServer, SMALL } from '../fakes/histogram-server.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

const REVISION = { repo: 'mozilla-central', revision: '518f5bff0ae4' };
const urlOf = (number: number): string =>
  `https://hg.mozilla.org/mozilla-central/rev/${number.toString(16).padStart(12, '0')}`;
const pathOf = (number: number): string => `/mozilla-central/${number.toString(16).padStart(12, '0')}`;

describe('the revision cache', () => {
  const server = eachWithHistogramServer();
  afterEach(() => {
    mock.timers.reset();
  });
  const find = async (url = CENTRAL_URL): Promise<string> => {
    const { file, fault } = await server().revisions.find(url);
    return file?.text ?? fault ?? '';
  };
  const store = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  const inFolder = (): string => join(server().definitions, 'mozilla-central/518f5bff0ae4/Histograms.json');

  it('asks memory, then the definition folder, then disk, then the upstream', async () => {
    const [upstream, disk, folder] = ['U', 'D', 'F'].map((name) => `{"${name}":{"kind":"flag"}}`) as [
      string,
      string,
      string,
    ];
    server().upstream.serve(CENTRAL, upstream);
    assert.equal(await find(), upstream);
    await store(server().disk.pathOf(REVISION), disk);
    assert.equal(await find(), upstream);
    await server().restart();
    assert.equal(await find(), disk);
    await store(inFolder(), folder);
    await server().restart();
    assert.equal(await find(), folder);
    assert.deepEqual(server().upstream.asked, [CENTRAL]);
  });

  it('an invalid file in the definition folder hides nothing', async () => {
    await store(inFolder(), '<html>');
    server().upstream.serve(CENTRAL, SMALL);
    assert.equal(await find(), SMALL);
  });

  for (const [name, content] of [
    ['cut off', SMALL.slice(0, 20)],
    ['empty', ''],
    ['an HTML page', '<html></html>'],
  ] as const) {
    it(`a disk entry that is ${name} is deleted and fetched again`, async () => {
      await store(server().disk.pathOf(REVISION), content);
      server().upstream.serve(CENTRAL, SMALL);
      assert.equal(await find(), SMALL);
      assert.equal(await readFile(server().disk.pathOf(REVISION), 'utf8'), SMALL);
      assert.deepEqual(server().events, ['corrupt_entry', 'fetched']);
      await server().restart();
      assert.equal(await find(), SMALL);
      assert.deepEqual(server().upstream.asked, [CENTRAL]);
    });
  }

  it('a corrupt entry goes even when the upstream has nothing better', async () => {
    await store(server().disk.pathOf(REVISION), '{');
    assert.equal(await find(), 'not_found');
    assert.deepEqual(await readdir(dirname(server().disk.pathOf(REVISION))), []);
  });

  it('leaves no draft behind, and answers although the disk takes nothing', async () => {
    server().upstream.serve(CENTRAL, SMALL);
    await find();
    assert.deepEqual(await readdir(dirname(server().disk.pathOf(REVISION))), [
      server().disk.pathOf(REVISION).split('/').at(-1),
    ]);
    await rm(join(server().work, 'cache'), { recursive: true });
    await writeFile(join(server().work, 'cache'), 'a file where the folder should be');
    server().upstream.serve(pathOf(1), SMALL);
    assert.equal(await find(urlOf(1)), SMALL);
    assert.equal(server().events.at(-1), 'disk_error');
  });

  it('names files by hash: two spellings of nearly the same revision never meet', async () => {
    const { disk } = server();
    assert.match(disk.pathOf(REVISION), /\/cache\/[0-9a-f]{64}\.json$/);
    assert.notEqual(disk.pathOf({ repo: 'a', revision: 'b/c' }), disk.pathOf({ repo: 'a/b', revision: 'c' }));
  });

  it('tries a failing upstream three times, and takes the answer that is good', async () => {
    let left = 2;
    server().upstream.answers.set(CENTRAL, (response) => {
      left -= 1;
      if (left >= 0) response.writeHead(503).end();
      else response.end(SMALL);
    });
    assert.equal(await find(), SMALL);
    assert.equal(server().upstream.asked.length, 3);
  });

  it('gives up after three tries, and asks again after 60 s, not before', async () => {
    const clock = new ManualClock('2014-01-01T00:00:00Z');
    server().upstream.serve(CENTRAL, 'down', 500);
    assert.equal(await find(), 'failed');
    assert.equal(await find(), 'failed');
    clock.advance(59);
    assert.equal(await find(), 'failed');
    assert.equal(server().upstream.asked.length, 3);
    server().upstream.serve(CENTRAL, SMALL);
    clock.advance(2);
    assert.equal(await find(), SMALL);
  });

  it('tries again after a broken connection, not after 404 or 403', async () => {
    let left = 1;
    server().upstream.answers.set(CENTRAL, (response) => {
      left -= 1;
      if (left >= 0)
        response.writeHead(200, { 'content-length': SMALL.length }).write(SMALL.slice(0, 10), () => response.destroy());
      else response.end(SMALL);
    });
    assert.equal(await find(), SMALL);
    assert.equal(server().upstream.asked.length, 2);
    server().upstream.serve(pathOf(1), 'no', 403);
    assert.equal(await find(urlOf(1)), 'failed');
    assert.equal(await find(urlOf(2)), 'not_found');
    assert.equal(server().upstream.asked.length, 4);
  });

  it('takes no more bytes than allowed, announced or not', async () => {
    let sent = 0;
    server().upstream.answers.set(CENTRAL, (response) => {
      const send = (): void => {
        if (response.destroyed) return;
        sent += 65_536;
        response.write(Buffer.alloc(65_536, ' '), send);
      };
      send();
    });
    server().upstream.answers.set(pathOf(1), (response) =>
      response.writeHead(200, { 'content-length': 1 << 30 }).write('{'),
    );
    assert.equal(await find(), 'bad_content');
    assert.equal(await find(urlOf(1)), 'bad_content');
    assert.ok(sent < 64 << 20, `${sent} bytes`);
    assert.equal(server().upstream.asked.length, 2);
  });

  it('leaves an upstream alone that was silent three times in a row, and serves what it has meanwhile', async () => {
    const clock = new ManualClock('2014-01-01T00:00:00Z');
    await server().restart({ upstream: { timeoutMs: 100 } });
    server().upstream.serve(pathOf(9), SMALL);
    assert.equal(await find(urlOf(9)), SMALL);
    for (const number of [1, 2, 3, 4, 5]) {
      server().upstream.answers.set(pathOf(number), () => undefined);
      assert.equal(await find(urlOf(number)), 'timed_out');
    }
    assert.deepEqual(server().upstream.asked.slice(1), [1, 2, 3].map(pathOf));
    assert.equal(await find(urlOf(9)), SMALL);
    clock.advance(61);
    server().upstream.serve(pathOf(4), SMALL);
    assert.equal(await find(urlOf(4)), SMALL);
  });

  it('errors of single revisions do not count as silence', async () => {
    for (const number of [1, 2, 3, 4]) server().upstream.serve(pathOf(number), 'no', 500);
    for (const number of [1, 2, 3, 4]) assert.equal(await find(urlOf(number)), 'failed');
    assert.equal(server().upstream.asked.length, 12);
  });

  it('has a bounded number of requests under way', async () => {
    await server().restart({ upstream: { atOnce: 3 } });
    let now = 0;
    let most = 0;
    for (let number = 0; number < 12; number += 1) {
      server().upstream.answers.set(pathOf(number), (response) => {
        most = Math.max(most, (now += 1));
        setTimeout(() => {
          now -= 1;
          response.end(SMALL);
        }, 10);
      });
    }
    const found = await Promise.all(Array.from({ length: 12 }, (_, number) => find(urlOf(number))));
    assert.deepEqual(new Set(found), new Set([SMALL]));
    assert.equal(most, 3);
  });

  it('keeps so many revisions in memory', async () => {
    await server().restart({ cache: { inMemory: 2 } });
    for (const number of [1, 2, 3]) server().upstream.serve(pathOf(number), SMALL);
    for (const number of [1, 2, 3, 1]) await find(urlOf(number));
    assert.equal(server().revisions.inMemory, 2);
    assert.equal(server().revisions.counts.disk, 1);
    assert.equal(server().upstream.asked.length, 3);
  });

  it('offline mode serves folder and disk, and finds nothing else', async () => {
    server().upstream.serve(CENTRAL, SMALL);
    await find();
    await server().restart({ upstream: null });
    assert.equal(await find(), SMALL);
    assert.equal(await find(urlOf(1)), 'not_found');
    await store(join(server().definitions, `${pathOf(1)}/Histograms.json`), SMALL);
    assert.equal(await find(urlOf(1)), SMALL);
    assert.deepEqual(server().upstream.asked, [CENTRAL]);
  });

  it('takes only the repositories that the setting names', async () => {
    const repos = /^(?:mozilla-central|releases\/mozilla-(?:beta|release))$/;
    await server().restart({ cache: { rules: { hosts: ['hg.mozilla.org'], repos } } });
    server().upstream.serve(CENTRAL, SMALL);
    assert.equal(await find(), SMALL);
    assert.equal(await find('https://hg.mozilla.org/projects/ux/rev/b7d620677157'), 'repo_not_allowed');
    assert.equal(await find('https://hg.mozilla.org/releases/mozilla-beta/rev/b7d620677157'), 'not_found');
  });

  it('tells those who wait when it is closed', async () => {
    server().upstream.answers.set(CENTRAL, () => undefined);
    const waiting = find();
    while (server().upstream.asked.length === 0) await new Promise(setImmediate);
    server().revisions.close();
    assert.equal(await waiting, 'unreachable');
  });
});

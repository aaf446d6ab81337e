import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { parseWebsiteUpdateInput } from '../../src/pipeline/run-input.ts';
import { checkDeletions, checkPresent, checkSource, sizeGuard } from '../../src/website/rules/guards.ts';
import { isPage, websiteHeaders } from '../../src/website/rules/headers.ts';
import { parseMemory, serialiseMemory } from '../../src/website/rules/memory.ts';
import { planWebsite, type PublishedFile, type SiteFile, type SiteObject } from '../../src/website/rules/plan.ts';
import { BRANCH_NAME, protocolOf, withoutCredentials } from '../../src/website/rules/repository.ts';
import { isHidden, skipReason } from '../../src/website/rules/site-path.ts';
import { overlap } from '../../src/website/rules/target.ts';

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof InvalidDataError);
  assert.equal(error.reason, 'website_refused');
  assert.match(error.message, message);
  return true;
};

describe('a path of the website', () => {
  for (const path of ['index.html', 'v1/telemetry.js', 'a b/ä+&#%.txt', 'a./b..c', 'LICENSE', '__proto__']) {
    it(`${path} is published`, () => {
      assert.equal(skipReason(path), undefined);
    });
  }
  for (const path of ['.git/config', 'sub/.hidden', 'a/.b/c', '..', 'a/../b', '.']) {
    it(`${path} is hidden, and left alone on the site`, () => {
      assert.equal(skipReason(path), 'hidden');
      assert.ok(isHidden(path));
    });
  }
  const unsafe = [
    'a\nb',
    'a\u0000b',
    'a\\b',
    'a//b',
    '',
    'a/',
    '/a',
    'a\uFFFDb',
    'a\ud800b',
    'x'.repeat(901),
    'ä'.repeat(451),
  ];
  for (const path of unsafe) {
    it(`${JSON.stringify(path).slice(0, 30)} is no safe key`, () => {
      assert.equal(skipReason(path), 'name');
    });
  }
});

describe('headers of the website', () => {
  const types = new Map([
    ['html', 'text/html'],
    ['js', 'text/javascript'],
    ['css', 'text/css'],
    ['json', 'application/json'],
    ['svg', 'image/svg+xml'],
    ['png', 'image/png'],
    ['woff2', 'font/woff2'],
    ['pdf', 'application/pdf'],
  ]);
  const cases: readonly [path: string, contentType: string, maxAge: number][] = [
    ['index.html', 'text/html; charset=utf-8', 60],
    ['A/B.HTML', 'text/html; charset=utf-8', 60],
    ['v1/telemetry.js', 'text/javascript; charset=utf-8', 300],
    ['style.css', 'text/css; charset=utf-8', 300],
    ['data.json', 'application/json; charset=utf-8', 300],
    ['logo.svg', 'image/svg+xml; charset=utf-8', 86_400],
    ['logo.png', 'image/png', 86_400],
    ['favicon.ico', 'image/x-icon', 86_400],
    ['f.woff2', 'font/woff2', 86_400],
    ['f.eot', 'application/vnd.ms-fontobject', 86_400],
    ['paper.pdf', 'application/pdf', 300],
    ['LICENSE', 'application/octet-stream', 300],
    ['html', 'application/octet-stream', 300],
    ['dir.html/LICENSE', 'application/octet-stream', 300],
    ['a.unknown', 'application/octet-stream', 300],
  ];
  for (const [path, contentType, maxAge] of cases) {
    it(`of ${path}`, () => {
      const headers = websiteHeaders(path, (extension) => types.get(extension));
      assert.deepEqual(headers, { contentType, cacheControl: `public, max-age=${maxAge}` });
    });
  }
});

describe('the guards', () => {
  const files = (...paths: string[]): SiteFile[] => paths.map((path) => ({ path, size: 1, sha256: 'h' }));
  const limits = { minFiles: 2, maxDeletedPercent: 50 };
  const gone = (count: number): string[] => Array.from({ length: count }, (_, index) => `old-${index}`);

  it('refuse a source without index.html at its root', () => {
    assert.throws(
      () => {
        checkSource(files('a.html', 'b/index.html'), limits);
      },
      refused(/no index\.html \(2 files\)/),
    );
  });
  it('refuse a source with too few files', () => {
    assert.throws(
      () => {
        checkSource(files('index.html'), limits);
      },
      refused(/1 files, fewer than 2/),
    );
    checkSource(files('index.html', 'a'), limits);
  });
  for (const [deleted, present, allowed] of [
    [0, 0, true],
    [1, 2, true],
    [50, 100, true],
    [51, 100, false],
    [2, 3, false],
    [1, 1, false],
  ] as const) {
    it(`${allowed ? 'allow' : 'refuse'} to delete ${deleted} of ${present}`, () => {
      const check = (): void => {
        checkDeletions(gone(deleted), present, limits);
      };
      if (allowed) check();
      else
        assert.throws(
          check,
          refused(new RegExp(`${deleted} of the site's ${present} objects.*more than 50 %.*--force`)),
        );
    });
  }
  it('refuse a source with 10 % of the former files', () => {
    assert.throws(
      () => {
        checkDeletions(gone(90), 100, limits);
      },
      refused(/old-4, and 85 more/),
    );
  });
  it('refuse what is too large for a website: one file, all files, their number, the site', () => {
    assert.throws(
      () => {
        sizeGuard()('disk.img', 101 << 20);
      },
      refused(/disk\.img has 105906176 bytes/),
    );
    const bytes = sizeGuard();
    for (let file = 1; file <= 10; file += 1) bytes('a', 100 << 20);
    assert.throws(
      () => {
        bytes('a', 100 << 20);
      },
      refused(/more than 1073741824 bytes/),
    );
    const count = sizeGuard();
    for (let file = 1; file <= 20_000; file += 1) count('a', 0);
    assert.throws(
      () => {
        count('a', 0);
      },
      refused(/more than 20000 files/),
    );
    checkPresent(100_000, 's3://b/');
    assert.throws(
      () => {
        checkPresent(100_001, 's3://b/');
      },
      refused(/s3:\/\/b\/ holds more than 100000/),
    );
  });
});

describe('the site and the data set', () => {
  const at = (bucket: string, prefix: string) => ({ bucket, prefix });
  for (const [site, dataSet, overlaps] of [
    ['', 'v7/', true],
    ['v7/', 'v7/', true],
    ['v7/site/', 'v7/', true],
    ['site/', '', true],
    ['site/', 'v7/', false],
    ['v/', 'v7/', false],
    ['a/', 'a/v7/', true],
  ] as const) {
    it(`${overlaps ? 'overlap' : 'lie apart'} in one bucket at "${site}" and "${dataSet}"`, () => {
      assert.equal(overlap(at('b', site), at('b', dataSet)), overlaps);
      assert.equal(overlap(at('b', dataSet), at('b', site)), overlaps);
      assert.equal(overlap(at('b', site), at('c', dataSet)), false);
    });
  }
});

describe('the repository', () => {
  for (const [url, protocol] of [
    ['https://github.com/mozilla/telemetry-dashboard.git', 'https'],
    ['https://user:pw@host/x', 'https'],
    ['ssh://git@host:22/x', 'ssh'],
    ['git@github.com:mozilla/x.git', 'ssh'],
    ['file:///srv/site.git', 'file'],
    ['http://host/x', undefined],
    ['git://host/x', undefined],
    ['ext::sh -c touch% /tmp/x', undefined],
    ['https://-oProxyCommand=x/y', undefined],
    ['ssh://-oProxyCommand=x/y', undefined],
    ['-u@host:x', undefined],
    ['git@host:-x', undefined],
    ['/srv/site', undefined],
    ['https://host/a b', undefined],
    ['', undefined],
  ] as const) {
    it(`${JSON.stringify(url)} is ${protocol === undefined ? 'refused' : `fetched by ${protocol} only`}`, () => {
      assert.equal(protocolOf(url), protocol);
    });
  }
  for (const name of ['master', 'main', 'release/v1.2', 'a@b']) {
    it(`has a branch ${name}`, () => {
      assert.match(name, BRANCH_NAME);
    });
  }
  for (const name of ['', '-f', 'a..b', 'a b', 'a:b', '/a', 'a/', 'a.lock', '+a', 'a*', 'a@{1}', 'a\n']) {
    it(`has no branch ${JSON.stringify(name)}`, () => {
      assert.doesNotMatch(name, BRANCH_NAME);
    });
  }
  it('is shown without credentials, queries and control characters', () => {
    for (const [text, shown] of [
      ['https://user:pw@host/x.git', 'https://host/x.git'],
      ['https://token@host/x?sig=abc#f', 'https://host/x'],
      [
        "fatal: unable to access 'https://u:p@ss@host/x?t=1': no\n\u001b[31mred",
        "fatal: unable to access 'https://host/x': no [31mred",
      ],
      ['ssh://git@host/x', 'ssh://host/x'],
      ['git@host:x', 'git@host:x'],
    ] as const) {
      assert.equal(withoutCredentials(text), shown);
    }
  });
});

describe('the memory of the last update', () => {
  const file: PublishedFile = {
    etag: '"e"',
    size: 0,
    sha256: 'a'.repeat(64),
    contentType: 'text/html',
    cacheControl: 'no-cache',
  };
  it('is read as it was written, whatever the files are called', () => {
    const names = ['index.html', '__proto__', '1', 'constructor'];
    const memory = { site: 's3://b/', revision: 'r', files: new Map(names.map((name) => [name, file])) };
    const read = parseMemory(serialiseMemory(memory));
    assert.deepEqual([read.site, read.revision], ['s3://b/', 'r']);
    assert.deepEqual([...read.files].toSorted(), [...memory.files].toSorted());
  });
  for (const text of ['', '[]', '{"site":"s"}', '{"site":"s","revision":"r","files":{"a":{"etag":"e"}}}']) {
    it(`is damaged when it is ${text || 'empty'}`, () => {
      assert.throws(() => parseMemory(text), { reason: 'bad_website_memory' });
    });
  }
});

describe('input of websiteUpdate', () => {
  it('has a default for everything', () => {
    for (const input of [undefined, null, {}]) {
      assert.deepEqual(parseWebsiteUpdateInput(input), { force: false, dryRun: false });
    }
    assert.deepEqual(parseWebsiteUpdateInput({ force: true }), { force: true, dryRun: false });
  });
  it('takes no source, and names everything that is wrong', () => {
    assert.throws(
      () => parseWebsiteUpdateInput({ repository: 'https://evil.example/x', force: 'yes' }),
      /Input of websiteUpdate: "repository" is not known \(known: force, dryRun\); "force" must be true or false, found "yes"/,
    );
  });
});

describe('the plan', () => {
  const HEADERS = { contentType: 'text/x', cacheControl: 'c' };
  const path = fc.stringMatching(/^[a-c](?:\/[ab])?(?:\.html)?$/);
  const content = fc.constantFrom('1', '2', '3');
  const folder = fc.dictionary(path, content, { maxKeys: 8, noNullPrototype: true });

  /** What is there: as published, changed or removed since by somebody else, or foreign. */
  const site = fc.record({
    published: folder,
    since: fc.dictionary(path, fc.option(content), { maxKeys: 3, noNullPrototype: true }),
    source: folder,
  });

  const published = (text: string): PublishedFile => ({ ...object(text), sha256: text, ...HEADERS });
  const object = (text: string): SiteObject => ({ etag: `e${text}`, size: 1 });

  function planned({ published: before, since, source }: { published: object; since: object; source: object }) {
    const known = new Map(Object.entries(before).map(([name, text]) => [name, published(text as string)]));
    const present = new Map(Object.entries(before) as [string, string][]);
    for (const [name, text] of Object.entries(since) as [string, string | null][]) {
      if (text === null) present.delete(name);
      else present.set(name, text);
    }
    const files = (Object.entries(source) as [string, string][]).map(([name, text]) => ({
      path: name,
      size: 1,
      sha256: text,
    }));
    const objects = new Map([...present].map(([name, text]) => [name, object(text)]));
    return { present, plan: planWebsite(files, objects, known, () => HEADERS) };
  }

  it('applied to what is there gives exactly the source, and touches nothing that is right already', () => {
    fc.assert(
      fc.property(site, (given) => {
        const { present, plan } = planned(given);
        for (const { path: name, sha256 } of [...plan.assets, ...plan.pages]) present.set(name, sha256);
        for (const name of plan.deletions) assert.ok(present.delete(name), 'deletes what is there only');
        assert.deepEqual(Object.fromEntries(present), given.source);
        const touched = [...plan.assets, ...plan.pages].map(({ path: name }) => name).concat(plan.deletions);
        assert.equal(new Set(touched).size, touched.length);
        for (const name of plan.unchanged.keys()) assert.ok(!touched.includes(name));
        assert.equal(plan.unchanged.size + plan.assets.length + plan.pages.length, Object.keys(given.source).length);
      }),
    );
  });

  it('writes pages after everything they refer to, and deletes them before it', () => {
    fc.assert(
      fc.property(site, (given) => {
        const { plan } = planned(given);
        assert.ok(plan.assets.every((file) => !isPage(file.path)));
        assert.ok(plan.pages.every((file) => isPage(file.path)));
        const kinds = plan.deletions.map(isPage);
        assert.deepEqual(
          kinds,
          kinds.toSorted((a, b) => Number(b) - Number(a)),
        );
      }),
    );
  });

  it('is empty for a site that is as it was published', () => {
    fc.assert(
      fc.property(folder, (source) => {
        const { plan } = planned({ published: source, since: {}, source });
        assert.deepEqual([plan.assets, plan.pages, plan.deletions], [[], [], []]);
      }),
    );
  });

  it('uploads again what would be served with other headers', () => {
    const known = new Map([['a', published('1')]]);
    const files = [{ path: 'a', size: 1, sha256: '1' }];
    const plan = planWebsite(files, new Map([['a', object('1')]]), known, () => ({ ...HEADERS, cacheControl: 'd' }));
    assert.deepEqual(plan.assets, [{ ...files[0], contentType: 'text/x', cacheControl: 'd' }]);
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { type Activities, createActivities } from '../../src/activities/index.ts';
import { PassingError } from '../../src/ports.ts';
import { FailureType } from '../../src/failures.ts';
import { localFolder } from '../../src/website/local-folder.ts';
import { type Application, eachWithApplication, environment } from '../fakes/application.ts';
import type { Call, Fault } from '../fakes/call-trace.ts';
import { endsCancelled, failsForGood, failsForNow } from '../fakes/failures.ts';
import { type Website, writeWebsite } from '../fakes/website.ts';

const MEMORY = 'state/website.json';
const FIRST: Website = { 'index.html': 'home', 'a.html': 'h1', 'old.js': 'old', 'v1/telemetry.js': 'client' };
const SECOND: Website = { 'index.html': 'home', 'a.html': 'h2', 'b.css': 'h3', 'v1/telemetry.js': 'client' };

const application = eachWithApplication();
let app: Application;
let files: Website;

beforeEach(() => {
  app = application();
  files = {};
});

/** Where the website's files are; not below what the activities clean up. */
function folder(): string {
  return join(app.settings.workDirectory, 'source');
}

/** Makes the folder of the website hold these files. */
function source(website: Website): void {
  mkdirSync(folder(), { recursive: true });
  writeWebsite(folder(), website, files);
  files = website;
  app.websiteSource = localFolder(folder());
}

const publish = (input: { force?: boolean; dryRun?: boolean } = {}) =>
  app.run('publishWebsite', { force: false, dryRun: false, ...input });

const forced = (activities: Activities) => () => activities.publishWebsite({ force: true, dryRun: false });

/** Calls that change something, in their order. */
function writes(): string[] {
  const changing = (call: Call): boolean => ['put', 'delete', 'createOnce', 'replace'].includes(call.method);
  return app.trace.calls.filter(changing).map(({ service, method, key }) => `${method} ${service}/${key}`);
}

function siteIs(website: Website): void {
  assert.deepEqual(Object.fromEntries(app.site.keys().map((key) => [key, app.site.text(key)])), sorted(website));
}

function sorted(website: Website): Website {
  return Object.fromEntries(Object.entries(website).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The site as an update left it; what was written until then is not looked at. */
async function published(website: Website): Promise<void> {
  source(website);
  await publish();
  app.trace.clear();
}

describe('publishWebsite', () => {
  it('publishes a first time: assets before pages, types and cache times, then its own memory', async () => {
    source({ ...FIRST, 'logo.png': 'png', LICENSE: 'MPL', 'x.constructor': '' });
    const result = await publish();
    assert.deepEqual([result.outcome, result.uploaded, result.deleted, result.unchanged], ['published', 7, 0, 0]);
    const order = writes();
    assert.deepEqual(order.slice(0, -3).toSorted(), [
      'put site/LICENSE',
      'put site/logo.png',
      'put site/old.js',
      'put site/v1/telemetry.js',
      'put site/x.constructor',
    ]);
    assert.deepEqual(order.slice(-3, -1).toSorted(), ['put site/a.html', 'put site/index.html']);
    assert.equal(order.at(-1), `createOnce analysis/${MEMORY}`);
    const headers = (key: string) => app.site.contents.get(key)?.headers;
    const text = 'charset=utf-8';
    assert.deepEqual(headers('index.html'), { contentType: `text/html; ${text}`, cacheControl: 'public, max-age=60' });
    assert.deepEqual(headers('v1/telemetry.js'), {
      contentType: `text/javascript; ${text}`,
      cacheControl: 'public, max-age=300',
    });
    assert.deepEqual(headers('logo.png'), { contentType: 'image/png', cacheControl: 'public, max-age=86400' });
    for (const key of ['LICENSE', 'x.constructor'])
      assert.equal(headers(key)?.contentType, 'application/octet-stream', key);
  });

  it('7.4: uploads b.css, then a.html; deletes old.js; skips .git/config and sub/.hidden', async () => {
    await published(FIRST);
    source({ ...SECOND, '.git/config': 'x', 'sub/.hidden': 'x' });
    const result = await publish();
    assert.deepEqual(writes(), [
      'put site/b.css',
      'put site/a.html',
      'delete site/old.js',
      `replace analysis/${MEMORY}`,
    ]);
    assert.deepEqual([result.firstUploaded, result.firstDeleted], [['b.css', 'a.html'], ['old.js']]);
    assert.deepEqual([result.uploaded, result.deleted, result.unchanged, result.skipped], [2, 1, 2, { hidden: 2 }]);
    siteIs(SECOND);
  });

  it('writes nothing when nothing changed', async () => {
    await published(FIRST);
    const result = await publish();
    assert.deepEqual([result.outcome, result.uploaded, result.deleted, result.unchanged], ['unchanged', 0, 0, 4]);
    assert.deepEqual(writes(), []);
  });

  it('notes a new revision with the same files, and leaves the site alone', async () => {
    await published(FIRST);
    const source = localFolder(folder());
    app.websiteSource = {
      name: 'repository',
      fetch: async (work, signal) => ({ ...(await source.fetch(work, signal)), revision: 'next' }),
    };
    assert.equal((await publish()).outcome, 'unchanged');
    assert.deepEqual(writes(), [`replace analysis/${MEMORY}`]);
    assert.equal(app.analysis.json(MEMORY)['revision'], 'next');
  });

  it('a dry run says what would be done and writes nothing', async () => {
    await published(FIRST);
    source(SECOND);
    const result = await publish({ dryRun: true });
    assert.deepEqual([result.outcome, result.uploaded, result.deleted], ['planned', 2, 1]);
    assert.deepEqual(writes(), []);
    siteIs(FIRST);
  });

  it('mends what somebody else changed, removed or added; hidden objects are not its own', async () => {
    await published(FIRST);
    app.site.store('a.html', 'defaced');
    app.site.contents.delete('old.js');
    app.site.store('foreign.txt', 'x');
    app.site.store('.well-known/challenge', 'x');
    const result = await publish();
    assert.deepEqual([result.firstUploaded, result.firstDeleted], [['old.js', 'a.html'], ['foreign.txt']]);
    siteIs({ ...FIRST, '.well-known/challenge': 'x' });
  });

  it('uploads everything again when its memory is damaged or of another site, and says so', async () => {
    await published(FIRST);
    app.analysis.store(MEMORY, '{');
    const damaged = await publish();
    assert.deepEqual([damaged.uploaded, damaged.memoryDamage], [4, 'website.json is not JSON']);
    app.analysis.store(MEMORY, app.analysis.text(MEMORY).replace('s3://site/', 's3://other/'));
    const moved = await publish();
    assert.deepEqual([moved.uploaded, moved.memoryDamage], [4, null]);
    assert.equal((await publish()).outcome, 'unchanged');
  });

  it('stays below its prefix, beside the data set in one bucket', async () => {
    const before = app.published.keys();
    app.published.store('site/old.css', 'x');
    app.published.store('sitemap.xml', 'x');
    source(FIRST);
    const website = { ...app.websitePorts(), site: app.published, prefix: 'site/' };
    const activities = createActivities({ ...app.ports(), website });
    await environment().run(forced(activities));
    const expected = [...before, 'sitemap.xml', ...Object.keys(FIRST).map((path) => `site/${path}`)];
    assert.deepEqual(app.published.keys(), expected.toSorted());
  });

  for (const prefix of ['', 'v7/', 'v7/site/']) {
    it(`is refused where the data set is: prefix "${prefix}"`, async () => {
      source(FIRST);
      const website = { ...app.websitePorts(), site: app.published, prefix };
      const activities = createActivities({ ...app.ports(), website });
      const run = environment().run(forced(activities));
      await failsForGood(run, FailureType.WebsiteRefused, /is not apart from the data set in s3:\/\/published\/v7/);
      assert.deepEqual(app.trace.calls, []);
    });
  }

  it('leaves no files behind, whether it ends well or not', async () => {
    await published(FIRST);
    app.trace.fail({ service: 'site', method: 'put' });
    source(SECOND);
    await failsForNow(publish(), /injected/);
    assert.deepEqual(readdirSync(app.settings.workDirectory), ['source']);
  });
});

describe('the guards of the website', () => {
  const cases: readonly [title: string, website: Website, message: RegExp][] = [
    ['122: a source without index.html', { 'a.html': 'x' }, /no index\.html \(1 files\)/],
    ['an empty source', {}, /no index\.html \(0 files\)/],
    [
      '122: a source with a few of the former files',
      { 'index.html': 'x' },
      /3 of the site's 4 objects would be deleted/,
    ],
  ];
  for (const [title, website, message] of cases) {
    it(`${title} is refused for good, and nothing is written`, async () => {
      await published(FIRST);
      source(website);
      await failsForGood(publish(), FailureType.WebsiteRefused, message);
      assert.deepEqual(writes(), []);
      siteIs(FIRST);
    });
  }

  it('many deletions are done when they are forced; a missing index.html is never', async () => {
    await published(FIRST);
    source({ 'index.html': 'x' });
    assert.equal((await publish({ force: true })).deleted, 3);
    siteIs({ 'index.html': 'x' });
    source({});
    await failsForGood(publish({ force: true }), FailureType.WebsiteRefused, /index\.html/);
  });

  it('a source that is gone is a matter for a person', async () => {
    await published(FIRST);
    rmSync(folder(), { recursive: true });
    await failsForGood(publish(), FailureType.WebsiteSourceMissing, /folder .*source cannot be read/);
    siteIs(FIRST);
  });
});

describe('a website update that is disturbed', () => {
  const faults: readonly Omit<Fault, 'when'>[] = [
    { service: 'site', method: 'list' },
    { service: 'site', method: 'put', nth: 1 },
    { service: 'site', method: 'put', nth: 2 },
    { service: 'site', method: 'delete' },
    { service: 'analysis', method: 'get', key: /website/ },
    { service: 'analysis', method: 'replace', key: /website/ },
  ];
  for (const fault of faults) {
    for (const when of ['before', 'after'] as const) {
      const { service = '', method, nth = 1 } = fault;
      it(`at ${service} ${method} ${nth} (${when} its effect) is right after the next attempt`, async () => {
        await published(FIRST);
        source(SECOND);
        app.trace.fail({ ...fault, when });
        await failsForNow(publish(), /injected/);
        const shown = app.site.keys();
        assert.ok(shown.includes('b.css') || app.site.text('a.html') === 'h1', 'a page came before its style');
        await publish();
        siteIs(SECOND);
        app.trace.clear();
        assert.equal((await publish()).outcome, 'unchanged');
        assert.deepEqual(writes(), []);
      });
    }
  }

  it('by another update at the same time fails for now, and mends the mixture', async () => {
    await published(FIRST);
    source(SECOND);
    const mine = app.websiteSource;
    app.trace.before('replace', /website/, async () => {
      source({ ...FIRST, 'a.html': 'other' });
      await publish();
      app.websiteSource = mine;
    });
    await assert.rejects(publish(), PassingError);
    source(SECOND);
    await publish();
    siteIs(SECOND);
  });

  it('by cancellation stops before the next write', async () => {
    await published(FIRST);
    source(SECOND);
    const env = environment();
    app.trace.before('put', /b\.css/, () => {
      env.cancel();
    });
    await endsCancelled(app.runIn(env, 'publishWebsite', { force: false, dryRun: false }));
    assert.equal(app.site.text('a.html'), 'h1');
    assert.ok(app.site.contents.has('old.js'));
  });
});

describe('describeWebsite', () => {
  it('names source and site, or says that there is no source', async () => {
    assert.deepEqual(await app.run('describeWebsite', undefined), { source: null, site: 's3://site/' });
    source(FIRST);
    assert.deepEqual(await app.run('describeWebsite', undefined), {
      source: `folder ${folder()}`,
      site: 's3://site/',
    });
  });
});

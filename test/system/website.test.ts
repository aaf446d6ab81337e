/** A git repository becomes a website: real worker, real command, read back by plain HTTP. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { WebsiteUpdateResult } from '../../src/workflows/website-update.ts';
import { WebsiteRepository, writeWebsite } from '../fakes/website.ts';
import { Deployment, type Output } from './deployment.ts';

const FIRST = { 'index.html': '<h1>1</h1>', 'v1/telemetry.js': 'v = 1;', 'ä +&#%.txt': 'odd', 'old.css': 'old' };
const SECOND = { ...FIRST, 'index.html': '<h1>2</h1>', 'new.css': 'new' };
let directory: string;
let repository: WebsiteRepository;
let deployment: Deployment;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'website-'));
  repository = new WebsiteRepository(join(directory, 'repository'));
  deployment = await Deployment.start({ TELEMETRY_WEBSITE_REPOSITORY: repository.url });
  deployment.startProcess('worker');
});

after(async () => {
  await deployment.stop();
  await rm(directory, { recursive: true, force: true });
});

type Published = Exclude<WebsiteUpdateResult, { outcome: 'not-configured' }>;

async function publish(...args: string[]): Promise<Published> {
  const { code, stdout, stderr } = await deployment.telemetry('website', 'publish', '--json', ...args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Published;
}

function counts({ outcome, uploaded, deleted, unchanged }: Published): readonly unknown[] {
  return [outcome, uploaded, deleted, unchanged];
}

function page(path: string): Promise<Response> {
  return fetch(`${deployment.stack.links.s3}/telemetry.mozilla.org/${encodeURIComponent(path).replaceAll('%2F', '/')}`);
}

/** What a visitor gets of these files. */
async function served(website: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const texts = await Promise.all(
    Object.keys(website).map(async (path) => {
      const answer = await page(path);
      return [path, `${await answer.text()}${answer.ok ? '' : answer.status}`];
    }),
  );
  return Object.fromEntries(texts) as Record<string, string>;
}

async function refused(output: Promise<Output>, message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await output;
  assert.equal(code, 2, stdout + stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /^\s+at /m, 'no stack trace for a person');
}

describe('the website of a git repository', () => {
  it('is published a first time, with types and cache times that browsers can rely on', async () => {
    const revision = repository.commit({ ...FIRST, '.gitignore': 'x' });
    const result = await publish();
    assert.deepEqual(
      [counts(result), result.revision, result.skipped],
      [['published', 4, 0, 0], revision, { hidden: 1 }],
    );
    assert.deepEqual(await served(FIRST), FIRST);
    const { headers } = await page('v1/telemetry.js');
    assert.equal(headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(headers.get('cache-control'), 'public, max-age=300');
    assert.equal((await page('index.html')).headers.get('content-type'), 'text/html; charset=utf-8');
  });

  it('is left as it is when nothing changed: no object of the site and no state is written', async () => {
    const state = await deployment.analysis.head('state/website.json');
    assert.deepEqual(counts(await publish()), ['unchanged', 0, 0, 4]);
    assert.deepEqual(await deployment.analysis.head('state/website.json'), state);
  });

  it('follows the repository, one changed and one new file', async () => {
    repository.commit(SECOND);
    assert.deepEqual(counts(await publish('--dry-run')), ['planned', 2, 0, 3]);
    assert.deepEqual(await served(FIRST), FIRST);
    assert.deepEqual(counts(await publish()), ['published', 2, 0, 3]);
    assert.deepEqual(await served(SECOND), SECOND);
  });

  it('is not emptied by a repository that is, unless that is forced', async () => {
    repository.commit({ 'index.html': '<h1>3</h1>' });
    await refused(deployment.telemetry('website', 'publish'), /4 of the site's 5 objects would be deleted.*--force/);
    assert.deepEqual(await served(SECOND), SECOND);
    assert.deepEqual(counts(await publish('--force')), ['published', 1, 4, 0]);
    assert.equal((await page('index.html')).status, 200);
    assert.equal((await page('old.css')).ok, false);
    repository.commit({ 'a.html': 'x' });
    await refused(deployment.telemetry('website', 'publish', '--force'), /no index\.html/);
  });
});

describe('a source that the command names', () => {
  it('is published by the command itself', async () => {
    const folder = join(directory, 'folder');
    writeWebsite(folder, SECOND);
    const result = await publish('--source', folder);
    assert.equal(result.source, `folder ${folder}`);
    assert.deepEqual(await served(SECOND), SECOND);
    const runs = await deployment.temporal('workflow', 'count', '--query', `ExecutionStatus = 'Failed'`);
    assert.match(runs.stdout, /: 2/, 'the two refused ones');
  });

  it('is refused with a reason when it is wrong', async () => {
    const wrong: readonly [args: readonly string[], message: RegExp][] = [
      [['--source', join(directory, 'none')], /cannot be read: ENOENT/],
      [['--source', directory, '--repository', repository.url], /either --source or --repository/],
      [['--branch', 'x'], /--branch needs --repository/],
      [['--repository', 'http://host/x'], /must be https/],
      [['--repository', repository.url, '--branch', 'none'], /couldn't find remote ref/],
    ];
    for (const [args, message] of wrong) await refused(deployment.telemetry('website', 'publish', ...args), message);
  });
});

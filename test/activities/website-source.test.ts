/** Folders and git repositories as they are on real disks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { FetchedWebsite, WebsiteSource } from '../../src/activities/ports.ts';
import { PassingError } from '../../src/ports.ts';
import { builtInSite } from '../../src/website/built-in.ts';
import { gitRepository } from '../../src/website/git-repository.ts';
import { localFolder } from '../../src/website/local-folder.ts';
import { WebsiteRepository, writeWebsite } from '../fakes/website.ts';

const never = new AbortController().signal;
let directory: string;
let work: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'website-source-'));
  work = join(directory, 'work');
  mkdirSync(work);
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function contents({ files }: FetchedWebsite): Record<string, string> {
  const ordered = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return Object.fromEntries(ordered.map(({ path, location }) => [path, readFileSync(location, 'utf8')]));
}

const repositoryAt = (url: string, branch = 'master', environment: Record<string, string> = {}): WebsiteSource =>
  gitRepository({ url, branch, environment: { ...process.env, ...environment } });

async function failsWith(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error & { reason?: string }) => {
    assert.equal(error.reason, 'website_source', String(error));
    assert.match(error.message, message);
    return true;
  });
}

describe('a folder', () => {
  it('gives its files; hidden ones, links, special files and bad names are counted and left out', async () => {
    const root = join(directory, 'site');
    writeWebsite(root, { 'index.html': 'a', 'sub/ä b.js': 'b', '.git/config': 'x', 'sub/.hidden': 'x', 'a\\b': 'x' });
    writeFileSync(join(directory, 'secret'), 'secret');
    symlinkSync(join(directory, 'secret'), join(root, 'secret.txt'));
    symlinkSync(directory, join(root, 'outside'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const fetched = await localFolder(root).fetch(work, never);
    assert.deepEqual(contents(fetched), { 'index.html': 'a', 'sub/ä b.js': 'b' });
    assert.deepEqual(fetched.skipped, { hidden: 2, link: 2, special: 1, name: 1 });
  });

  it('has a revision that changes with its content only', async () => {
    const root = join(directory, 'site');
    const revision = async (): Promise<string> => {
      rmSync(join(work, 'website'), { recursive: true, force: true });
      return (await localFolder(root).fetch(work, never)).revision;
    };
    writeWebsite(root, { 'index.html': 'a', b: 'b' });
    const first = await revision();
    assert.match(first, /^sha256:[0-9a-f]{64}$/);
    writeWebsite(root, { 'index.html': 'a' });
    assert.equal(await revision(), first);
    writeWebsite(root, { b: 'c' });
    assert.notEqual(await revision(), first);
  });

  it('that changes afterwards changes nothing of what was fetched', async () => {
    const root = join(directory, 'site');
    writeWebsite(root, { 'index.html': 'then' });
    const fetched = await localFolder(root).fetch(work, never);
    writeWebsite(root, { 'index.html': 'now' });
    assert.deepEqual(contents(fetched), { 'index.html': 'then' });
  });

  it('that does not exist is a matter for a person', async () => {
    await failsWith(localFolder(join(directory, 'none')).fetch(work, never), /folder .*none cannot be read: ENOENT/);
  });
});

describe('a git repository', () => {
  it('is asked for with a login that is in no argument, and that git gets when it is challenged', async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    const ask = `printf 'protocol=https\\nhost=example.org\\n\\n' | "${git}" credential fill`;
    const script = `#!/bin/sh\necho "$@" >> "${bin}/arguments"\n${ask} > "${bin}/login"\n[ "$1" = init ]\n`;
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
    const environment = {
      ...{ PATH: `${bin}:${process.env['PATH'] ?? ''}` },
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.abbrev', GIT_CONFIG_VALUE_0: '9' },
    };
    const url = 'https://robot:s3cr%40t-t0ken@example.org/site.git';
    await assert.rejects(repositoryAt(url, 'master', environment).fetch(work, never), /example\.org\/site\.git/);
    const given = readFileSync(join(bin, 'arguments'), 'utf8');
    assert.match(given, /fetch .* -- https:\/\/example\.org\/site\.git /);
    assert.doesNotMatch(given, /s3cr|robot/);
    assert.match(readFileSync(join(bin, 'login'), 'utf8'), /^username=robot\npassword=s3cr@t-t0ken$/m);
  });

  it('gives the newest commit of its branch, alone', async () => {
    const repository = new WebsiteRepository(join(directory, 'repository'));
    repository.commit({ 'index.html': 'old', 'gone.js': 'x' });
    const commit = repository.commit({ 'index.html': 'new', 'v1/telemetry.js': 'js', '.gitignore': 'x' });
    repository.git('tag', 'v1');
    repository.git('branch', 'other');
    repository.commit({ 'index.html': 'newer' });
    const source = repositoryAt(repository.url, 'other');
    assert.equal(source.name, `${repository.url} branch other`);
    const fetched = await source.fetch(work, never);
    assert.equal(fetched.revision, commit);
    assert.deepEqual(contents(fetched), { 'index.html': 'new', 'v1/telemetry.js': 'js' });
    assert.deepEqual(fetched.skipped, { hidden: 1 });
    const bare = (...args: string[]) =>
      execFileSync('git', ['-C', join(work, 'repository.git'), ...args], { encoding: 'utf8' });
    assert.equal(bare('rev-list', '--all', '--count').trim(), '1');
    assert.equal(bare('tag'), '');
  });

  it('gives files byte for byte, and no links', async () => {
    const repository = new WebsiteRepository(join(directory, 'repository'));
    symlinkSync('/etc/passwd', join(repository.folder, 'passwd'));
    repository.commit({ 'index.html': 'a\nb\n', 'dos.txt': 'a\r\n' });
    const fetched = await repositoryAt(repository.url, 'master', {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.autocrlf',
      GIT_CONFIG_VALUE_0: 'true',
    }).fetch(work, never);
    assert.deepEqual(contents(fetched), { 'dos.txt': 'a\r\n', 'index.html': 'a\nb\n' });
    assert.deepEqual(fetched.skipped, { link: 1 });
  });

  it('runs no hook, not even one of the global configuration', async () => {
    const repository = new WebsiteRepository(join(directory, 'repository'));
    repository.commit({ 'index.html': 'x' });
    const mark = join(directory, 'hook-ran');
    const hooks = join(directory, 'hooks');
    mkdirSync(hooks);
    for (const hook of ['post-checkout', 'reference-transaction'])
      writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    writeFileSync(join(directory, 'config'), `[core]\n\thooksPath = ${hooks}\n`);
    await repositoryAt(repository.url, 'master', { GIT_CONFIG_GLOBAL: join(directory, 'config') }).fetch(work, never);
    assert.ok(!existsSync(mark));
  });

  it('is asked with none of the secrets of this process', async () => {
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'git'), `#!/bin/sh\nenv > ${directory}/seen\nexit 1\n`, { mode: 0o755 });
    const source = repositoryAt('https://host.invalid/x', 'master', {
      PATH: `${programs}:${process.env['PATH'] ?? ''}`,
      AWS_SECRET_ACCESS_KEY: 'canary',
      GIT_DIR: '/elsewhere',
    });
    await assert.rejects(source.fetch(work, never), PassingError);
    const seen = readFileSync(join(directory, 'seen'), 'utf8');
    assert.match(seen, /^GIT_TERMINAL_PROMPT=0$/m);
    assert.match(seen, /^GIT_ALLOW_PROTOCOL=https$/m);
    assert.doesNotMatch(seen, /canary|GIT_DIR/);
  });

  it('that holds too much for a website is refused before it is unpacked', async () => {
    const repository = new WebsiteRepository(join(directory, 'repository'));
    repository.commit({ 'index.html': 'x', 'image.iso': '0'.repeat((100 << 20) + 1) });
    await assert.rejects(repositoryAt(repository.url).fetch(work, never), /image\.iso has 104857601 bytes/);
    assert.ok(!existsSync(join(work, 'website', 'image.iso')));
  });

  it('that does not exist, or not under this branch, is a matter for a person', async () => {
    await failsWith(
      repositoryAt(`file://${directory}/none`).fetch(work, never),
      /does not appear to be a git repository/,
    );
    rmSync(work, { recursive: true });
    mkdirSync(work);
    const repository = new WebsiteRepository(join(directory, 'repository'));
    repository.commit({ 'index.html': 'x' });
    await failsWith(
      repositoryAt(repository.url, 'none').fetch(work, never),
      /couldn't find remote ref refs\/heads\/none/,
    );
  });

  it('that does not answer is tried again; what is said of it has no credentials', async () => {
    const source = repositoryAt('https://user:canary@127.0.0.1:1/x?sig=canary');
    assert.equal(source.name, 'https://127.0.0.1:1/x branch master');
    await assert.rejects(source.fetch(work, never), (error: Error) => {
      assert.ok(error instanceof PassingError, String(error));
      assert.match(
        error.message,
        /cannot be fetched from https:\/\/127\.0\.0\.1:1\/x branch master: git: exit code 128/,
      );
      assert.doesNotMatch(String(error.stack), /canary/);
      return true;
    });
  });

  it('is given up at once when the work is cancelled', async () => {
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'git'), '#!/bin/sh\nexec sleep 100\n', { mode: 0o755 });
    const stop = new AbortController();
    const fetched = repositoryAt('https://host.invalid/x', 'master', {
      PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    }).fetch(work, stop.signal);
    stop.abort();
    await assert.rejects(fetched, { name: 'AbortError' });
  });

  it('without a git program is a matter for a person', async () => {
    await failsWith(
      repositoryAt('https://host.invalid/x', 'master', { PATH: directory }).fetch(work, never),
      /no such program/,
    );
  });
});

describe('the built-in site', () => {
  const page = (policy: string): string =>
    `<meta http-equiv="Content-Security-Policy" content="${policy}" /><p>site</p>`;
  const addresses = { dataset: 'https://data.example:8333/bucket/', prefix: 'v7/', webUi: null, namespace: 'default' };
  const built = (website: Record<string, string>): string => {
    const root = join(directory, 'built');
    writeWebsite(root, website);
    return root;
  };
  const again = async (source: WebsiteSource): Promise<FetchedWebsite> => {
    rmSync(join(work, 'website'), { recursive: true, force: true });
    return source.fetch(work, never);
  };

  it('is told where the data set is, and its pages may connect to nothing else', async () => {
    const policy = "default-src 'none'; connect-src 'self'; base-uri 'none'";
    const files = { 'index.html': page(policy), 'evo.html': page(policy), 'app.js': "connect-src 'self'" };
    const root = built(files);
    const fetched = contents(await builtInSite(addresses, root).fetch(work, never));
    const rendered = page("default-src 'none'; connect-src 'self' https://data.example:8333; base-uri 'none'");
    assert.deepEqual(
      { ...fetched, 'config.json': JSON.parse(fetched['config.json'] ?? '') as unknown },
      {
        'index.html': rendered,
        'evo.html': rendered,
        'app.js': files['app.js'],
        'config.json': { format: 1, dataset: addresses.dataset, prefix: 'v7/', webUi: null, namespace: 'default' },
      },
    );
    assert.equal(readFileSync(join(root, 'index.html'), 'utf8'), files['index.html'], 'what was built stays');
  });

  it('has a revision of its own for each address, so that a new one is published', async () => {
    const root = built({ 'index.html': page("connect-src 'self'") });
    const here = await again(builtInSite(addresses, root));
    assert.equal((await again(builtInSite(addresses, root))).revision, here.revision);
    const elsewhere = { ...addresses, prefix: 'v8/' };
    assert.notEqual((await again(builtInSite(elsewhere, root))).revision, here.revision);
  });

  it('that was never built, or has a page without its policy, names the command that builds it', async () => {
    const missing = builtInSite(addresses, join(directory, 'nowhere'));
    await failsWith(again(missing), /nowhere cannot be read: .*; build the site with npm run website:build/);
    const bare = builtInSite(addresses, built({ 'index.html': '<p>site</p>' }));
    await failsWith(again(bare), /page without the policy that it needs: build it again with npm run website:build/);
  });
});

/** The built site: small, whole, and built again only when something of it has changed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const SITE = resolve('dist', 'website');
const read = (name: string): Buffer => readFileSync(join(SITE, name));
const { ensureWebsite } = (await import(pathToFileURL(resolve('scripts', 'website.mjs')).href)) as {
  ensureWebsite: (root: string, runtime: string) => Promise<void>;
};

describe('the built site', () => {
  it('has at most 80 kB of scripts in all, as they are sent', () => {
    const scripts = readdirSync(SITE).filter((name) => name.endsWith('.js'));
    assert.deepEqual(scripts.toSorted(), ['app.js', 'start.js', 'worker.js']);
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(read(name), { level: 6 }).length, 0);
    assert.ok(bytes <= 80_000, `${bytes} bytes`);
  });

  it('has pages without any inline script or style, at the former addresses too', () => {
    const page = read('index.html').toString();
    for (const name of ['dist.html', 'evo.html']) assert.equal(read(name).toString(), page);
    assert.doesNotMatch(page, /<style|style=|<script(?![^>]* src=)|\son\w+=/);
    assert.match(page, /http-equiv="Content-Security-Policy"/);
  });

  it('names each file by its content, so that no cache answers with another one', () => {
    const address = (name: string): string =>
      `${name}?v=${createHash('sha256').update(read(name)).digest('hex').slice(0, 10)}`;
    const page = read('index.html').toString();
    assert.ok(
      ['start.js', 'app.js', 'app.css'].every((name) => page.includes(address(name))),
      page,
    );
    assert.ok(read('app.js').toString().includes(address('start.js')));
    assert.ok(read('start.js').toString().includes(address('worker.js')));
  });

  it('is built again when a source has changed, and only then', async () => {
    const root = mkdtempSync(join(tmpdir(), 'website-'));
    try {
      for (const part of ['website', 'package.json', join('dist', 'website'), join('dist', 'website.sources')])
        cpSync(part, join(root, part), { recursive: true });
      symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
      // Whatever is started in its place fails, which shows that a build was begun.
      await ensureWebsite(root, '/bin/false');
      writeFileSync(join(root, 'website', 'page', 'styles.css'), 'body{}');
      await assert.rejects(ensureWebsite(root, '/bin/false'), /The website cannot be built \(exit code 1\)/);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

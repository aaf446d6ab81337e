/** A deployment that names no website publishes the built-in one, which a browser opens from the object store. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { findBrowser } from '../browser/find-browser.ts';
import { Deployment } from './deployment.ts';

let deployment: Deployment;
let site: string;

before(async () => {
  deployment = await Deployment.start({});
  deployment.startProcess('worker');
  site = `${deployment.stack.links.s3}/telemetry.mozilla.org`;
});
after(() => deployment.stop());

async function publish(): Promise<{ outcome: string; source: string; uploaded: number }> {
  const { code, stdout, stderr } = await deployment.telemetry('website', 'publish', '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as { outcome: string; source: string; uploaded: number };
}

describe('a deployment without a website of its own', () => {
  it('publishes the built-in site, once', async () => {
    const first = await publish();
    assert.deepEqual([first.outcome, first.source], ['published', 'the built-in site']);
    assert.equal((await publish()).outcome, 'unchanged');
  });

  it('tells it where the data set is, as browsers reach it', async () => {
    const answer = await fetch(`${site}/config.json`);
    const { dataset, prefix } = (await answer.json()) as { dataset: string; prefix: string };
    assert.equal(dataset + prefix, deployment.stack.links.dataset);
    assert.equal((await fetch(`${dataset}${prefix}versions.json`)).status, 200);
    const page = await (await fetch(`${site}/index.html`)).text();
    assert.ok(page.includes(`connect-src 'self' ${deployment.stack.links.s3};`), page);
  });

  it('has a page that says that nothing is published yet, without a fault', async (test) => {
    const executablePath = findBrowser();
    if (executablePath === undefined) {
      test.skip('no browser: install Chromium (apt-get install chromium), or set TELEMETRY_TEST_BROWSER');
      return;
    }
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', ({ message }) => problems.push(message));
      page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
      await page.goto(`${site}/index.html`);
      await page.getByRole('heading', { name: 'Nothing is published yet' }).waitFor();
      await page.goto(`${site}/index.html#/status`);
      await page.getByRole('heading', { name: /data set/ }).waitFor();
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
    }
  });
});

/** What the page may do, and what names of strangers must not be able to do (docs/security.md T17). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOSTILE } from '../fakes/generated-data-set.ts';
import { skip, withBrowser } from './browser.ts';

const browser = withBrowser();

describe('the page', { skip }, () => {
  it('has a policy without any unsafe part, which nothing of it breaks, and asks no other origin', async () => {
    for (const view of ['#/explore?m=GC_MS&s=nightly/28&s=nightly/27', '#/changes', '#/status']) {
      const { page, problems, requests } = await browser.open(view);
      const policy = (await page.locator('meta[http-equiv]').getAttribute('content')) ?? '';
      assert.match(policy, /^default-src 'none'; script-src 'self'; /);
      assert.doesNotMatch(policy, /unsafe|\*/);
      assert.deepEqual(problems, []);
      const { origin } = new URL(browser.site.address);
      assert.deepEqual(
        requests.filter((address) => !address.startsWith(origin) && !address.startsWith('data:,')),
        [],
      );
    }
  });

  it('runs no inline script, whoever put it there', async () => {
    const { page, problems } = await browser.open('#/status');
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "owned"';
      document.body.append(script);
    });
    assert.notEqual(await page.title(), 'owned');
    assert.match(problems.join(), /Content Security Policy/);
  });

  it('shows hostile names as they are, wherever they come from', async () => {
    const name = encodeURIComponent(HOSTILE);
    const segment = encodeURIComponent(name);
    for (const address of [
      '#/changes',
      `#/explore?m=${name}&s=nightly/28`,
      `#/explore?m=GC_MS&s=${name}`,
      `#/explore?m=GC_MS&s=nightly/28|///${segment}`,
      `#/changes?id=${name}&text=${name}`,
      `#!nightly/28/${name}/${name}`,
    ]) {
      const { page, problems } = await browser.open(address);
      await page.waitForFunction((text) => document.body.textContent.includes(text), HOSTILE);
      assert.equal(await page.locator('img, iframe, object, [onerror]').count(), 0, address);
      assert.doesNotMatch(await page.title(), /^owned/);
      assert.deepEqual(problems, [], address);
    }
  });

  it('links only to http addresses, whatever the data says', async () => {
    const { page } = await browser.open('#/changes');
    const links = await page.locator('a').evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).protocol));
    assert.deepEqual([...new Set(links)], ['http:']);
  });

  it('says what is wrong when the data set cannot be read, and tries again', async () => {
    browser.data.absent.add('versions.json');
    const { page } = await browser.open('');
    assert.match(await page.locator('[role=alert]').innerText(), /The data set has no versions\.json/);
    browser.data.absent.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('.figures');
  });
});

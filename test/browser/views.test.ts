/** Changes and status, and what holds for every view: readable by all, on every screen, in light and dark. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import axe from 'axe-core';
import { settled, skip, texts, withBrowser } from './browser.ts';

const browser = withBrowser();
const COMPARED = '#/explore?m=GC_MS&s=nightly/28&s=nightly/27&ref=20131010&show=p5,p50,p95';
const VIEWS: readonly (readonly [string, string])[] = [
  ['explore', COMPARED],
  ['answers', '#/explore?m=GC_INCREMENTAL_DISABLED&s=nightly/28'],
  ['nothing', '#/explore?m=NO_SUCH&s=nightly/28'],
  ['changes', '#/changes'],
  ['one change', '#/changes?id=nightly/28/GC_MS/by-build-date/20131018'],
  ['status', '#/status'],
];

describe('changes', { skip }, () => {
  it('are listed, filtered, have an address each, and lead to explore', async () => {
    const { page, problems } = await browser.open('#/changes');
    assert.equal((await texts(page, '.card')).length, 4);
    await page.fill('input[type=search]', 'cycle');
    assert.deepEqual(await texts(page, '.card h2 a'), ['CYCLE_COLLECTOR']);
    assert.match(page.url(), /#\/changes\?text=cycle$/);
    await page.fill('input[type=search]', '');
    await page.selectOption('label:has-text("Kind") select', 'silence');
    assert.match((await texts(page, '.card')).join(), /^silence .* nightly\/26 .* fallen silent/);
    await page.selectOption('label:has-text("Kind") select', 'step');
    await page.click('.card h2 a');
    await page.waitForURL(/id=nightly\/28\/GC_MS\/by-build-date\/20131018/);
    await page.reload();
    await settled(page);
    assert.deepEqual(await texts(page, '.card h2 a'), ['GC_MS']);
    await page.click('.card .links a');
    await settled(page);
    await page.waitForSelector('.figures');
    assert.deepEqual(await texts(page, '.figures tbody th'), ['11 to 17 Oct 2013', '18 to 20 Oct 2013']);
    assert.match((await texts(page, '.figures tbody tr'))[1] ?? '', /\+2\d\.\d+ ×1\.4\d .* certain/);
    assert.deepEqual(problems, []);
  });

  it('lead to the part where most of them is', async () => {
    const { page, problems } = await browser.open('#/changes');
    await page.click('text=Explore saved_session · Firefox · Darwin');
    await settled(page);
    assert.match(decodeURIComponent(page.url()), /saved_session\/Firefox\/Darwin/);
    await page.waitForSelector('.figures');
    assert.deepEqual(problems, []);
  });

  it('say that nothing has been compared, or that one is gone', async () => {
    browser.data.absent.add('changes.json');
    const none = await browser.open('#/changes');
    assert.match(await none.page.locator('main').innerText(), /Nothing has been compared yet/);
    browser.data.absent.clear();
    const gone = await browser.open('#/changes?id=no-such');
    assert.match(await gone.page.locator('main').innerText(), /no longer in the list: no-such/);
  });
});

describe('status', { skip }, () => {
  it('turns red by itself when the writer stops', async () => {
    const { page } = await browser.open('#/status');
    assert.match(
      await page.locator('.verdict').innerText(),
      /The data set is fresh\s+Last publication 1\d minutes ago/,
    );
    await page.clock.install();
    await page.reload();
    await settled(page);
    await page.clock.fastForward('51:00:00');
    await page.waitForSelector('.verdict.stale');
    assert.match(await page.locator('.verdict').innerText(), /its writer has stopped/);
  });

  it('has the 30 days up to the newest, links to runs, and missing files', async () => {
    const { page } = await browser.open('#/status');
    assert.equal(await page.locator('.calendar li').count(), 30);
    assert.match(await page.locator('#calendar-title').innerText(), /^30 days up to the newest, .*20\d\d/);
    assert.equal(await page.locator('.calendar .none').count(), 1);
    const link = await page.locator('td a').first().getAttribute('href');
    assert.match(
      decodeURIComponent(link ?? ''),
      /^http:\/\/127\.0\.0\.1:1\/namespaces\/default\/workflows\?query=AnalysisRun="0193c5a1-[\da-f-]+"$/,
    );
    assert.match(await page.locator('td.unsure small').first().innerText(), /^corrupt \d+$/);
    assert.match(await page.locator('.facts').innerText(), /Files missing\s+12/);
  });

  it('without status.json says that its age is unknown', async () => {
    browser.data.absent.add('status.json');
    const { page } = await browser.open('#/status');
    assert.match(await page.locator('main').innerText(), /age of the data set is unknown/);
    browser.data.absent.clear();
  });
});

describe('every view', { skip }, () => {
  for (const [name, address] of VIEWS)
    for (const dark of [false, true])
      it(`${name}: no barrier that axe-core knows of, ${dark ? 'dark' : 'light'}`, async () => {
        const { page } = await browser.open(address, { dark });
        await page.evaluate(axe.source);
        const violations = await page.evaluate(async () => {
          const { violations: found } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
          return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`);
        });
        assert.deepEqual(violations, []);
      });

  it('fits 360 pixels: nothing is cut off or needs scrolling sideways', async () => {
    for (const [name, address] of VIEWS) {
      const { page } = await browser.open(address, { width: 360, height: 800 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${name}: ${width}`);
    }
  });

  it('moves nothing while it loads', async () => {
    for (const [name, address] of VIEWS) {
      const { page } = await browser.open(address);
      await page.waitForTimeout(300);
      const shift = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
            }).observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => {
              resolve(sum);
            }, 50);
          }),
      );
      assert.ok(shift < 0.01, `${name}: ${shift}`);
    }
  });

  it('can be switched to dark and stays so', async () => {
    const { page } = await browser.open('#/status');
    await page.getByRole('button', { name: 'Change to dark colours' }).click();
    await page.reload();
    await settled(page);
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('nav').isVisible(), false);
  });
});

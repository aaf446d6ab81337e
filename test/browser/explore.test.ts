/** Explore as a person uses it: search, choose, filter, compare, zoom, share, save; with the mouse and without. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { settled, skip, texts, withBrowser } from './browser.ts';

const browser = withBrowser();

async function figures(page: Page): Promise<string[]> {
  return texts(page, '.figures tbody tr');
}

/** Whether anything but one colour is drawn. */
async function isDrawn(page: Page, selector: string): Promise<boolean> {
  return page
    .locator(selector)
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size > 10;
    });
}

describe('explore', { skip }, () => {
  it('opens with a measure that people know, in three views', async () => {
    const { page, problems } = await browser.open('');
    assert.equal(await page.locator('h1').innerText(), 'GC_MS');
    assert.deepEqual(await texts(page, '.panel h2'), ['Distribution', 'Evolution', 'Over time']);
    for (const panel of ['distribution', 'evolution', 'heat'])
      assert.equal(await isDrawn(page, `.panel-${panel} canvas`), true, panel);
    assert.match((await figures(page))[0] ?? '', /^nightly\/28 151,092 /);
    assert.deepEqual(problems, []);
  });

  it('draws the first picture from the summary, before the whole file', async () => {
    const { requests } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    const summary = requests.findIndex((address) => address.includes('/_summary-0.json'));
    const whole = requests.findIndex((address) => address.includes('/GC_MS-by-build-date.json'));
    assert.ok(summary >= 0 && (whole < 0 || summary < whole), requests.join('\n'));
  });

  it('shows folders without index and summaries just the same', async () => {
    const { page } = await browser.open('#/explore?m=GC_MS&s=beta/26');
    assert.match((await figures(page))[0] ?? '', /^beta\/26 151,092 /);
  });

  it('finds a measure by parts of its description, with counts', async () => {
    const { page } = await browser.open('');
    await page.fill('#measure', 'tab pict');
    const [first = ''] = await texts(page, '#measures li');
    assert.match(first, /^FX_TAB_SWITCH_MS .* to its picture \(ms\) 1\d\d(?:\.\d)?K exponential$/);
    await page.click('#measures li');
    await settled(page);
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'FX_TAB_SWITCH_MS');
    await page.fill('#measure', 'zzzz');
    assert.deepEqual(await texts(page, '#measures li'), ['No measure matches “zzzz”.']);
  });

  it('filters by any level, with counts, and says why there is nothing', async () => {
    const { page } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    const system = page
      .locator('label', { hasText: /^System/ })
      .first()
      .locator('select');
    await page.waitForFunction(
      () => document.querySelectorAll('.series-editor select')[3]?.querySelectorAll('option').length === 5,
    );
    const option = await system.locator('option', { hasText: 'Linux' }).innerText();
    const submissions = /\(([\d,]+)\)/.exec(option)?.[1];
    await system.selectOption({ label: option });
    await page.waitForFunction(
      (text) => document.querySelector('.figures tbody')?.textContent.includes(text ?? '?'),
      submissions,
    );
    assert.match(page.url(), /s=nightly\/28%7C\/\/Linux$/);
    const empty = await browser.open('#/explore?m=GC_MS&s=nightly/28|//BeOS&s=nightly/99&s=nightly/27&dates=20200101-');
    assert.deepEqual(await texts(empty.page, '.why'), [
      'nightly/28 has no submissions of BeOS.',
      'The data set has no nightly/99. It may not have been published yet, or it has left the data set.',
      'No build date of nightly/27 is within the chosen dates; it has 40 others.',
    ]);
  });

  it('compares 8 series with the first one, and says how sure it is', async () => {
    const { page, problems } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    await page.getByRole('button', { name: '+ versions' }).click();
    await settled(page);
    await page.getByRole('button', { name: '+ channels' }).click();
    await settled(page);
    await page.locator('.series-name').first().click();
    await page.getByRole('button', { name: '+ systems' }).click();
    await settled(page);
    await page.waitForFunction(() => document.querySelectorAll('.figures tbody tr').length === 8);
    const rows = await figures(page);
    assert.match(rows[0] ?? '', /baseline/);
    assert.match(
      rows[1] ?? '',
      /^nightly\/27.* −?\+?[\d.]+ ×[\d.]+ .* to .* (?:certain|unsure) [\d.]+ % (?:differs|alike)$/,
    );
    assert.equal(await page.getByRole('button', { name: '+ Add' }).isDisabled(), true);
    for (const way of ['Difference', 'Ratio']) {
      await page.getByRole('button', { name: way }).click();
      assert.equal(await isDrawn(page, '.panel-evolution canvas'), true);
    }
    assert.match(page.url(), /vs=ratio/);
    assert.deepEqual(problems, []);
  });

  it('dragging over the evolution chooses dates, which can be zoomed to and reset', async () => {
    const { page } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    const before = await figures(page);
    const box = await page.locator('.evolution').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 120, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 260, box.y + 120, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/dates=2013\d{4}-2013\d{4}/);
    assert.notDeepEqual(await figures(page), before);
    await page.getByRole('button', { name: 'Zoom' }).click();
    await page.waitForURL(/zoom=1/);
    const dates = Number(await page.locator('.evolution').getAttribute('aria-valuemax')) + 1;
    assert.ok(dates > 2 && dates < 40, String(dates));
    await page.getByRole('button', { name: 'All dates' }).click();
    await page.waitForFunction(() => !location.hash.includes('dates='));
    assert.deepEqual(await figures(page), before);
  });

  it('has everything in the address: it survives a reload, and steps back', async () => {
    const { page } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    await page.selectOption('.dates label:has-text("Reference date") select', '20131010');
    await page.getByRole('button', { name: 'Cumulative' }).click();
    await page.getByRole('button', { name: 'Submission' }).click();
    await settled(page);
    const [address, rows] = [page.url(), await figures(page)];
    await page.getByRole('button', { name: 'Copy link' }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
    await page.reload();
    await settled(page);
    assert.deepEqual(await figures(page), rows);
    await page.goBack();
    await settled(page);
    assert.equal(await page.getByRole('button', { name: 'Build' }).getAttribute('aria-pressed'), 'true');
  });

  it('opens what an address of the former pages meant', async () => {
    const { page } = await browser.open(
      'evo.html#!max_channel_version=nightly%252F28&measure=CYCLE_COLLECTOR&min_channel_version=nightly%252F27&os=WINNT&use_submission_date=1',
    );
    assert.equal(await page.locator('h1').innerText(), 'CYCLE_COLLECTOR');
    assert.deepEqual((await texts(page, '.series-name')).toSorted(), ['nightly/27 · WINNT', 'nightly/28 · WINNT']);
    assert.match(await page.locator('.measure-side .note').innerText(), /^WINNT, all dates, by submission date$/);
  });

  it('saves what it shows as CSV, JSON and PNG', async () => {
    const { page } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    const save = async (panel: string, kind: string): Promise<{ name: string; body: Buffer }> => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator(`.panel-${panel}`).getByRole('button', { name: kind }).click(),
      ]);
      return { name: download.suggestedFilename(), body: await readFile(await download.path()) };
    };
    const csv = await save('distribution', 'CSV');
    assert.equal(csv.name, 'GC_MS-nightly-28-distribution.csv');
    const lines = csv.body.toString().trim().split('\r\n');
    assert.equal(lines.length, 51);
    assert.match(lines[0] ?? '', /^bucket,from,below,nightly\/28: samples,/);
    const json = JSON.parse((await save('evolution', 'JSON')).body.toString()) as Record<string, unknown>[];
    assert.deepEqual(
      [json.length, json[0]?.['date'], typeof json[0]?.['nightly/28: median']],
      [40, '20 Sept 2013', 'number'],
    );
    const png = await save('heat', 'PNG');
    assert.equal(png.body.subarray(1, 4).toString(), 'PNG');
    assert.ok(png.body.length > 5000);
  });

  it('shows exact bounds and counts in a table', async () => {
    const { page } = await browser.open('#/explore?m=HTTP_SCHEME&s=nightly/28');
    await page.locator('.panel-distribution summary').click();
    await page.locator('.panel-distribution tbody tr', { hasText: 'https' }).first().waitFor();
    const rows = await texts(page, '.panel-distribution tbody tr');
    assert.match(rows[0] ?? '', /^http 0 1 [\d,]+ 0\.\d+ 0\.\d+$/);
    assert.match(rows[1] ?? '', /^https 1 2 /);
  });

  it('works with the keyboard alone', async () => {
    const { page } = await browser.open('#/explore?m=GC_MS&s=nightly/28');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip');
    await page.focus('#measure');
    await page.keyboard.type('cycle');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'CYCLE_COLLECTOR');
    await settled(page);
    const slider = page.getByRole('slider', { name: /Evolution/ });
    await slider.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /^28 Oct 2013, median [\d.]+/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/ref=20131028/);
    const buckets = page.getByRole('slider', { name: /Distribution/ });
    await buckets.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    assert.match((await buckets.getAttribute('aria-valuetext')) ?? '', /^\d+ to \d+, nightly\/28 [\d.]+ % \([\d,]+\)$/);
    const dates = page.getByRole('slider', { name: /Density/ });
    await dates.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.waitForURL(/dates=20130920-20130920/);
  });
});

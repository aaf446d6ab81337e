/**
 * The page on a busy folder of the original: 1,200 measures, 328 filter leaves on 45 dates. First picture, another
 * measure, another filter, in Chromium on loopback; the median of `--runs=10` runs each, each in a new context.
 */
import { chromium, type Page } from 'playwright-core';
import { findBrowser } from '../test/browser/find-browser.ts';
import { GeneratedDataSet, LARGE } from '../test/fakes/generated-data-set.ts';
import { SiteServer } from '../test/fakes/site-server.ts';

const RUNS = Number(/--runs=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 10);
const FOLDER = '20131120120000-28-nightly';
const WANTED: readonly (readonly [string, number])[] = [
  ['first picture', 500],
  ['another measure', 250],
  ['another filter', 100],
];

/** A new window loads pages of the browser's own in its first second, on the cores that are measured. */
const QUIET = '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup';

/** What the page is watched with. */
interface Watched {
  readonly firstPicture: number | undefined;
  readonly hasOptions: () => boolean;
  readonly changed: (hash: string) => Promise<number>;
}

/** Runs in the page, before its own scripts. */
const WATCH = `
  globalThis.firstPicture = undefined;
  globalThis.figures = () => document.querySelector('.figures tbody')?.textContent ?? '';
  globalThis.isIdle = () => document.querySelector('[aria-busy=true]') === null;
  globalThis.hasOptions = () => (document.querySelectorAll('.series-editor select')[3]?.querySelectorAll('option').length ?? 0) > 1;
  globalThis.look = (isThere, then) => requestAnimationFrame(() => (isThere() ? then(performance.now()) : look(isThere, then)));
  look(() => figures() !== '' && isIdle(), (now) => (firstPicture = now));
  globalThis.changed = (hash) =>
    new Promise((resolve) => {
      const [before, startedAt] = [figures(), performance.now()];
      location.hash = hash;
      look(() => figures() !== before && isIdle(), (now) => resolve(now - startedAt));
    });
`;

const executablePath = findBrowser();
if (executablePath === undefined) {
  process.stdout.write('skipped: no browser; install Chromium, or set TELEMETRY_TEST_BROWSER\n');
} else {
  const data = new GeneratedDataSet(LARGE);
  const [first, other] = ['GC_MS', 'CYCLE_COLLECTOR'].map((name) => `${FOLDER}/${name}-by-build-date.json`);
  // What is generated on the first request would be measured otherwise.
  const made = ['_measures.json', '_summary-0.json', '_summary-1.json', 'histograms.json', 'filter-tree.json'];
  for (const file of [first ?? '', other ?? '', ...made.map((name) => `${FOLDER}/${name}`)]) data.file(file);
  const site = await SiteServer.start(data);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', QUIET] });
  const times: number[][] = WANTED.map(() => []);
  try {
    for (let run = 0; run < RUNS; run += 1) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const steps = await oneRun(await context.newPage(), site.address);
      for (const [place, time] of steps.entries()) times[place]?.push(time);
      await context.close();
    }
  } finally {
    await browser.close();
    await site.stop();
  }
  for (const [place, [name, wanted]] of WANTED.entries())
    process.stdout.write(
      `${name.padEnd(16)} ${median(times[place] ?? [])
        .toFixed(0)
        .padStart(5)} ms   (wanted: below ${wanted} ms)\n`,
    );
}

/** Milliseconds of each step, measured in the page by the frame that shows it. */
async function oneRun(page: Page, address: string): Promise<number[]> {
  await page.addInitScript(WATCH);
  await page.goto(`${address}/index.html#/explore?m=GC_MS&s=nightly/28`);
  await page.waitForFunction(() => {
    const { firstPicture, hasOptions } = globalThis as unknown as Watched;
    return firstPicture !== undefined && hasOptions();
  });
  const first = await page.evaluate(() => (globalThis as unknown as Watched).firstPicture ?? Number.NaN);
  const filtered = await changed(page, '#/explore?m=GC_MS&s=nightly/28|//Linux');
  const measured = await changed(page, '#/explore?m=CYCLE_COLLECTOR&s=nightly/28');
  return [first, measured, filtered];
}

/** From the change of the address to the frame that shows other figures. */
function changed(page: Page, hash: string): Promise<number> {
  return page.evaluate((next) => (globalThis as unknown as Watched).changed(next), hash);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

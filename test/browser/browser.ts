/** A real browser for tests: Chromium of this machine, driven over its own protocol, without any request of its own. */
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { GeneratedDataSet } from '../fakes/generated-data-set.ts';
import { SiteServer } from '../fakes/site-server.ts';
import { findBrowser } from './find-browser.ts';

const QUIET = ['quic', 'gpu', 'background-networking', 'component-update', 'sync'].map((name) => `--disable-${name}`);

const program = findBrowser();
/** Of every test that needs it. */
export const skip =
  program === undefined && 'no browser: install Chromium (apt-get install chromium), or set TELEMETRY_TEST_BROWSER';

export interface OpenOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** For pages that are looked at before they have settled. */
  readonly waits?: boolean;
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors of scripts, and what the console says of the page's policy. */
  readonly problems: readonly string[];
  /** Addresses of every request, of the worker too. */
  readonly requests: readonly string[];
}

export class TestBrowser {
  readonly data = new GeneratedDataSet();
  #site: SiteServer | undefined;
  #browser: Browser | undefined;

  get site(): SiteServer {
    assert.ok(this.#site);
    return this.#site;
  }

  async start(): Promise<void> {
    this.#site = await SiteServer.start(this.data);
    this.#browser = await chromium.launch({
      executablePath: program ?? '',
      args: ['--no-sandbox', '--no-first-run', ...QUIET],
    });
  }

  /** Pages that nobody looks at any more would slow down those that come. */
  async closePages(): Promise<void> {
    await Promise.all((this.#browser?.contexts() ?? []).map((context) => context.close()));
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#site?.stop();
  }

  /** @param address behind the site's, such as `#/status` */
  async open(address: string, options: OpenOptions = {}): Promise<OpenedPage> {
    const { width = 1280, height = 900, dark = false, waits = true } = options;
    assert.ok(this.#browser);
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const [problems, requests]: string[][] = [[], []];
    page.on('pageerror', (error) => problems?.push(error.message));
    page.on('console', (message) => {
      // A file that is not there is no problem of the page.
      if (message.type() === 'error' && !message.text().includes('status of 403')) problems?.push(message.text());
    });
    context.on('request', (request) => requests?.push(request.url()));
    await page.goto(`${this.site.address}/${address.startsWith('#') ? 'index.html' : ''}${address}`);
    if (waits) await settled(page);
    return { page, problems: problems ?? [], requests: requests ?? [] };
  }
}

/** Until everything that was asked for is drawn. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main h1');
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
}

/** A browser and a site for the tests of a file. */
export function withBrowser(): TestBrowser {
  const browser = new TestBrowser();
  if (skip === false) {
    before(() => browser.start());
    afterEach(() => browser.closePages());
    after(() => browser.stop());
  }
  return browser;
}

/** Text of all elements, without what is hidden. */
export async function texts(page: Page, selector: string): Promise<string[]> {
  return (await page.locator(selector).allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
}

/** A worker of a checkout takes a kept workflow bundle exactly while nothing has changed that it is made of. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { keptBundle } from '../../src/workflow-bundle.ts';

const INSTALLED = 'node_modules/.package-lock.json';
const KEPT = '.local/cache/workflows';

let root: string;
let bundles: number;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'workflow-bundle-'));
  bundles = 0;
  await write('src/workflows/index.ts', "export * from './daily.ts';");
  await write('src/workflows/daily.ts', 'one');
  await write(INSTALLED, '{"@temporalio/workflow": "1.24.0"}');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

/** Stands for Temporal's bundler: its code is different whenever it is called. */
async function bundle(): Promise<string> {
  bundles += 1;
  return `bundle ${bundles}`;
}

const start = (): Promise<string> => keptBundle(root, bundle);

describe('the workflow bundle of a checkout', () => {
  it('is made once for all starts on the same sources and packages', async () => {
    assert.deepEqual([await start(), await start(), await start()], ['bundle 1', 'bundle 1', 'bundle 1']);
    assert.equal(bundles, 1);
  });

  const changes: readonly (readonly [what: string, change: () => Promise<void>])[] = [
    ['a source has changed', () => write('src/workflows/daily.ts', 'two')],
    ['a source has changed and kept its length', () => write('src/workflows/daily.ts', 'eno')],
    ['a rule that workflows import has changed', () => write('src/pipeline/rule.ts', 'two')],
    ['a source is new', () => write('src/workflows/new.ts', '')],
    ['a source is gone', () => rm(join(root, 'src/workflows/daily.ts'))],
    [
      'a source has another name',
      () => rename(join(root, 'src/workflows/daily.ts'), join(root, 'src/workflows/weekly.ts')),
    ],
    [
      'text has moved from the end of one source to the start of the next',
      async () => {
        await write('src/workflows/daily.ts', `one${await read('src/workflows/index.ts')}`);
        await write('src/workflows/index.ts', '');
      },
    ],
    ['another release of a package is installed', () => write(INSTALLED, '{"@temporalio/workflow": "1.25.0"}')],
  ];
  for (const [what, change] of changes) {
    it(`is made again when ${what}`, async () => {
      await write('src/pipeline/rule.ts', 'one');
      assert.equal(await start(), 'bundle 1');
      await change();
      assert.deepEqual([await start(), await start()], ['bundle 2', 'bundle 2']);
    });
  }

  it('is the old one again when a change is taken back', async () => {
    await start();
    await write('src/workflows/daily.ts', 'two');
    await start();
    await write('src/workflows/daily.ts', 'one');
    assert.equal(await start(), 'bundle 1');
  });

  it('is not kept when a source changes while it is made', async () => {
    const changing = async (): Promise<string> => {
      await write('src/workflows/daily.ts', 'two');
      return 'of which sources?';
    };
    assert.equal(await keptBundle(root, changing), 'of which sources?');
    await write('src/workflows/daily.ts', 'one');
    assert.equal(await start(), 'bundle 1');
  });

  it('is whole for each of many workers that start at the same moment', async () => {
    const long = 'x'.repeat(4 << 20);
    // More than are kept, all of them begun before the first one ends.
    const starts = Array.from({ length: 12 }, () => keptBundle(root, async () => long));
    for (const code of await Promise.all(starts)) assert.ok(code === long);
    assert.equal((await readdir(join(root, KEPT))).length, 1);
    assert.ok((await start()) === long);
  });

  it('is made at each start where it cannot be kept, or nobody knows what is installed', async () => {
    await write('.local', 'not a folder');
    assert.deepEqual([await start(), await start()], ['bundle 1', 'bundle 2']);
    await rm(join(root, '.local'));
    await rm(join(root, INSTALLED));
    assert.deepEqual([await start(), await start()], ['bundle 3', 'bundle 4']);
  });

  it('does not fill the disk: those of the last five states are kept', async () => {
    for (let state = 0; state < 8; state += 1) {
      await write('src/workflows/daily.ts', String(state));
      await start();
    }
    assert.equal((await readdir(join(root, KEPT))).length, 5);
    assert.equal(await start(), 'bundle 8');
  });
});

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runToEnd } from '../system/deployment.ts';

let project: string;
const MODULES = ['merge', 'aggregate', 'render', 'lzma'].map((name) => `dist/kernels/${name}.wasm`);

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'kernels-'));
  await mkdir(join(project, 'scripts'));
  await cp('scripts/kernels.mjs', join(project, 'scripts/kernels.mjs'));
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  await symlink(resolve('node_modules'), join(project, 'node_modules'));
  await source('export function answer(): i32 {\n  return 41;\n}\n');
  for (const kernel of ['aggregate', 'render', 'lzma'])
    await source(
      "import { answer } from '../merge/index';\nexport function more(): i32 {\n  return answer() + 1;\n}\n",
      kernel,
    );
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function source(text: string, kernel = 'merge'): Promise<void> {
  await mkdir(join(project, 'src/kernels', kernel), { recursive: true });
  await writeFile(join(project, 'src/kernels', kernel, 'index.ts'), text);
}

const compile = () => runToEnd(process.execPath, [join(project, 'scripts/kernels.mjs')], process.env);
const compiled = (): Promise<Buffer[]> => Promise.all(MODULES.map((module) => readFile(join(project, module))));
const times = (): Promise<number[]> =>
  Promise.all(MODULES.map(async (module) => (await stat(join(project, module))).mtimeMs));

describe('kernels', () => {
  it('are compiled once, and again when a source has changed', async () => {
    assert.match((await compile()).stderr, /kernels compiled: dist.kernels/);
    const [first, made] = [await compiled(), await times()];
    assert.equal((await compile()).stderr, '');
    assert.deepEqual(await times(), made);
    await source('export function answer(): i32 {\n  return 42;\n}\n');
    assert.equal((await compile()).code, 0);
    // One kernel uses the sources of the other.
    for (const [index, module] of (await compiled()).entries()) assert.notDeepEqual(module, first[index]);
  });

  it('are whole when several starts compile them at the same moment', async () => {
    const ends = await Promise.all([compile(), compile(), compile()]);
    assert.deepEqual(
      ends.map(({ code }) => code),
      [0, 0, 0],
    );
    assert.deepEqual((await readdir(join(project, 'dist/kernels'))).sort(), [
      'aggregate.wasm',
      'lzma.wasm',
      'merge.wasm',
      'render.wasm',
      'sources',
    ]);
  });

  it('that do not compile leave the earlier ones, and the place of the error is told', async () => {
    await compile();
    const first = await compiled();
    await source('export function answer(): i32 {\n  return 42;\n}\n');
    await source('export function answer(): i32 {\n  return "x";\n}\n', 'aggregate');
    const { code, stderr } = await compile();
    assert.notEqual(code, 0);
    assert.match(stderr, /index\.ts\(2,/);
    assert.deepEqual(await compiled(), first);
  });
});

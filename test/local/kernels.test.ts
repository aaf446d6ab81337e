import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runToEnd } from '../system/deployment.ts';

let project: string;
const MODULE = 'dist/kernels/merge.wasm';

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'kernels-'));
  await mkdir(join(project, 'scripts'));
  await cp('scripts/kernels.mjs', join(project, 'scripts/kernels.mjs'));
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  await symlink(resolve('node_modules'), join(project, 'node_modules'));
  await source('export function answer(): i32 {\n  return 41;\n}\n');
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function source(text: string): Promise<void> {
  await mkdir(join(project, 'src/kernels/merge'), { recursive: true });
  await writeFile(join(project, 'src/kernels/merge/index.ts'), text);
}

const compile = () => runToEnd(process.execPath, [join(project, 'scripts/kernels.mjs')], process.env);
const compiled = (): Promise<Buffer> => readFile(join(project, MODULE));

describe('kernels', () => {
  it('are compiled once, and again when a source has changed', async () => {
    assert.match((await compile()).stderr, /kernels compiled: dist.kernels.merge\.wasm/);
    const [first, made] = [await compiled(), (await stat(join(project, MODULE))).mtimeMs];
    assert.equal((await compile()).stderr, '');
    assert.equal((await stat(join(project, MODULE))).mtimeMs, made);
    await source('export function answer(): i32 {\n  return 42;\n}\n');
    assert.equal((await compile()).code, 0);
    assert.notDeepEqual(await compiled(), first);
  });

  it('are whole when several starts compile them at the same moment', async () => {
    const ends = await Promise.all([compile(), compile(), compile()]);
    assert.deepEqual(
      ends.map(({ code }) => code),
      [0, 0, 0],
    );
    assert.deepEqual((await readdir(join(project, 'dist/kernels'))).sort(), ['merge.wasm', 'merge.wasm.sources']);
  });

  it('that do not compile leave the earlier ones, and the place of the error is told', async () => {
    await compile();
    const first = await compiled();
    await source('export function answer(): i32 {\n  return "x";\n}\n');
    const { code, stderr } = await compile();
    assert.notEqual(code, 0);
    assert.match(stderr, /index\.ts\(2,/);
    assert.deepEqual(await compiled(), first);
  });
});

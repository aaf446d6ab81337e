import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';

let project: string;
let npmCalls: string;

/** A project with the real launcher, a command line that repeats its arguments, and an `npm` that only notes its calls. */
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'launch-'));
  npmCalls = join(project, 'npm-calls');
  await cp('scripts', join(project, 'scripts'), { recursive: true });
  await write('package.json', '{"type":"module"}');
  await write('package-lock.json', '{"packages":{"":{},"node_modules/a":{"version":"1.0.0"}}}');
  await write(
    'local/cli.ts',
    'const args: string[] = process.argv.slice(2);\nconsole.log(args.join(" "));\nprocess.exitCode = Number(args[1] ?? 0);\n',
  );
  await write(
    'bin/npm',
    `#!/bin/sh\necho "start $*" >> '${npmCalls}'\nsleep 0.3\nmkdir -p node_modules/.bin\necho end >> '${npmCalls}'\n`,
  );
  await chmod(join(project, 'bin/npm'), 0o755);
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function write(path: string, content: string): Promise<void> {
  const file = join(project, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function launch(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const path = [join(project, 'bin'), process.env['PATH']].join(delimiter);
  const child = spawn(process.execPath, [join(project, 'scripts/launch.mjs'), ...args], {
    env: { ...process.env, PATH: path, NODE_TEST_CONTEXT: undefined },
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

async function calls(): Promise<string[]> {
  return (await readFile(npmCalls, 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
}

describe('launch', () => {
  it('installs on the first start only, then passes arguments and exit code', async () => {
    const first = await launch('demo', '7');
    assert.match(first.err, /first start: installing the packages/);
    assert.deepEqual([first.code, first.out], [7, 'demo 7\n']);
    assert.deepEqual(await calls(), ['start ci --ignore-scripts --no-audit --no-fund --loglevel=error', 'end']);

    const second = await launch('demo', '0');
    assert.deepEqual([second.code, second.out, second.err], [0, 'demo 0\n', '']);
    assert.equal((await calls()).length, 2);
  });

  it('prepares what the first start would make, after an install only', async () => {
    const notes = join(project, 'notes');
    await write(
      'local/prepare.ts',
      `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(notes)}, 'prepared\\n');\n`,
    );
    for (let start = 0; start < 2; start += 1) {
      const { code, out } = await launch('demo', '0');
      assert.deepEqual([code, out], [0, 'demo 0\n']);
      assert.equal(await readFile(notes, 'utf8'), 'prepared\n');
    }
  });

  it('starts although the preparation fails', async () => {
    await write('local/prepare.ts', 'process.exitCode = 3;\n');
    const { code, out, err } = await launch('demo', '7');
    assert.deepEqual([code, out], [7, 'demo 7\n']);
    assert.match(err, /preparation ended with exit code 3; the first start does its work/);
  });

  it('installs again when package-lock.json has changed', async () => {
    await launch('demo');
    await write('package-lock.json', '{"packages":{"node_modules/a":{"version":"2.0.0"}}}');
    const { err } = await launch('demo');
    assert.match(err, /package-lock.json has changed/);
    assert.equal((await calls()).length, 4);
  });

  it('accepts an install that was made by hand', async () => {
    await write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
    await launch('demo');
    assert.deepEqual(await calls(), []);
  });

  it('installs once when several launches start at the same moment', async () => {
    const all = await Promise.all([launch('demo'), launch('demo'), launch('demo')]);
    assert.deepEqual(
      all.map(({ code }) => code),
      [0, 0, 0],
    );
    assert.equal((await calls()).length, 2);
  });

  it('takes over from a launch that died while installing', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    await write('.local/install-lock/3', `${String(dead.pid)} 12345`);
    const { code, err } = await launch('demo');
    assert.equal(code, 0);
    assert.match(err, /left its install unfinished/);
  });

  it('starts nothing when the install fails', async () => {
    await write('bin/npm', '#!/bin/sh\nexit 9\n');
    const { code, out, err } = await launch('demo');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /npm ci failed with exit code 9/);
  });

  it('never installs into a linked node_modules', async () => {
    await mkdir(join(project, 'elsewhere'));
    await symlink(join(project, 'elsewhere'), join(project, 'node_modules'));
    const { code, err } = await launch('demo');
    assert.equal(code, 1);
    assert.match(err, /node_modules is a link to .*elsewhere/);
    assert.deepEqual(await calls(), []);
  });

  it('runs the tests folder by folder and closes with the counts of all', async () => {
    await write('test/unit/a.test.ts', "import { it } from 'node:test';\nit('a', () => {});\nit.skip('b');\n");
    await write(
      'test/system/b.test.ts',
      "import { it } from 'node:test';\nit('c', () => { throw new Error('no'); });\n",
    );
    const all = await launch('test');
    assert.equal(all.code, 1);
    assert.equal(all.out.trimEnd().split('\n').at(-1), '1 passed, 1 failed, 1 skipped');

    const some = await launch('test', 'test/unit/*.test.ts');
    assert.equal(some.code, 0);
    assert.equal(some.out.trimEnd().split('\n').at(-1), '1 passed, 0 failed, 1 skipped');
  });

  it('fails when there is no test at all', async () => {
    const { code, out } = await launch('test');
    assert.deepEqual([code, out.trim()], [1, '0 passed, 0 failed, 0 skipped']);
  });

  it('stops the command with SIGTERM and reports its exit code', async () => {
    await write(
      'local/cli.ts',
      "process.once('SIGTERM', () => process.exit(5));\nconsole.log('up');\nsetInterval(() => {}, 1000);\n",
    );
    await write('node_modules/.package-lock.json', '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
    const child = spawn(process.execPath, [join(project, 'scripts/launch.mjs'), 'up']);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    await once(child, 'close');
    assert.equal(child.exitCode, 5);
  });
});

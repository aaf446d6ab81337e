import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { keepBuilt, needTool, step } from '../second-services/kept-build.ts';

const DEADLINE_MS = 30_000;

let cache: string;
let target: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kept-build-'));
  target = join(cache, 'program-1.0');
});
afterEach(() => rm(cache, { recursive: true, force: true }));

/** Builds in two steps; with a complaint it stops between them. */
function building(complaint?: string): {
  readonly build: (folder: string) => Promise<void>;
  readonly folders: string[];
} {
  const folders: string[] = [];
  const build = async (folder: string): Promise<void> => {
    folders.push(folder);
    await writeFile(join(folder, 'first'), '1');
    if (complaint !== undefined) throw new Error(complaint);
    await writeFile(join(folder, 'second'), '2');
  };
  return { build, folders };
}

async function withoutLock(): Promise<string[]> {
  return (await readdir(cache)).filter((name) => !name.endsWith('.lock'));
}

describe('keepBuilt', () => {
  it('builds once, whoever else asks meanwhile or later', async () => {
    const { build, folders } = building();
    await Promise.all([1, 2, 3].map(() => keepBuilt({ target, build, deadlineMs: DEADLINE_MS })));
    await keepBuilt({ target, build, deadlineMs: DEADLINE_MS });
    assert.equal(folders.length, 1);
    assert.deepEqual((await readdir(target)).sort(), ['first', 'second']);
  });

  it('leaves nothing of a build that fails, and builds again', async () => {
    const failing = keepBuilt({ target, build: building('registry out of reach').build, deadlineMs: DEADLINE_MS });
    await assert.rejects(failing, /registry out of reach/);
    assert.deepEqual(await withoutLock(), []);
    await keepBuilt({ target, build: building().build, deadlineMs: DEADLINE_MS });
    assert.deepEqual(await withoutLock(), ['program-1.0']);
  });

  it('builds again after a process that was killed over it, and takes its draft away', async () => {
    const program = `
      import { writeFileSync } from 'node:fs';
      import { keepBuilt } from ${JSON.stringify(resolve('test/second-services/kept-build.ts'))};
      await keepBuilt({ target: ${JSON.stringify(target)}, deadlineMs: 1000, build: (folder) => {
        writeFileSync(folder + '/first', '1');
        process.stdout.write('half');
        return new Promise((resolve) => setTimeout(resolve, 60_000));
      } });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const waiting = keepBuilt({ target, build: building().build, deadlineMs: 1 });
    await assert.rejects(waiting, new RegExp(`process ${child.pid ?? 0} is still building`));
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;

    await keepBuilt({ target, build: building().build, deadlineMs: DEADLINE_MS });
    assert.deepEqual(await withoutLock(), ['program-1.0']);
    assert.equal(await readFile(join(target, 'second'), 'utf8'), '2');
  });
});

it('tells a tool that is not on the machine from one that fails', async () => {
  await assert.rejects(needTool('no-such-tool-4711', '--version'), {
    name: 'ToolMissingError',
    message: 'no-such-tool-4711 does not run here (no such program)',
  });
  await needTool(process.execPath, '--version');
  const failing = step(
    process.execPath,
    ['--eval', 'console.log("not found: artifact"); process.exit(3)'],
    DEADLINE_MS,
  );
  await assert.rejects(failing, /exit code 3\nnot found: artifact/);
});

/** `npm test` over a made-up project: what it says of the second services, and what counts. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runProgram } from '../../src/run-program.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'test-runner-'));
  await cp('scripts', join(project, 'scripts'), { recursive: true });
  await write('package.json', '{"type":"module"}');
  await write(
    'run.mjs',
    `import { run } from './scripts/run.mjs';
     import { runTests } from './scripts/tests.mjs';
     const node = (args, more) => run(process.execPath, args, { cwd: import.meta.dirname, env: { ...process.env, ...more } });
     process.exitCode = await runTests({ root: import.meta.dirname, args: process.argv.slice(2), node, say: console.log });`,
  );
  await write('test/unit/a.test.ts', passing('plain'));
  await write('test/system/stack.test.ts', `/* Deployment.start( */ ${passing('on a stack')}`);
  await write('test/system/other.test.ts', passing('on nothing'));
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function write(path: string, content: string): Promise<void> {
  const file = join(project, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** A test file that says on which services it runs. */
function passing(name: string): string {
  return `import { it } from 'node:test';\nit('${name} on ' + process.env.TELEMETRY_TEST_SERVICES, () => {});\n`;
}

/** The program that fetches and builds, here with an answer that is known before. */
async function answer(state: string, reason = ''): Promise<void> {
  const json = JSON.stringify(JSON.stringify({ state, reason }));
  await write(
    'test/second-services/prepare.ts',
    `import { writeFileSync } from 'node:fs';\nwriteFileSync(process.argv[2] ?? '', ${json});\n`,
  );
}

async function npmTest(...args: string[]): Promise<{ output: string; lastLine: string; error: string | null }> {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env as Record<string, string>;
  const { output, stdout, error } = await runProgram(process.execPath, [join(project, 'run.mjs'), ...args], {
    environment: inherited,
  });
  return { output, lastLine: stdout.trim().split('\n').at(-1) ?? '', error };
}

describe('the second run', () => {
  it('has the files that start a stack, after all others', async () => {
    await answer('ready');
    const { output, lastLine, error } = await npmTest();
    assert.equal(error, null, output);
    assert.equal(lastLine, '4 passed, 0 failed, 0 skipped');
    const names = [...output.matchAll(/(?:plain|on a stack|on nothing) on (?:embedded|second)/g)].map(([name]) => name);
    assert.deepEqual(names, [
      'plain on embedded',
      'on nothing on embedded',
      'on a stack on embedded',
      'on a stack on second',
    ]);
  });

  it('is skipped, counted, with the reason, where a tool is missing', async () => {
    await answer('missing', 'mvn does not run here (no such program)');
    const { output, lastLine, error } = await npmTest();
    assert.equal(error, null);
    assert.match(output, /^skipped: mvn does not run here \(no such program\)$/m);
    assert.equal(lastLine, '3 passed, 0 failed, 1 skipped');
  });

  it('fails where a tool is there and the services could not be had', async () => {
    await answer('failed', 'go install: exit code 1');
    const { output, lastLine, error } = await npmTest();
    assert.equal(error, 'exit code 1');
    assert.match(output, /^failed: the second services could not be fetched or built: go install: exit code 1$/m);
    assert.equal(lastLine, '3 passed, 1 failed, 0 skipped');
    await write('test/second-services/prepare.ts', 'process.exit(3);\n');
    assert.match((await npmTest()).output, /^failed: .* it ended with exit code 3$/m);
  });

  it('can be all that runs, of all files or of some', async () => {
    await answer('ready');
    assert.equal((await npmTest('--services=second')).lastLine, '1 passed, 0 failed, 0 skipped');
    const some = await npmTest('test/system/other.test.ts', '--services=second');
    assert.match(some.output, /on nothing on second/);
    assert.equal(some.lastLine, '1 passed, 0 failed, 0 skipped');
  });

  it('does not begin when others are asked for', async () => {
    await answer('failed');
    assert.equal((await npmTest('test/unit/*.test.ts')).lastLine, '1 passed, 0 failed, 0 skipped');
  });
});

/** `npm test` and `npm run test:all` over a made-up project: which tests run in which, on which services, and what counts. */
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
  await write('test/operations/check.test.ts', `/* Deployment.start( */ ${passing('an operator')}`);
  await write('test/faults/kind.test.ts', fault('kind', "smoke: 'first', smoke: 'more'"));
  await write('test/faults/more.test.ts', fault('more', "smoke: 'more'"));
  await write('test/faults/long.test.ts', fault('long', ''));
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

/** One that says which fault tests it is to run. */
function fault(name: string, marks: string): string {
  const says = `'${name} fault ' + process.env.TELEMETRY_FAULTS + ' on ' + process.env.TELEMETRY_TEST_SERVICES`;
  return `/* ${marks} */ import { it } from 'node:test';\nit(${says}, () => {});\n`;
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

function ran(output: string): string[] {
  return [...output.matchAll(/(?<=✔ )[a-z ]+ on (?:embedded|second)/g)].map(([name]) => name);
}

describe('npm test', () => {
  it('has all folders on the embedded services, and one fault test of each kind', async () => {
    const { output, lastLine, error } = await npmTest();
    assert.equal(error, null, output);
    assert.deepEqual(ran(output), [
      'plain on embedded',
      'on nothing on embedded',
      'on a stack on embedded',
      'kind fault first on embedded',
    ]);
    assert.equal(lastLine, '4 passed, 0 failed, 0 skipped');
  });

  it('runs a folder by its name, of the faults all', async () => {
    const { output, lastLine } = await npmTest('unit', 'faults');
    assert.deepEqual(ran(output).toSorted(), [
      'kind fault full on embedded',
      'long fault full on embedded',
      'more fault full on embedded',
      'plain on embedded',
    ]);
    assert.equal(lastLine, '4 passed, 0 failed, 0 skipped');
  });

  it('shows figures of a smaller input, which the rest and a file by its name show whole', async () => {
    await write(
      'test/unit/large.test.ts',
      `/* fakes/at-scale.ts */ import { it } from 'node:test';\nit('scale: ' + process.env.TELEMETRY_TEST_SCALE, () => {});\n`,
    );
    await answer('ready');
    for (const [args, scale] of [
      [[], 'small'],
      [['unit'], 'small'],
      [['test/unit/large.test.ts'], 'full'],
      [['--rest'], 'full'],
    ] as const) {
      const { output } = await npmTest(...args);
      assert.deepEqual(
        [...output.matchAll(/✔ scale: (\w+)/g)].map(([, found]) => found),
        [scale],
        args.join(),
      );
    }
  });

  it('bundles the workflows once, before the first tests that run them', async () => {
    await write(
      'test/prepare-bundles.ts',
      `import { writeFileSync } from 'node:fs';\nwriteFileSync(process.argv[2] + '/workflows.js', '');\n`,
    );
    await write(
      'test/system/other.test.ts',
      `import { existsSync } from 'node:fs';
       import { it } from 'node:test';
       it(existsSync(process.env.TELEMETRY_TEST_BUNDLES + '/workflows.js') ? 'bundled' : 'not bundled', () => {});`,
    );
    assert.match((await npmTest('system')).output, /✔ bundled/);
  });
});

describe('the rest', () => {
  it('has what operators do and the other fault tests of the smoke set, then what works on the services of a stack on the second ones', async () => {
    await answer('ready');
    const { output, lastLine, error } = await npmTest('--rest');
    assert.equal(error, null, output);
    assert.deepEqual(ran(output), [
      'an operator on embedded',
      'kind fault more on embedded',
      'more fault more on embedded',
      'on a stack on second',
      'an operator on second',
      'kind fault smoke on second',
      'more fault smoke on second',
    ]);
    assert.equal(lastLine, '7 passed, 0 failed, 0 skipped');
  });

  it('is skipped on the second services, counted, with the reason, where a tool is missing', async () => {
    await answer('missing', 'mvn does not run here (no such program)');
    const { output, lastLine, error } = await npmTest('--rest');
    assert.equal(error, null);
    assert.match(output, /^skipped: mvn does not run here \(no such program\)$/m);
    assert.equal(lastLine, '3 passed, 0 failed, 3 skipped');
  });

  it('fails where a tool is there and the services could not be had', async () => {
    await answer('failed', 'go install: exit code 1');
    const { output, lastLine, error } = await npmTest('--rest');
    assert.equal(error, 'exit code 1');
    assert.match(output, /^failed: the second services could not be fetched or built: go install: exit code 1$/m);
    assert.equal(lastLine, '3 passed, 3 failed, 0 skipped');
    await write('test/second-services/prepare.ts', 'process.exit(3);\n');
    assert.match((await npmTest('--services=second')).output, /^failed: .* it ended with exit code 3$/m);
  });

  it('can be all that runs, of all files or of some', async () => {
    await answer('ready');
    assert.equal((await npmTest('--services=second')).lastLine, '4 passed, 0 failed, 0 skipped');
    const some = await npmTest('test/system/other.test.ts', '--services=second');
    assert.match(some.output, /on nothing on second/);
    assert.equal(some.lastLine, '1 passed, 0 failed, 0 skipped');
  });

  it('does not begin when others are asked for', async () => {
    await answer('failed');
    assert.equal((await npmTest('test/unit/*.test.ts')).lastLine, '1 passed, 0 failed, 0 skipped');
  });
});

/** What a command costs before it does anything: the packages that it loads, and what it need not compile again. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

const LIST_PACKAGES = `
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      packages.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]);
      return next(url, context);
    },
  });
  for (const module of process.argv.slice(1)) await import(module);
  process.stdout.write([...packages].join('\\n'));
`;

/** The packages whose code is loaded with these modules of `src`. */
function packagesOf(...modules: string[]): string[] {
  const urls = modules.map((module) => pathToFileURL(resolve('src', module)).href);
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', LIST_PACKAGES, ...urls]);
  return output.toString().split('\n');
}

const AWS = ['@aws-sdk/client-s3', '@aws-sdk/client-sqs', '@aws-sdk/client-sns'];
const TEMPORAL = ['@temporalio/client', '@temporalio/worker', '@grpc/grpc-js', 'rxjs'];

describe('what a command loads', () => {
  const spared: readonly (readonly [what: string, modules: readonly string[], without: readonly string[]])[] = [
    ['--help', ['program.ts'], [...AWS, ...TEMPORAL, 'piscina', 'pino', 'nodemailer']],
    ['commands on local files', ['commands/local-files.ts'], [...AWS, ...TEMPORAL, 'pino', 'nodemailer']],
    // Those of its threads: each starts with them.
    ['a thread', ['threads/jobs.ts', 'threads/merge-results.ts'], [...AWS, ...TEMPORAL, 'zod', 'commander']],
    ['check and status', ['commands/watch.ts'], ['@temporalio/worker', 'rxjs', 'piscina', 'pino', 'nodemailer']],
    ['run-day', ['commands/run-day.ts'], [...AWS, '@temporalio/worker', 'rxjs', 'piscina', 'nodemailer']],
    ['verify', ['commands/verify.ts'], [...TEMPORAL, 'pino', 'nodemailer']],
    ['analysis-worker', ['analysis-worker/main.ts'], [...TEMPORAL, 'nodemailer', 'hono']],
    ['histogram-server', ['histogram-server/main.ts'], [...AWS, ...TEMPORAL, 'piscina', 'nodemailer']],
    ['worker', ['worker.ts'], ['nodemailer', 'hono', 'commander']],
  ];
  for (const [what, modules, without] of spared) {
    it(`${what}: without packages that it does not need`, () => {
      const packages = packagesOf(...modules);
      assert.deepEqual(
        without.filter((name) => packages.includes(name)),
        [],
      );
    });
  }
});

describe('compiled code', () => {
  let project: string;
  let result: string;
  before(() => {
    project = mkdtempSync(join(tmpdir(), 'start-cost-'));
    cpSync('src', join(project, 'src'), { recursive: true });
    cpSync('dist/kernels', join(project, 'dist/kernels'), { recursive: true });
    symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
    writeFileSync(join(project, 'package.json'), '{"type": "module"}');
    result = join(project, 'result');
    const row =
      '{"values":[1,0,0,1,-1,-1,0,0,1],"buildId":"20131029030201","revision":"http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4"}';
    const path = '20131029/saved_session/Firefox/WINNT/6.1/x86';
    writeFileSync(result, `nightly/28/FLAG/by-build-date\t{"${path}":${row}}\n`);
  });
  after(() => {
    rmSync(project, { recursive: true, force: true });
  });

  /** What the command says, and Node.js about its cache. */
  function mergeResults(settings: Readonly<Record<string, string>> = {}): string {
    const args = ['merge-results', '-i', result, '-o', join(project, 'merged')];
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
    const { status, output } = spawnSync(process.execPath, [join(project, 'src/cli.ts'), ...args], {
      env: { ...environment, NODE_DEBUG_NATIVE: 'COMPILE_CACHE', ...settings },
    });
    assert.equal(status, 0, output.join('\n'));
    return output.join('\n');
  }
  const compiled = (folder: string): number =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true }).filter((name) => /[0-9a-f]{8}$/.test(String(name))).length
      : 0;

  it('is kept in the checkout, and used by the next process and its threads', () => {
    mergeResults();
    assert.ok(compiled(join(project, '.local/cache/compiled')) > 100);
    const said = mergeResults();
    for (const module of ['program', 'commands/local-files', 'threads/jobs', 'threads/merge-results'])
      assert.match(said, new RegExp(`V8 code cache for ESM \\S+/src/${module}\\.ts was accepted`));
  });

  it('is kept elsewhere, or not at all, when Node.js is told so', () => {
    rmSync(join(project, '.local'), { recursive: true });
    const elsewhere = join(project, 'elsewhere');
    mergeResults({ NODE_COMPILE_CACHE: elsewhere });
    assert.ok(compiled(elsewhere) > 100);
    mergeResults({ NODE_DISABLE_COMPILE_CACHE: '1' });
    assert.equal(existsSync(join(project, '.local')), false);
  });

  it('is done without where it cannot be kept', () => {
    writeFileSync(join(project, '.local'), 'not a folder');
    assert.match(mergeResults(), /merged: 1 lines of 1 results/);
  });
});

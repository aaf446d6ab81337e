/**
 * The program behind `npm start`, `npm test`, `npm run telemetry` and `npm run bench`: installs what is missing, finds a
 * Node.js that runs TypeScript, and hands over to it. Plain JavaScript without packages: it runs on Node 20, before
 * anything is installed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './installation.mjs';
import { ensureKernels } from './kernels.mjs';
import { run } from './run.mjs';
import { findRuntime } from './runtime.mjs';
import { runTests } from './tests.mjs';
import { ensureWebsite } from './website.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (line) => process.stderr.write(`${line}\n`);

try {
  process.exitCode = await launch(process.argv.slice(2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function launch([command, ...args]) {
  const hasInstalled = await ensureInstalled(root, say);
  await ensureKernels(root);
  const runtime = await findRuntime(root, say);
  await ensureWebsite(root, runtime);
  // Whatever calls `node` further down gets the same one.
  const environment = {
    // Most of what a short process does is to compile what it imports (`src/compile-cache.ts`).
    NODE_COMPILE_CACHE: join(root, '.local', 'cache', 'compiled'),
    ...process.env,
    PATH: [dirname(runtime), process.env.PATH ?? ''].join(delimiter),
  };
  const node = (more, variables = {}) => run(runtime, more, { cwd: root, env: { ...environment, ...variables } });
  if (hasInstalled) await prepare(node);
  if (command === 'install') return 0;
  if (command === 'test-compose') return node([join(root, 'test', 'compose', 'run.ts')]);
  if (command === 'test') return runTests({ root, args, node, say });
  if (command === 'bench') return runBenchmarks(args, node);
  return node([join(root, 'local', 'cli.ts'), ...(command === undefined ? ['--help'] : [command, ...args])]);
}

/** Belongs to the install: the first start is as short as all others. */
async function prepare(node) {
  const program = join(root, 'local', 'prepare.ts');
  if (!existsSync(program)) return;
  const code = await node([program]);
  if (code !== 0) say(`the preparation ended with exit code ${code}; the first start does its work`);
}

/** `bench NAME… -- OPTION…`: benchmarks whose file name contains a NAME, or all; options go to each of them. */
async function runBenchmarks(args, node) {
  const names = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-'));
  const folder = join(root, 'bench');
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.ts'))
        .sort()
    : [];
  const chosen = files.filter((file) => names.length === 0 || names.some((name) => file.includes(name)));
  if (chosen.length === 0) {
    say(`no benchmark matches; there are: ${files.join(', ') || 'none'}`);
    return 1;
  }
  let failed = 0;
  for (const file of chosen) {
    say(`\n== bench/${file}`);
    if ((await node([join(folder, file), ...options])) !== 0) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}

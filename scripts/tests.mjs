/** The test folders in the order of what they cost, and one closing line for all of them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepareSecondServices, secondGroups } from './second-services.mjs';

const FOLDERS = ['unit', 'local', 'activities', 'workflows', 'replay', 'system', 'faults'];
const COUNTS = ['passed', 'failed', 'skipped'];
const ONLY_SECOND = '--services=second';

/**
 * `test GLOB… OPTION…`: all folders, or the files that the globs match; options go to `node --test`.
 * System and fault tests run on the embedded services, and then on the second ones too; `--services=second` runs only the
 * latter, or what the globs match on them. Goes on after a failing folder, so that the closing line counts everything.
 * Resolves with the exit code.
 */
export async function runTests({ root, args, node, say }) {
  const globs = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-') && arg !== ONLY_SECOND);
  const onlySecond = args.includes(ONLY_SECOND) || process.env.TELEMETRY_TEST_SERVICES === 'second';
  const groups = testGroups(root, globs, onlySecond);
  const work = mkdtempSync(join(tmpdir(), 'telemetry-tests-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  // Begins beside the first folders, which leave it time.
  const second = groups.some(({ services }) => services === 'second') && prepareSecondServices({ root, node, work });
  try {
    for (const [index, group] of groups.entries()) {
      say(`\n== ${group.name}`);
      const counts = await runGroup({
        root,
        group,
        options,
        work,
        countsFile: join(work, String(index)),
        node,
        second,
      });
      for (const name of COUNTS) total[name] += counts[name];
    }
    for (const services of ['embedded', 'second']) printFaults(services, faultTable(work, services));
  } finally {
    await second;
    rmSync(work, { recursive: true, force: true });
  }
  const found = total.passed + total.failed + total.skipped > 0;
  if (!found) say('no test was found');
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed > 0 || !found ? 1 : 0;
}

async function runGroup({ root, group, options, work, countsFile, node, second }) {
  const { services = 'embedded', globs, asked = false } = group;
  if (services === 'second') {
    const { state, reason } = await second;
    if (state === 'missing') {
      process.stdout.write(`skipped: ${reason}\n`);
      return { passed: 0, failed: 0, skipped: 1 };
    }
    if (state === 'failed') {
      process.stdout.write(`failed: the second services could not be fetched or built: ${reason}\n`);
      return { passed: 0, failed: 1, skipped: 0 };
    }
  }
  const code = await node([...runnerArguments(root, group, countsFile), ...options, ...globs], {
    // All tests: of the faults only the smoke set. Asked for by name: all of them.
    TELEMETRY_FAULTS: asked ? 'full' : 'smoke',
    TELEMETRY_FAULT_TABLE: faultTable(work, services),
    TELEMETRY_TEST_SERVICES: services,
  });
  const counts = readCounts(countsFile);
  // A runner that died has no counts; its exit code still says that something failed.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function faultTable(work, services) {
  return join(work, `faults-${services}`);
}

function testGroups(root, globs, onlySecond) {
  if (globs.length > 0) {
    return [{ name: globs.join(' '), globs, asked: true, ...(onlySecond && { services: 'second' }) }];
  }
  return [...(onlySecond ? [] : folderGroups(root)), ...secondGroups(root)];
}

function folderGroups(root) {
  return FOLDERS.filter((name) => {
    const folder = join(root, 'test', name);
    return existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => file.endsWith('.test.ts'));
  }).map((name) => ({ name, globs: [`test/${name}/**/*.test.ts`] }));
}

function runnerArguments(root, group, countsFile) {
  // System and fault tests start whole stacks, of several processes each; more than two of them are in each other's way.
  const stacks = group.globs.some((glob) => glob.includes('system') || glob.includes('faults'));
  return [
    '--test',
    `--test-concurrency=${Math.min(stacks ? 2 : 4, availableParallelism())}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(join(root, 'scripts', 'test-counts.mjs')).href}`,
    `--test-reporter-destination=${countsFile}`,
  ];
}

/** What was injected, how often, and what was seen. */
function printFaults(services, file) {
  if (!existsSync(file)) return;
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  const lines = rows.map(
    ({ id, injected, times, seen, seconds }) => `| ${id} | ${injected} | ${times} | ${seen} | ${seconds} |`,
  );
  const head = '| fault | injected | times | seen | seconds |\n|---|---|---|---|---|';
  process.stdout.write(`\n${services} services:\n${head}\n${lines.join('\n')}\n`);
}

function readCounts(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const { passed = 0, failed = 0, cancelled = 0, skipped = 0, todo = 0 } = text === '' ? {} : JSON.parse(text);
  return { passed, failed: failed + cancelled, skipped: skipped + todo };
}

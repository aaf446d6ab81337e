/** The test folders in the order of what they cost, and one closing line for all of them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const FOLDERS = ['unit', 'activities', 'workflows', 'replay', 'system', 'faults'];
const COUNTS = ['passed', 'failed', 'skipped'];

/**
 * `test GLOB… OPTION…`: all folders, or the files that the globs match; options go to `node --test`.
 * Goes on after a failing folder, so that the closing line counts everything. Resolves with the exit code.
 */
export async function runTests({ root, args, node, say }) {
  const globs = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-'));
  const groups = globs.length > 0 ? [{ name: globs.join(' '), globs }] : folderGroups(root);
  const work = mkdtempSync(join(tmpdir(), 'telemetry-tests-'));
  const faultTable = join(work, 'faults');
  // All tests: of the faults only the smoke set. Asked for by name: all of them.
  const variables = {
    TELEMETRY_FAULTS: globs.length > 0 ? 'full' : 'smoke',
    TELEMETRY_FAULT_TABLE: faultTable,
  };
  const total = { passed: 0, failed: 0, skipped: 0 };
  let bad = false;
  try {
    for (const [index, group] of groups.entries()) {
      say(`\n== ${group.name}`);
      const countsFile = join(work, String(index));
      const code = await node([...runnerArguments(root, group, countsFile), ...options, ...group.globs], variables);
      const counts = readCounts(countsFile);
      // A runner that died has no counts; its exit code still says that something failed.
      if (code !== 0 && counts.failed === 0) counts.failed = 1;
      for (const name of COUNTS) total[name] += counts[name];
      if (code !== 0) bad = true;
    }
    printFaults(faultTable);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (total.passed + total.failed + total.skipped === 0) {
    say('no test was found');
    bad = true;
  }
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return bad ? 1 : 0;
}

function folderGroups(root) {
  return FOLDERS.filter((name) => {
    const folder = join(root, 'test', name);
    return existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => file.endsWith('.test.ts'));
  }).map((name) => ({ name, globs: [`test/${name}/**/*.test.ts`] }));
}

function runnerArguments(root, group, countsFile) {
  // System tests start whole stacks; side by side they only get in each other's way.
  const alone = group.globs.some((glob) => glob.includes('system') || glob.includes('faults'));
  return [
    '--test',
    `--test-concurrency=${alone ? 1 : Math.min(4, availableParallelism())}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(join(root, 'scripts', 'test-counts.mjs')).href}`,
    `--test-reporter-destination=${countsFile}`,
  ];
}

/** What was injected, how often, and what was seen. */
function printFaults(file) {
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
  process.stdout.write(`\n${head}\n${lines.join('\n')}\n`);
}

function readCounts(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const { passed = 0, failed = 0, cancelled = 0, skipped = 0, todo = 0 } = text === '' ? {} : JSON.parse(text);
  return { passed, failed: failed + cancelled, skipped: skipped + todo };
}

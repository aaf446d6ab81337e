/** The test folders in the order of what they cost, and one closing line for all of them. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepareSecondServices, secondGroups, testFiles } from './second-services.mjs';

/** Folders of one group run side by side: the one file of `replay` takes as long as half of the workflows. */
const GROUPS = [['unit'], ['activities'], ['workflows', 'replay'], ['system']];
/** What is around the application, what operators do, what needs a browser: it breaks less often, and takes minutes. */
const LONG_GROUPS = [['local'], ['operations'], ['browser']];
/** Their tests run workflow code. */
const BUNDLED = ['workflows', 'replay', 'system', 'operations', 'faults'];
const COUNTS = ['passed', 'failed', 'skipped'];
const SLOWEST_SHOWN = 10;
const ONLY_SECOND = '--services=second';
const REST = '--rest';
/** What it exports makes a file's figures smaller in `npm test`. */
const AT_SCALE = 'fakes/at-scale.ts';

/**
 * `test`: every folder on the embedded services but the long ones, and one fault test of each kind. `test --rest`: what that
 * leaves out, figures at scale, local tools, operations, the browser, the other fault tests of the smoke set, then system,
 * operations and smoke tests on the second services.
 * `test NAME… OPTION…`: the folders of those names as `test` runs them, or the files that the globs match, whole; all fault
 * tests either way. Options go to `node --test`.
 * `--services=second` runs on the second services only. Goes on after a failing folder, so that the closing line counts
 * everything. Resolves with the exit code.
 */
export async function runTests({ root, args, node, say }) {
  const asked = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-') && arg !== ONLY_SECOND && arg !== REST);
  const onlySecond = args.includes(ONLY_SECOND) || process.env.TELEMETRY_TEST_SERVICES === 'second';
  const groups = testGroups(root, asked, { onlySecond, rest: args.includes(REST) });
  const work = mkdtempSync(join(tmpdir(), 'telemetry-tests-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  const files = [];
  // Both start together with the first folders, which leave them time.
  const second = groups.some(({ services }) => services === 'second') && prepareSecondServices({ root, node, work });
  const bundles = groups.some(needsBundles) && prepareBundles({ root, node, work });
  try {
    for (const [index, group] of groups.entries()) {
      say(`\n== ${group.name}`);
      if (needsBundles(group)) await bundles;
      const startedAt = performance.now();
      const countsFile = join(work, String(index));
      const counts = await runGroup({ root, group, options, work, countsFile, node, second });
      say(`== ${group.name}: ${Math.round((performance.now() - startedAt) / 1000)} s`);
      for (const name of COUNTS) total[name] += counts[name];
      files.push(...counts.files);
    }
    for (const services of ['embedded', 'second']) printFaults(services, faultTable(work, services));
  } finally {
    await Promise.all([second, bundles]);
    rmSync(work, { recursive: true, force: true });
  }
  printSlowest(root, files);
  const found = total.passed + total.failed + total.skipped > 0;
  if (!found) say('no test was found');
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed > 0 || !found ? 1 : 0;
}

async function runGroup({ root, group, options, work, countsFile, node, second }) {
  const { services = 'embedded', globs, faults = 'full', scale = 'full' } = group;
  if (services === 'second') {
    const { state, reason } = await second;
    if (state === 'missing') {
      process.stdout.write(`skipped: ${reason}\n`);
      return { passed: 0, failed: 0, skipped: 1, files: [] };
    }
    if (state === 'failed') {
      process.stdout.write(`failed: the second services could not be fetched or built: ${reason}\n`);
      return { passed: 0, failed: 1, skipped: 0, files: [] };
    }
  }
  const code = await node([...runnerArguments(root, group, countsFile), ...options, ...globs], {
    TELEMETRY_FAULTS: faults,
    TELEMETRY_TEST_SCALE: scale,
    TELEMETRY_FAULT_TABLE: faultTable(work, services),
    TELEMETRY_TEST_SERVICES: services,
    TELEMETRY_TEST_BUNDLES: work,
  });
  const counts = readCounts(countsFile);
  // A runner that died has no counts; its exit code still says that something failed.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function faultTable(work, services) {
  return join(work, `faults-${services}`);
}

function testGroups(root, asked, { onlySecond, rest }) {
  if (asked.length > 0) {
    const isFolder = (name) => existsSync(join(root, 'test', name));
    const globs = asked.map((name) => (isFolder(name) ? `test/${name}/**/*.test.ts` : name));
    const scale = asked.every(isFolder) ? 'small' : 'full';
    return [{ name: asked.join(' '), globs, scale, ...(onlySecond && { services: 'second' }) }];
  }
  if (onlySecond) return secondGroups(root);
  if (rest)
    return [
      ...scaleGroups(root),
      ...folderGroups(root, LONG_GROUPS, 'full'),
      ...faultGroups(root, 'more'),
      ...secondGroups(root),
    ];
  return [...folderGroups(root, GROUPS, 'small'), ...faultGroups(root, 'first')];
}

function folderGroups(root, groups, scale) {
  return groups
    .map((folders) => folders.filter((name) => testFiles(join(root, 'test', name)).length > 0))
    .filter((folders) => folders.length > 0)
    .map((folders) => ({
      name: folders.join(', '),
      globs: folders.map((name) => `test/${name}/**/*.test.ts`),
      scale,
    }));
}

/** The files whose figures `npm test` shows of a smaller input only. */
function scaleGroups(root) {
  const globs = GROUPS.flat().flatMap((folder) =>
    testFiles(join(root, 'test', folder))
      .filter((file) => readFileSync(join(root, 'test', folder, file), 'utf8').includes(AT_SCALE))
      .map((file) => `test/${folder}/${file}`),
  );
  return globs.length === 0 ? [] : [{ name: 'at scale', globs }];
}

/** The files that have a fault test of the part of the smoke set; `first` is one of each kind. */
function faultGroups(root, part) {
  const globs = testFiles(join(root, 'test', 'faults'))
    .filter((file) => readFileSync(join(root, 'test', 'faults', file), 'utf8').includes(`smoke: '${part}'`))
    .map((file) => `test/faults/${file}`);
  return globs.length === 0 ? [] : [{ name: `faults: ${part} of each kind`, globs, faults: part }];
}

function needsBundles({ globs }) {
  return globs.some((glob) => BUNDLED.some((folder) => glob.startsWith(`test/${folder}/`)));
}

/** Without them every file and every worker would bundle for itself, so a failure here costs time only. */
async function prepareBundles({ root, node, work }) {
  const program = join(root, 'test', 'prepare-bundles.ts');
  if (existsSync(program)) await node([program, work]);
}

function runnerArguments(root, { globs }, countsFile) {
  // System and fault tests start whole stacks of several processes each; more than two of them slow each other down.
  const stacks = globs.some((glob) => ['system', 'operations', 'faults'].some((name) => glob.includes(name)));
  // One more than there are cores, because files sometimes wait for disks and timers.
  const files = stacks ? Math.min(2, availableParallelism()) : Math.min(4, availableParallelism() + 1);
  return [
    '--test',
    `--test-concurrency=${files}`,
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

function printSlowest(root, files) {
  if (files.length <= 1) return;
  const slowest = files.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_SHOWN);
  const lines = slowest.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(6)} s  ${relative(root, file)}`);
  process.stdout.write(`\nslowest files:\n${lines.join('\n')}\n`);
}

function readCounts(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const {
    passed = 0,
    failed = 0,
    cancelled = 0,
    skipped = 0,
    todo = 0,
    files = [],
  } = text === '' ? {} : JSON.parse(text);
  return { passed, failed: failed + cancelled, skipped: skipped + todo, files };
}

/** `aggregate-submissions` and `merge-results`: the original's two programs, as commands on local files. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateSamples } from '../../local/samples/generate.ts';
import { type Output, runToEnd } from '../system/deployment.ts';

let work: string;
before(async () => {
  work = await mkdtemp(join(tmpdir(), 'local-files-'));
});
after(() => rm(work, { recursive: true, force: true }));

const telemetry = (threads: number, ...args: string[]): Promise<Output> =>
  runToEnd(process.execPath, [resolve('src/cli.ts'), ...args], {
    ...process.env,
    TELEMETRY_THREADS: String(threads),
  });

const ROW = { buildId: '20131029030201', revision: 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4' };
const PATH = '20131029/saved_session/Firefox/WINNT/6.1/x86';
/** The values of one submission with so many hits in the first of three buckets. */
const hits = (count: number, submissions = 1): number[] => [count, 0, 0, count, -1, -1, 0, 0, submissions];

function lineOf(key: string, rows: Readonly<Record<string, readonly number[]>>): string {
  const members = Object.entries(rows).map(([path, values]) => [path, { values, ...ROW }]);
  return `${key}\t${JSON.stringify(Object.fromEntries(members))}\n`;
}

async function store(name: string, ...lines: string[]): Promise<string> {
  const path = join(work, name);
  await writeFile(path, lines.join(''));
  return path;
}

interface Aggregate {
  readonly values: number[];
}

/** Line key → path → values; of a path with several lengths those of the last, which is the longest. */
async function read(path: string): Promise<Record<string, Record<string, number[]>>> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [key = '', json = ''] = line.split('\t');
      const rows = JSON.parse(json) as Record<string, Aggregate | Aggregate[]>;
      const valuesOf = (row: Aggregate | Aggregate[]): number[] => [row].flat().at(-1)?.values ?? [];
      return [key, Object.fromEntries(Object.entries(rows).map(([at, row]) => [at, valuesOf(row)]))];
    }),
  );
}

const NIGHTLY = 'nightly/28/FLAG/by-build-date';
const AURORA = 'aurora/27/FLAG/by-build-date';

describe('merge-results', () => {
  it('-o: one sorted result, the same bytes whatever the number of threads', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `nightly/28/M_${index}/by-build-date`);
    const lines = names.map((name, index) => lineOf(name, { [PATH]: hits(index) }));
    const results = [
      await store('a', ...lines, lineOf(AURORA, { [PATH]: hits(3) })),
      await store('b', ...lines.toReversed(), lineOf(NIGHTLY, { [PATH]: hits(5) })),
    ];
    const outputs = await Promise.all(
      [1, 2, 3].map(async (threads) => {
        const output = join(work, `merged-${threads}`);
        const { code, stdout, stderr } = await telemetry(threads, 'merge-results', '-i', ...results, '-o', output);
        assert.equal(code, 0, stderr);
        assert.equal(stdout, `${output}: 42 lines of 2 results; dropped: none\n`);
        return output;
      }),
    );
    const [first, ...others] = await Promise.all(outputs.map((output) => readFile(output, 'utf8')));
    for (const other of others) assert.equal(other, first);
    const merged = await read(outputs[0] ?? '');
    assert.deepEqual(Object.keys(merged), [AURORA, NIGHTLY, ...names].toSorted());
    assert.deepEqual(merged[names[7] ?? ''], { [PATH]: hits(14, 2) });
    assert.deepEqual([merged[AURORA], merged[NIGHTLY]], [{ [PATH]: hits(3) }, { [PATH]: hits(5) }]);
  });

  it('-o: the same bytes from threads that write many parts, also when there are more of them than parts', async () => {
    const rows = (count: number): Record<string, number[]> =>
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${PATH}_${index}`, hits(count + index)]));
    const lines = (count: number): string[] =>
      Array.from({ length: 200 }, (_, index) => lineOf(`nightly/28/M_${index}/by-build-date`, rows(count)));
    const results = [await store('many-a', ...lines(1)), await store('many-b', ...lines(2).toReversed())];
    const merged = await Promise.all(
      [1, 2, 3, 2000].map(async (threads) => {
        const output = join(work, `many-${threads}`);
        const { code, stderr } = await telemetry(threads, 'merge-results', '-i', ...results, '-o', output);
        assert.equal(code, 0, stderr);
        return readFile(output);
      }),
    );
    const [first] = merged;
    assert.ok((first?.length ?? 0) > 3 << 20);
    for (const other of merged) assert.ok(first?.equals(other));
    assert.equal(Object.keys(await read(join(work, 'many-2'))).length, 200);
    assert.deepEqual((await read(join(work, 'many-2')))['nightly/28/M_7/by-build-date']?.[`${PATH}_5`], hits(13, 2));
  });

  it('-f: one file per channel/version, merged into what is there', async () => {
    const folder = join(work, 'by-channel-version');
    const first = await store('c', lineOf(NIGHTLY, { [PATH]: hits(1) }), lineOf(AURORA, { [PATH]: hits(2) }));
    const second = await store('d', lineOf(NIGHTLY, { [PATH]: hits(10) }));
    for (const result of [first, second]) {
      const { code, stderr } = await telemetry(2, 'merge-results', '-i', result, '-f', folder);
      assert.equal(code, 0, stderr);
    }
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.deepEqual(files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort(), [
      'aurora/27',
      'nightly/28',
    ]);
    assert.deepEqual(await read(join(folder, 'nightly/28')), { [NIGHTLY]: { [PATH]: hits(11, 2) } });
    assert.deepEqual(await read(join(folder, 'aurora/27')), { [AURORA]: { [PATH]: hits(2) } });
  });

  it('--one-length: one row for each path, that of the highest build, the same bytes whatever the number of threads', async () => {
    const older = (values: readonly number[]): object => ({ values, ...ROW, buildId: '20131028030201' });
    const other = PATH.replace('x86', 'arm');
    const results = [
      await store('nine', lineOf(NIGHTLY, { [PATH]: hits(1), [other]: hits(2) }), lineOf(AURORA, { [PATH]: hits(3) })),
      await store('ten', `${NIGHTLY}\t${JSON.stringify({ [PATH]: older([0, ...hits(5, 40)]) })}\n`),
      await store('nine-again', `${NIGHTLY}\t${JSON.stringify({ [PATH]: older(hits(10)) })}\n`),
    ];
    const folder = join(work, 'one-length');
    const outputs = [1, 2, 3].map((threads) => join(work, `one-length-${threads}`));
    for (const [index, output] of outputs.entries()) {
      const args = ['merge-results', '-i', ...results, '--one-length', '-o', output];
      const { code, stdout, stderr } = await telemetry(index + 1, ...args);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${output}: 2 lines of 3 results; dropped: length_mismatch 1\n`);
    }
    const texts = await Promise.all(outputs.map((output) => readFile(output, 'utf8')));
    const [nightly] = [lineOf(NIGHTLY, { [other]: hits(2), [PATH]: hits(11, 2) })];
    assert.deepEqual(
      texts,
      outputs.map(() => `${lineOf(AURORA, { [PATH]: hits(3) })}${nightly}`),
    );
    // A file with a list is merged in first, and then of all that the highest build is chosen.
    for (const flags of [[], ['--one-length']]) {
      const { code, stderr } = await telemetry(2, 'merge-results', '-i', ...results, '-f', folder, ...flags);
      assert.equal(code, 0, stderr);
    }
    const twice = lineOf(NIGHTLY, { [other]: hits(4, 2), [PATH]: hits(22, 4) });
    assert.equal(await readFile(join(folder, 'nightly/28'), 'utf8'), twice);
  });

  it('keeps characters that only look like the end of a line', async () => {
    const odd = PATH.replace('x86', 'x\u202886\u2029');
    const result = await store('odd', lineOf(NIGHTLY, { [odd]: hits(1), [PATH]: hits(2) }));
    const [output, folder] = [join(work, 'odd-merged'), join(work, 'odd-folder')];
    for (const target of [
      ['-o', output],
      ['-f', folder],
      ['-f', folder],
    ]) {
      const { code, stderr } = await telemetry(2, 'merge-results', '-i', result, ...target);
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(await read(output), { [NIGHTLY]: { [odd]: hits(1), [PATH]: hits(2) } });
    assert.deepEqual(await read(join(folder, 'nightly/28')), { [NIGHTLY]: { [odd]: hits(2, 2), [PATH]: hits(4, 2) } });
  });

  it('names a result that breaks a rule, and writes nothing', async () => {
    const good = await store('good', lineOf(NIGHTLY, { [PATH]: hits(1) }));
    const bad = await store('bad', lineOf(NIGHTLY, { [PATH]: hits(1) }), 'nightly/28/FLAG\t{}\n');
    const folder = await mkdtemp(join(work, 'untouched-'));
    for (const target of [
      ['-o', join(folder, 'merged')],
      ['-f', folder],
    ]) {
      const { code, stdout, stderr } = await telemetry(2, 'merge-results', '-i', good, bad, ...target);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^1 of 2 results break the rules, so nothing was written:\n {2}.*bad: bad_result_key, /);
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it('says what is wrong with its options and files', async () => {
    const good = await store('good-2', lineOf(NIGHTLY, { [PATH]: hits(1) }));
    const neither = await telemetry(1, 'merge-results', '-i', good);
    assert.deepEqual([neither.code, neither.stderr], [2, 'Give either -o FILE or -f DIR\n']);
    const absent = await telemetry(1, 'merge-results', '-i', join(work, 'absent'), '-o', join(work, 'never'));
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /absent cannot be read: ENOENT/);
    assert.equal(existsSync(join(work, 'never')), false);
  });
});

/** So many that they make more than one group of files; the groups are merged afterwards. */
const COPIES = 4;

describe('aggregate-submissions', () => {
  it('counts every submission of the list, the same bytes whatever the number of threads', async () => {
    const samples = join(work, 'samples');
    await generateSamples({
      ...{ seed: 'local-files', days: ['20131029'], directory: samples, submissionsPerFile: 60 },
      channelVersions: ['nightly/28', 'aurora/27'],
    });
    const root = join(samples, 'submissions');
    const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
    const lines = Array.from({ length: COPIES }, () =>
      paths.map((path) => `${relative(root, path)}\t${path}\n`),
    ).flat();
    const list = await store('list', ...lines);
    const once = await store('once', ...lines.slice(0, paths.length));
    const count = async (threads: number, input: string, output: string): Promise<number> => {
      const { code, stdout, stderr } = await telemetry(threads, 'aggregate-submissions', '-i', input, '-o', output);
      assert.equal(code, 0, stderr);
      const [, submissions = '', ofFiles] = /: (\d+) submissions of (\d+) files; skipped: /.exec(stdout) ?? [];
      assert.equal(Number(ofFiles), input === list ? lines.length : paths.length, stdout);
      const [, bad] = /bad_histogram (\d+)/.exec(stdout) ?? [];
      const [, named = ''] = /^bad_histogram by measure, the worst: (.*)$/m.exec(stderr) ?? [];
      const counts = named.split(', ').map((part) => Number(part.split(' ')[1]));
      assert.equal(
        counts.reduce((sum, next) => sum + next, 0),
        Number(bad),
      );
      return Number(submissions);
    };
    const [one, three, single] = [join(work, 'one'), join(work, 'three'), join(work, 'single')];
    const submissions = await count(1, list, one);
    assert.equal(await count(3, list, three), submissions);
    assert.equal(await readFile(one, 'utf8'), await readFile(three, 'utf8'));
    assert.equal(await count(1, once, single), submissions / COPIES);
    const [several, alone] = [await read(one), await read(single)];
    assert.deepEqual(Object.keys(several), Object.keys(alone));
    for (const [key, rows] of Object.entries(alone)) {
      for (const [path, values] of Object.entries(rows))
        assert.equal(several[key]?.[path]?.at(-1), COPIES * (values.at(-1) ?? 0), `${key} ${path}`);
    }
  });

  it('names a line of the list that it cannot read, and a file that is not there', async () => {
    const output = join(work, 'none');
    const noTab = await store('no-tab', 'only-a-key\n');
    const bad = await telemetry(1, 'aggregate-submissions', '-i', noTab, '-o', output);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /no-tab, line 1: expected "key TAB file", found "only-a-key"/);
    const gone = await store('gone', `a/b/c/1/20131029030201.20131029.v2.log.x.lzma\t${join(work, 'absent')}\n`);
    const absent = await telemetry(1, 'aggregate-submissions', '-i', gone, '-o', output);
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /absent cannot be read: ENOENT/);
    assert.equal(existsSync(output), false);
  });
});

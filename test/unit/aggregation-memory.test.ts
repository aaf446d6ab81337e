/** Aggregation in bounded memory: tables go to disk, lines are cut, and a file that needs too much costs itself alone. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { compress } from '../../local/samples/containers.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import { ResultReader } from '../fakes/result-reader.ts';
import { atScale } from '../fakes/at-scale.ts';
import { SlotTable } from '../fakes/slot-table.ts';
import { MERGE_LIMITS } from '../../src/limits.ts';
import { chanceFor } from '../../local/samples/random.ts';
import { ADDED_LIMIT } from '../../src/pipeline/submissions/added-limit.ts';
import { DEFAULT_RULES } from '../../src/pipeline/submissions/aggregator.ts';
import {
  aggregateSubmissions,
  type CountSubmissionsInput,
  type SubmissionFile,
} from '../../src/threads/aggregate-submissions.ts';
import { withoutLargeFiles } from '../../src/threads/large-files.ts';
import { createThreadPool } from '../../src/threads/pool.ts';

const work = mkdtempSync(join(tmpdir(), 'aggregation-memory-'));
after(() => {
  rmSync(work, { recursive: true });
});
const newFolder = (): string => mkdtempSync(join(work, 'f-'));

async function stored(text: string): Promise<string> {
  const path = join(newFolder(), 'file.lzma');
  writeFileSync(path, await compress(text, 'lzma'));
  return path;
}

const keyOf = (channel: string): string =>
  `saved_session/Firefox/${channel}/28.0a1/20131029030201.20131029.v2.log.a1.lzma`;
const LIMITS = {
  maxDecodedBytes: 1 << 26,
  maxRatio: 5000,
  maxDecoderBytes: 1 << 26,
  maxLineBytes: 1 << 24,
  maxTableBytes: 1 << 27,
};

async function aggregate(files: readonly SubmissionFile[], maxTableBytes: number) {
  const folder = newFolder();
  const output = join(folder, 'result.txt');
  const report = await aggregateSubmissions({
    files,
    output,
    folder,
    rules: DEFAULT_RULES,
    limits: { ...LIMITS, maxTableBytes },
  });
  assert.deepEqual(readdirSync(folder), ['result.txt'], 'no temporary file is left');
  return { report, text: readFileSync(output, 'utf8') };
}

describe('a result', () => {
  const good = `id\t${JSON.stringify({
    info: { OS: 'WINNT', version: '6.1', arch: 'x86' },
    histograms: { GC_MS: [1, 0, 0, 0, -1, -1, 0, 0] },
  })}\n`;
  const fox = '\u{1f98a}'.repeat(32);
  const evil = (submissions: number, member: 'simpleMeasurements' | 'histograms'): string => {
    const value = member === 'histograms' ? [0, 0, 0, 0, 0, 0, 0, 1] : 1;
    const measures = Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`m${index}`, value]));
    return Array.from({ length: submissions }, (_, index) => {
      const info = { OS: `${index}${fox.slice(0, 60)}`, version: fox, arch: fox };
      return `i\t${JSON.stringify({ info, [member]: measures })}\n`;
    }).join('');
  };

  for (const member of ['simpleMeasurements', 'histograms'] as const) {
    it(`does not grow out of proportion by a small file of many ${member}: that file is left out`, async () => {
      const files = [
        { key: keyOf('a'), path: await stored(good) },
        { key: keyOf('b'), path: await stored(evil(12, member)) },
        { key: keyOf('c'), path: await stored(good) },
      ];
      for (const tableBytes of [1 << 27, 4 << 20]) {
        const { report, text } = await aggregate(files, tableBytes);
        assert.deepEqual(report.filesFailed, [{ key: keyOf('b'), reason: 'too_many_rows' }]);
        assert.deepEqual([report.records, report.skipped], [2, { too_many_rows: 1 }]);
        assert.equal(text.split('\n').length - 1, 4);
      }
    });
  }

  it('takes what honest files of any size add, with room', async () => {
    // Each submission has a path of its own, and a thousand measures of many buckets.
    const names = Array.from({ length: 1000 }, (_, index) => `MEASURE_${index}`);
    const chance = chanceFor('added', '1');
    const lines = Array.from({ length: 20 }, (_, submission) => {
      const row = (): number[] => Array.from({ length: 30 }, () => (chance.happens(0.2) ? chance.below(900) : 0));
      const histograms = Object.fromEntries(names.map((name) => [name, row()]));
      return `id\t${JSON.stringify({ info: { OS: 'WINNT', version: `6.${submission}`, arch: 'x86' }, histograms })}\n`;
    });
    for (const submissions of [1, 20]) {
      const path = await stored(lines.slice(0, submissions).join(''));
      const { report } = await aggregate([{ key: keyOf('n'), path }], 1 << 27);
      assert.deepEqual([report.records, report.filesFailed], [submissions, []]);
      assert.ok(report.bytes * 3 < ADDED_LIMIT.any + statSync(path).size * ADDED_LIMIT.perStoredByte);
    }
  });
});

describe('memory', () => {
  const submission = (os: string, names: readonly string[]): string =>
    `id\t${JSON.stringify({
      info: { OS: 'WINNT', version: os, arch: 'x86' },
      histograms: Object.fromEntries(names.map((name, index) => [name, [index, 1, 0, 0, 2, -1, -1, 0, 0]])),
    })}`;
  const names = Array.from({ length: 40 }, (_, index) => `M${index}`);
  const lines = Array.from({ length: 60 }, (_, index) => submission(`6.${index % 20}`, names));

  it('of a table that grows too large goes to disk, and the result is the same', async () => {
    const path = await stored(`${lines.join('\n')}\n`);
    const files = [{ key: keyOf('nightly'), path }];
    const [whole, spilled] = [await aggregate(files, 1 << 27), await aggregate(files, 100_000)];
    assert.equal(spilled.text, whole.text);
    assert.deepEqual({ ...spilled.report }, { ...whole.report });
  });

  it(
    'of a thread costs only the file that needs more than there is',
    { skip: atScale ? false : 'npm run test:all runs it' },
    async () => {
      const good = await stored(`${lines.join('\n')}\n`);
      // The reader remembers texts of up to a kilobyte: 16,384 of them need more than this thread has.
      const odd = Array.from({ length: 10 }, (_, record) => {
        const simple = Array.from({ length: 3900 }, (_none, index) => [`${record}-${index}`.padStart(1000, 'x'), 1]);
        const simpleMeasurements = Object.fromEntries(simple) as unknown;
        return `id\t${JSON.stringify({ info: { OS: 'WINNT', version: '6.1', arch: 'x86' }, simpleMeasurements })}`;
      });
      const large = await stored(`${odd.join('\n')}\n`);
      const files = ['nightly', 'aurora', 'beta'].map((channel, index) => ({
        key: keyOf(channel),
        path: index === 1 ? large : good,
      }));
      const folder = newFolder();
      const threads = createThreadPool(1, { maxHeapMib: 16 });
      try {
        const input = { files, output: join(folder, 'result.txt'), folder, rules: DEFAULT_RULES, limits: LIMITS };
        const { filesFailed, records } = await threads.aggregateSubmissions(input);
        assert.deepEqual(filesFailed, [{ key: keyOf('aurora'), reason: 'out_of_memory' }]);
        assert.equal(records, 2 * lines.length);
      } finally {
        await threads.close();
      }
    },
  );

  it('of a thread that runs out in several files costs one more count of the others, not one for each', async () => {
    const files = ['a', 'L1', 'b', 'L2', 'L3', 'T', 'c'].map((path) => ({ key: `key-${path}`, path }));
    const reads: string[] = [];
    const read = (input: CountSubmissionsInput): void => {
      const unfit = new Set(input.unfit?.map(({ key }) => key));
      for (const [index, { key, path }] of input.files.entries()) {
        if (unfit.has(key)) continue;
        if (input.at !== undefined) input.at[0] = index + 1;
        reads.push(path);
        if (path.startsWith('L')) throw Object.assign(new Error('none'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
      }
    };
    const input: CountSubmissionsInput = { files, folder: work, rules: DEFAULT_RULES, limits: LIMITS };
    const unfit = await withoutLargeFiles(
      input,
      async (given) => {
        read(given);
        return given.unfit;
      },
      async (given) => {
        read(given);
        return [...(given.unfit ?? []), { key: 'key-T', reason: 'file_too_large' }];
      },
    );
    assert.deepEqual(
      unfit?.map(({ key, reason }) => `${key} ${reason}`),
      [...['L1', 'L2', 'L3'].map((path) => `key-${path} out_of_memory`), 'key-T file_too_large'],
    );
    assert.equal(reads.join(), 'a,L1,b,L2,L3,T,c,a,b,c');
  });

  it('and time: files that turn out unfit in their middle cost one more count of the others, not one for each', async () => {
    const good = await stored(`${lines.join('\n')}\n`);
    const large = await stored(`${lines.join('\n')}\n`.repeat(20));
    const isLarge = Array.from({ length: 12 }, (_, index) => index > 4 && index < 11);
    const files = isLarge.map((is, index) => ({ key: keyOf(`c${index}`), path: is ? large : good }));
    let reads = 0;
    const at = new Proxy(new Int32Array(1), {
      set: (array, place, value: number) => {
        reads += 1;
        return Reflect.set(array, place, value, array);
      },
    });
    const folder = newFolder();
    // Tables go to disk too, and none is left of the sums that were given up.
    const added = { any: Infinity, perStoredByte: 0 };
    const limits = { ...LIMITS, maxDecodedBytes: 1 << 20, maxTableBytes: 100_000, added };
    const report = await aggregateSubmissions({
      ...{ files, folder, limits, at },
      output: join(folder, 'result.txt'),
      rules: DEFAULT_RULES,
    });
    assert.deepEqual(readdirSync(folder), ['result.txt']);
    assert.deepEqual([report.records, report.skipped], [6 * lines.length, { file_too_large: 6 }]);
    assert.ok(reads <= 2 * files.length, `${reads} files were read`);
  });

  const oom = new URL('../../../shared/cases/oom-line/f1500k.lzma', import.meta.url).pathname;
  it(
    'does not run out on a record of 1.5 million measures',
    { skip: existsSync(oom) ? false : `${oom} is not there` },
    async () => {
      const good = await stored(`${lines.join('\n')}\n`);
      const files = [oom, good].map((path, index) => ({ key: keyOf(`c${index}`), path }));
      const folder = newFolder();
      const threads = createThreadPool(1);
      try {
        const input = { files, output: join(folder, 'result.txt'), folder, rules: DEFAULT_RULES, limits: LIMITS };
        const { filesFailed, records, skipped } = await threads.aggregateSubmissions(input);
        assert.deepEqual(filesFailed, [{ key: keyOf('c0'), reason: 'no_submission' }]);
        assert.deepEqual([records, skipped['too_many_measures']], [lines.length, 1]);
      } finally {
        await threads.close();
      }
    },
  );

  it('of whoever reads a result is spared: no line comes near what a reader takes', () => {
    const table = new SlotTable();
    const rows = table.measure(table.measuresOf('nightly/28'), 'M');
    const row = new Float64Array(10_006).fill(4_294_967_295);
    const paths = Array.from({ length: 200 }, (_, index) => `20131029/saved_session/Firefox/WINNT/6.${index}/x86`);
    for (const path of paths) table.add(rows, 0, path, row, 0, row.length, '20131029030201', '');
    // Of one path too: rows of many lengths stand side by side.
    for (let length = 9000; length < 9300; length += 1)
      table.add(rows, 0, '20131030/saved_session/Firefox/WINNT/6.1/x86', row, 0, length, '20131029030201', '');
    const parser = new ResultReader();
    const read = new SlotTable();
    let count = 0;
    for (const line of resultLines(table.sorted())) {
      const bytes = Buffer.from(line);
      assert.ok(bytes.length < MERGE_LIMITS.maxLineBytes / 3, `${bytes.length} bytes`);
      parser.parseLine(bytes, 0, bytes.length);
      count += 1;
    }
    parser.commit(read);
    assert.ok(count > 5);
    assert.deepEqual([...read.sorted()], [...table.sorted()]);
  });
});

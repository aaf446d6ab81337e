import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import lzma from 'lzma-native';
import type { PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { DEFAULT_RULES } from '../../src/pipeline/submissions/aggregator.ts';
import { aggregateSubmissions, type SubmissionFile } from '../../src/threads/aggregate-submissions.ts';
import { mergePartFiles, partsToResult } from '../../src/threads/merge-parts.ts';
import { mergeResults, type MergeResultsResult } from '../../src/threads/merge-results.ts';
import { readPart, writePart } from '../../src/threads/part-file.ts';
import { mergeSortedResults } from '../../src/threads/result-file.ts';
import type { ResultFile } from '../../src/threads/result-index.ts';
import { atScale } from '../fakes/at-scale.ts';

const data = new URL('../../../shared/data/', import.meta.url);
const skip = existsSync(data) ? false : `${data.pathname} is not there`;
const REAL = new URL('real/ss-ff-n-28.lzma', data).pathname;
const GOLDEN = new URL('golden/ff28.result.txt', data).pathname;

const work = mkdtempSync(join(tmpdir(), 'file-jobs-'));
after(() => {
  rmSync(work, { recursive: true });
});
const newFolder = (): string => mkdtempSync(join(work, 'f-'));

function store(name: string, content: string | Buffer): string {
  const path = join(newFolder(), name);
  writeFileSync(path, content);
  return path;
}

const H = '0ab8723b6fb3455bb34b04d97482fda2';
const keyOf = (channel: string): string =>
  `saved_session/Firefox/${channel}/28.0a1/20131029030201.20131029.v2.log.${H}.lzma`;
const LIMITS = {
  maxDecodedBytes: 1 << 26,
  maxRatio: 500,
  maxDecoderBytes: 1 << 26,
  maxLineBytes: 1 << 24,
  maxTableBytes: 1 << 27,
};

async function aggregate(files: readonly SubmissionFile[], limits: Partial<typeof LIMITS> = {}) {
  const folder = newFolder();
  const output = join(folder, 'result.txt');
  const all = { ...LIMITS, ...limits };
  const report = await aggregateSubmissions({ files, output, folder, rules: DEFAULT_RULES, limits: all });
  assert.deepEqual(readdirSync(folder), ['result.txt'], 'no temporary file is left');
  return { report, output, text: readFileSync(output, 'utf8') };
}

async function merge(results: readonly string[], maxTableBytes = 1 << 28, maxLineBytes = 1 << 24) {
  const files = results.map((path, index): ResultFile => ({ id: `r${index}`, path }));
  return mergeResults({ results: files, folder: newFolder(), limits: { maxLineBytes, maxTableBytes } });
}

const slotsOf = async (path: string): Promise<PartSlot[]> =>
  Array.fromAsync(readPart(path), ({ channelVersion, slot }) => ({
    channelVersion,
    slot: { ...slot, values: [...slot.values] },
  }));
const allSlots = async ({ parts }: MergeResultsResult): Promise<PartSlot[]> =>
  (await Promise.all(parts.map(({ path }) => slotsOf(path)))).flat();

async function asResult({ parts }: MergeResultsResult): Promise<string> {
  const output = join(newFolder(), 'result.txt');
  await partsToResult({ parts: parts.map(({ path }) => path), output });
  return readFileSync(output, 'utf8');
}

interface Aggregate {
  readonly values: number[];
  readonly buildId: string;
  readonly revision: string;
}

function parsed(text: string): Map<string, Map<string, Aggregate>> {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line): [string, Map<string, Aggregate>] => {
      const [key = '', json = ''] = line.split('\t');
      return [key, new Map(Object.entries(JSON.parse(json) as Record<string, Aggregate>))];
    });
  assert.equal(new Map(lines).size, lines.length, 'every key once');
  return new Map(lines);
}

/** The original prints at most 9 decimals, and 7 digits above 2^31. */
function sameNumber(ours: number, theirs: number): boolean {
  const difference = Math.abs(ours - theirs);
  return Math.abs(theirs) >= 2 ** 31
    ? difference <= 1e-6 * Math.abs(theirs)
    : difference <= 1e-9 * Math.max(1, Math.abs(theirs));
}

function assertSameResult(ours: string, theirs: string, factor = 1): void {
  const [left, right] = [parsed(ours), parsed(theirs)];
  assert.deepEqual([...left.keys()].toSorted(), [...right.keys()].toSorted());
  for (const [key, aggregates] of right) {
    assert.deepEqual([...left.get(key)!.keys()].toSorted(), [...aggregates.keys()].toSorted(), key);
    for (const [path, { values, buildId, revision }] of aggregates) {
      const mine = left.get(key)!.get(path)!;
      assert.deepEqual([mine.buildId, mine.revision, mine.values.length], [buildId, revision, values.length], key);
      const simple = key.includes('/SIMPLE_MEASURES_');
      for (const [index, value] of values.entries()) {
        const missing = value === -1 && index >= values.length - 6 && !(simple && index === values.length - 6);
        const expected = missing ? -1 : value * factor;
        assert.ok(
          sameNumber(mine.values[index]!, expected),
          `${key} ${path} [${index}]: ${mine.values[index]} ${expected}`,
        );
      }
    }
  }
}

describe('real submissions', { skip }, () => {
  it('give the result that the original gave', async () => {
    const { report, text } = await aggregate([{ key: keyOf('nightly'), path: REAL }]);
    assert.deepEqual([report.records, report.lines, report.filesFailed, report.filesPartial], [4, 904, [], []]);
    assert.deepEqual(report.skipped, {});
    assertSameResult(text, readFileSync(GOLDEN, 'utf8'));
    const paint = parsed(text).get('nightly/28/SIMPLE_MEASURES_FIRSTPAINT/by-build-date')!;
    const { values } = paint.get('20131029/saved_session/Firefox/WINNT/6.0/x86-64')!;
    assert.deepEqual([values[37], values[39], values.at(-6), values.at(-1)], [1, 1, 7355, 2]);
    assert.ok(sameNumber(values.at(-5)!, 16.378465620448573) && sameNumber(values.at(-4)!, 134.21176934972277));
  });

  it('give nothing when cut off in their first line, beside others that count', async () => {
    const corrupted = { key: keyOf('aurora'), path: new URL('real/corrupted.lzma', data).pathname };
    const alone = await aggregate([corrupted]);
    assert.deepEqual([alone.report.records, alone.report.lines, alone.text], [0, 0, '']);
    assert.deepEqual(alone.report.skipped, { truncated_file: 1 });
    assert.deepEqual(alone.report.filesPartial, [corrupted.key]);
    const good = { key: keyOf('nightly'), path: REAL };
    const beside = await aggregate([
      corrupted,
      good,
      { ...corrupted, key: `${corrupted.key.slice(0, -5)}-2.lzma` },
      good,
    ]);
    assert.deepEqual([beside.report.records, beside.report.skipped], [8, { truncated_file: 2 }]);
    assertSameResult(beside.text, readFileSync(GOLDEN, 'utf8'), 2);
  });

  it('double when their result is merged with itself', async () => {
    const merged = await merge([GOLDEN, GOLDEN]);
    assert.deepEqual(
      [merged.rejected, merged.dropped, merged.parts.map(({ channelVersion }) => channelVersion)],
      [[], {}, ['nightly/28']],
    );
    assertSameResult(await asResult(merged), readFileSync(GOLDEN, 'utf8'), 2);
  });

  it('give the same as part and as result', async () => {
    const once = await merge([GOLDEN]);
    const again = await merge([store('result.txt', await asResult(once))]);
    assert.deepEqual(
      again.parts.map(({ sha256 }) => sha256),
      once.parts.map(({ sha256 }) => sha256),
    );
  });

  it('give the same parts when the table does not fit in memory', async () => {
    const files = Array.from({ length: atScale ? 5 : 2 }, () => GOLDEN);
    const [whole, spilled] = [await allSlots(await merge(files)), await allSlots(await merge(files, 1000))];
    assert.equal(spilled.length, whole.length);
    for (const [index, { channelVersion, slot }] of whole.entries()) {
      const other = spilled[index]!;
      assert.deepEqual(
        { ...other, slot: { ...other.slot, values: 0 } },
        { channelVersion, slot: { ...slot, values: 0 } },
      );
      const isLog = (at: number): boolean => [4, 5].includes(slot.values.length - at);
      const others = [...other.slot.values];
      for (const [at, value] of [...slot.values].entries())
        assert.ok(isLog(at) ? sameNumber(others[at]!, value) : others[at] === value);
    }
  });
});

const INFO = { OS: 'WINNT', version: '6.1', arch: 'x86', revision: '' };
const FLAG = [1, 0, 0, 0, -1, -1, 0, 0];
const submission = (part: Record<string, unknown> = {}): string =>
  `id\t${JSON.stringify({ info: INFO, histograms: { FLAG }, ...part })}`;

async function lzmaFile(text: string): Promise<string> {
  const compressed = await new Promise<Buffer>((resolve) => {
    lzma.compress(text, { preset: 1 } as never, resolve);
  });
  return store('submissions.lzma', compressed);
}

const countOf = (text: string): unknown => /"values":\[(\d+)/.exec(text)?.[1];

describe('the submissions of a task', () => {
  it('are read from all its files; a bad file is named with its reason', async () => {
    const good = await lzmaFile(`${submission()}\n${submission()}`);
    const files: SubmissionFile[] = [
      { key: keyOf('nightly'), path: good },
      { key: 'not/a/key', path: good },
      { key: keyOf('beta'), path: store('plain.lzma', 'plain text\n') },
      { key: keyOf('aurora'), path: store('empty.lzma', '') },
      { key: keyOf('release'), path: good },
    ];
    const { report, text } = await aggregate(files);
    assert.equal(report.records, 4);
    assert.deepEqual(report.filesFailed, [
      { key: 'not/a/key', reason: 'bad_key' },
      { key: keyOf('beta'), reason: 'bad_container' },
    ]);
    assert.deepEqual(report.skipped, { empty_file: 1, bad_key: 1, bad_container: 1 });
    const keys = [...parsed(text).keys()];
    assert.deepEqual(keys, [
      'nightly/28/FLAG/by-build-date',
      'nightly/28/FLAG/by-submission-date',
      'release/28/FLAG/by-build-date',
      'release/28/FLAG/by-submission-date',
    ]);
    assert.equal(text.length, report.bytes);
  });

  it('count without a file that turns out unfit after some of its lines', async () => {
    const large = await lzmaFile(`${submission()}\n`.repeat(20_000));
    const { report, text } = await aggregate(
      [
        { key: keyOf('nightly'), path: await lzmaFile(submission()) },
        { key: keyOf('aurora'), path: large },
      ],
      { maxDecodedBytes: 1 << 20 },
    );
    assert.deepEqual([report.records, report.filesFailed], [1, [{ key: keyOf('aurora'), reason: 'file_too_large' }]]);
    assert.ok(!text.includes('aurora'));
  });

  it('count all but lines that are too long or no UTF-8', async () => {
    const long = submission({ x: 'x'.repeat(5000) });
    const path = await lzmaFile([submission(), long, submission(), long].join('\n'));
    const { report, text } = await aggregate([{ key: keyOf('nightly'), path }], { maxLineBytes: 4000 });
    assert.deepEqual([report.records, report.skipped, countOf(text)], [2, { line_too_long: 2 }, '2']);
  });

  it('write the same bytes every time', async () => {
    const path = await lzmaFile([submission(), submission({ simpleMeasurements: { a: 1 } })].join('\n'));
    const [one, two] = [
      await aggregate([{ key: keyOf('nightly'), path }]),
      await aggregate([{ key: keyOf('nightly'), path }]),
    ];
    assert.deepEqual([one.text, one.report], [two.text, two.report]);
  });

  it('fail as a whole when a file is absent: the task is tried again', async () => {
    await assert.rejects(aggregate([{ key: keyOf('nightly'), path: join(work, 'absent') }]), { code: 'ENOENT' });
  });

  it('are read from what xz itself wrote, when there is xz', async (test) => {
    const path = store('plain', `${submission()}\n`);
    try {
      execFileSync('xz', ['--format=lzma', '--suffix=.lzma', path]);
    } catch {
      test.skip('no xz here');
      return;
    }
    assert.equal((await aggregate([{ key: keyOf('nightly'), path: `${path}.lzma` }])).report.records, 1);
  });
});

const line = (channelVersion: string, hits: number, more = ''): string =>
  `${channelVersion}/FLAG/by-build-date\t{"20131029/saved_session/Firefox/WINNT/6.1/x86":` +
  `{"values":[${hits},0,0,0,-1,-1,0,0,1],"buildId":"20131029030201","revision":""}${more}}\n`;

describe('merging results', () => {
  it('makes one part a channel/version, in order', async () => {
    const { parts } = await merge([
      store('a', line('nightly/28', 1) + line('aurora/27', 2)),
      store('b', line('nightly/28', 3) + line('nightly/3', 1)),
    ]);
    assert.deepEqual(
      parts.map(({ channelVersion, slots }) => [channelVersion, slots]),
      [
        ['aurora/27', 1],
        ['nightly/28', 1],
        ['nightly/3', 1],
      ],
    );
    assert.deepEqual((await slotsOf(parts[1]!.path))[0]?.slot.values, [4, 0, 0, 0, -1, -1, 0, 0, 2]);
  });

  it('leaves out a result with one bad line, whole, and says which and why', async () => {
    const bad = store('bad', `${line('nightly/28', 5)}nightly/28/FLAG\t{}\n${line('aurora/27', 5)}`);
    const { parts, rejected } = await merge([
      store('a', line('nightly/28', 1)),
      bad,
      store('c', line('nightly/28', 2)),
    ]);
    assert.deepEqual(
      rejected.map(({ id, reason }) => [id, reason]),
      [['r1', 'bad_result_key']],
    );
    assert.deepEqual(
      (await Promise.all(parts.map(({ path }) => slotsOf(path)))).flat().map(({ slot }) => [...slot.values][0]),
      [3],
    );
  });

  it('rejects a result with a line that is too long, and reads on', async () => {
    const long = store('long', line('nightly/28', 5, ' '.repeat(3000)));
    const { rejected, parts } = await merge([long, store('a', line('nightly/28', 1))], 1 << 28, 2000);
    assert.deepEqual([rejected.map(({ reason }) => reason), parts.length], [['line_too_long'], 1]);
  });

  it('counts results too large to be held like any others, and leaves out a bad one whole', async () => {
    const path = `,"20131029/too/short":{"values":[1,1,1,1,1,1,1],"buildId":"0","revision":""}`;
    const lines = atScale ? 12_000 : 2_400;
    const large = Array.from({ length: lines }, (_, number) =>
      line('nightly/28', 1, path).replace('FLAG', `M${number % (lines * 0.75)}`),
    ).join('');
    const files = [
      store('a', large),
      store('bad', `${large}the end`),
      store('b', large.replaceAll('nightly/28', 'aurora/27')),
    ];
    const whole = await merge(files);
    const inPieces = await merge(files, atScale ? 1 << 20 : 1 << 18);
    assert.deepEqual(
      inPieces.rejected.map(({ id, reason }) => [id, reason]),
      [['r1', 'no_tab']],
    );
    assert.deepEqual(
      [inPieces.dropped, inPieces.bytes, inPieces.rejected],
      [{ bad_path: 2 * lines }, whole.bytes, whole.rejected],
    );
    const text = (slots: readonly PartSlot[]): string => slots.map((slot) => JSON.stringify(slot)).join('\n');
    assert.ok(text(await allSlots(inPieces)) === text(await allSlots(whole)), 'the same parts');
    assert.ok((await allSlots(whole)).length === 1.5 * lines);
  });

  it('takes an empty result for no data', async () => {
    assert.deepEqual(await merge([store('empty', '')]), { parts: [], rejected: [], dropped: {}, bytes: 0 });
  });

  it('counts aggregates it drops and statistics it mixes, of accepted results only', async () => {
    const path = `,"20131029/too/short":{"values":[1,1,1,1,1,1,1],"buildId":"0","revision":""}`;
    const mixed = line('nightly/28', 1).replace('[1,0,0,0,-1,-1,0,0,1]', '[1,0,0,0,2,2,0,0,1]');
    const bad = `${line('nightly/28', 1, path)}x\n`;
    const { dropped } = await merge([store('a', line('nightly/28', 1, path)), store('b', bad), store('c', mixed)]);
    assert.deepEqual(dropped, { bad_path: 1, mixed_statistics: 2 });
  });
});

describe('sorted results', () => {
  const line = (measure: string, hits: number): string =>
    `nightly/28/${measure}/by-build-date\t{"20131029/a/b/c/d/e":{"values":[${hits},0,0,-1,-1,0,0,1],"buildId":"0","revision":""}}\n`;
  const result = (...lines: readonly string[]): string => store('result', lines.join(''));

  it('are merged as streams', async () => {
    const output = join(newFolder(), 'result.txt');
    const results = [result(line('B', 1), line('D', 1)), result(), result(line('A', 1), line('B', 2))];
    const { lines, bytes } = await mergeSortedResults({ results, output });
    const expected = [line('A', 1), line('B', 3).replace(',1],', ',2],'), line('D', 1)].join('');
    assert.equal(readFileSync(output, 'utf8'), expected);
    assert.deepEqual([lines, bytes], [3, expected.length]);
  });

  it('are refused when one is not in order', async () => {
    const results = [result(line('B', 1), line('A', 1)), result(line('C', 1))];
    await assert.rejects(mergeSortedResults({ results, output: join(newFolder(), 'result.txt') }), {
      reason: 'unsorted_slots',
    });
  });
});

describe('part files', () => {
  it('merge in files as they do in memory', async () => {
    const part = async (hits: number): Promise<string> =>
      (await merge([store('a', line('nightly/28', hits))])).parts[0]!.path;
    const output = join(newFolder(), 'merged');
    const info = await mergePartFiles({ parts: [await part(1), await part(2), await part(4)], output });
    assert.equal(info.slots, 1);
    assert.deepEqual((await slotsOf(output))[0]?.slot.values, [7, 0, 0, 0, -1, -1, 0, 0, 3]);
  });

  const slots = Array.from({ length: 3000 }, (_, index): PartSlot => {
    const values = Array.from({ length: 20 }, (__, at) => Math.imul(index + 1, 2654435761 + at) >>> 0);
    const place = {
      measure: `M${10_000 + index}`,
      byDate: 'by-build-date',
      path: 'a/b/c/d/é',
      date: '20131029',
    } as const;
    return { channelVersion: 'nightly/28', slot: { ...place, values, buildId: '0', revision: '' } };
  });

  it('come back as they were written', async () => {
    const path = join(newFolder(), 'part');
    const { slots: count } = await writePart(path, slots);
    assert.equal(count, slots.length);
    assert.deepEqual(await slotsOf(path), slots);
  });

  it('may be empty', async () => {
    const path = join(newFolder(), 'part');
    await writePart(path, []);
    assert.deepEqual(await slotsOf(path), []);
  });

  it('that are cut off, damaged or gone are an error, never a shorter part', async () => {
    const path = join(newFolder(), 'part');
    await writePart(path, slots);
    const whole = readFileSync(path);
    const cuts = [0.3, 0.9].map((part) => whole.subarray(0, Math.floor(part * whole.length)));
    for (const cut of [...cuts, whole.subarray(0, -1), whole.subarray(4), Buffer.from('plain')])
      await assert.rejects(slotsOf(store('cut', cut)), `${cut.length} of ${whole.length} bytes`);
    await assert.rejects(slotsOf(join(work, 'absent')), { code: 'ENOENT' });
    await assert.rejects(mergePartFiles({ parts: [path, join(work, 'absent')], output: join(newFolder(), 'o') }), {
      code: 'ENOENT',
    });
  });

  it('with a line of another kind are an error', async () => {
    const { createZstdCompress } = await import('node:zlib');
    const compress = createZstdCompress();
    compress.end('["nightly/28"]\n');
    const path = store('odd', Buffer.concat(await Array.fromAsync(compress as AsyncIterable<Buffer>)));
    await assert.rejects(slotsOf(path), (error) => error instanceof InvalidDataError && error.reason === 'bad_part');
  });
});

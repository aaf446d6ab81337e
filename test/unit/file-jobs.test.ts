/** The jobs of worker threads over files: what they count, leave out and refuse. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import lzma from 'lzma-native';
import type { PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import type { SubmissionFile } from '../../src/threads/aggregate-submissions.ts';
import { mergePartFiles } from '../../src/threads/merge-parts.ts';
import { writePart } from '../../src/threads/part-file.ts';
import { mergeSortedResults } from '../../src/threads/result-file.ts';
import { atScale } from '../fakes/at-scale.ts';
import { aggregate, allSlots, keyOf, merge, newFolder, parsed, slotsOf, store, work } from '../fakes/file-jobs.ts';

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

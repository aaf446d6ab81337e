import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { addCounts } from '../../src/pipeline/known-reasons.ts';
import { mergePartFiles, partsToResult } from '../../src/threads/merge-parts.ts';
import { mergeResultRanges, mergeResults } from '../../src/threads/merge-results.ts';
import { indexResults, linesByKey, type ResultFile } from '../../src/threads/result-index.ts';
import { sharedFile } from '../../src/threads/shared-file.ts';
import { shareOf } from '../fakes/key-ranges.ts';
import { cases } from '../fakes/cases.ts';
import { atScale } from '../fakes/at-scale.ts';
import { mergeSlowly } from '../fakes/result-reader.ts';

const work = mkdtempSync(join(tmpdir(), 'merge-reference-'));
after(() => {
  rmSync(work, { recursive: true });
});

const LINE_BYTES = 1 << 24;
const TABLE_BYTES = 1 << 27;

function inFolder<T>(results: readonly (string | Buffer)[], use: (files: ResultFile[], folder: string) => T): T {
  const folder = mkdtempSync(join(work, 'f-'));
  const files = results.map((text, number) => {
    const path = join(folder, `result-${number}`);
    writeFileSync(path, text);
    return { id: String(number), path };
  });
  return use(files, folder);
}

interface Merged {
  readonly text: string;
  readonly rejected: Record<string, string>;
  readonly dropped: Record<string, number>;
}

/** As the command does: the results are indexed by so many threads, and their keys merged by as many. */
function mergedBy(
  threads: number,
  results: readonly (string | Buffer)[],
  maxTableBytes = TABLE_BYTES,
): Promise<Merged> {
  return inFolder(results, async (files, folder) => {
    const share = Math.ceil(files.length / threads);
    const shares = Array.from({ length: threads }, (_, index) => files.slice(index * share, (index + 1) * share));
    const indexes = await Promise.all(shares.map((some) => indexResults({ results: some, maxLineBytes: LINE_BYTES })));
    const lines = linesByKey(indexes);
    const keys = lines.first.length - 1;
    const rejected = new Map(
      indexes.flatMap((index) => index.rejected).map(({ id, reason }) => [id, reason as string]),
    );
    const dropped: Record<string, number> = {};
    const output = sharedFile(join(folder, 'output'), threads);
    for (let index = 0; index < threads; index += 1) {
      const range = [Math.floor((keys * index) / threads), Math.floor((keys * (index + 1)) / threads)] as const;
      const merged = await mergeResultRanges({
        ...{ lines, results: files, folder, maxTableBytes, output },
        ranges: shareOf(index, range),
      });
      for (const { id, reason } of merged.rejected) rejected.set(id, reason);
      addCounts(dropped, merged.dropped);
    }
    const text = readFileSync(output.path, 'utf8');
    return { text, rejected: Object.fromEntries(rejected), dropped };
  });
}

/** As the activity does; its parts, written as a result. */
function mergedToParts(results: readonly (string | Buffer)[], maxTableBytes = TABLE_BYTES): Promise<Merged> {
  return inFolder(results, async (files, folder) => {
    const limits = { maxLineBytes: LINE_BYTES, maxTableBytes };
    const { parts, rejected, dropped } = await mergeResults({ results: files, folder, limits });
    const output = join(folder, 'output');
    let text = '';
    for (const { path, sha256, slots, bytes } of parts) {
      await partsToResult({ parts: [path], output });
      text += readFileSync(output, 'utf8');
      // The kernel writes parts as all other code does.
      const again = await mergePartFiles({ parts: [path], output: join(folder, 'again') });
      assert.deepEqual([sha256, slots, bytes], [again.sha256, again.slots, again.bytes]);
    }
    return { text, rejected: Object.fromEntries(rejected.map(({ id, reason }) => [id, reason])), dropped };
  });
}

async function assertLikeTheReference(results: readonly (string | Buffer)[], threads = [1, 2, 4]): Promise<void> {
  const expected = mergeSlowly(results);
  const assertRejected = (rejected: Merged['rejected']): void => {
    assert.deepEqual(Object.keys(rejected).toSorted(), Object.keys(expected.rejected).toSorted());
    for (const [result, reason] of Object.entries(rejected))
      assert.ok(expected.rejected[Number(result)]?.includes(reason));
  };
  const { rejected, ...counted } = await mergedToParts(results);
  assertRejected(rejected);
  assert.deepEqual(counted, { text: expected.text, dropped: expected.dropped });
  for (const count of threads) {
    const merged = await mergedBy(count, results);
    assertRejected(merged.rejected);
    // The command writes nothing when a result is rejected.
    if (Object.keys(expected.rejected).length > 0) continue;
    assert.equal(merged.text, expected.text, `${count} threads`);
    assert.deepEqual(merged.dropped, expected.dropped, `${count} threads`);
  }
}

const KEYS = ['nightly/28/GC_MS', 'nightly/28/SIMPLE_MEASURES_A', 'nightly/29/GC_MS', 'aurora/27/X'].flatMap((key) => [
  `${key}/by-build-date`,
  `${key}/by-submission-date`,
]);
const KEY = KEYS[0]!;
const PATH = '20131029/saved_session/Firefox/WINNT/6.1/x86';
const END = '"buildId":"20131029030201","revision":"http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4"';
const member = (values: string, path = PATH, end = END): string => `"${path}":{"values":[${values}],${end}}`;
const line = (...members: readonly string[]): string => `${KEY}\t{${members.join(',')}}\n`;
const GOOD = member('5,0,0,0,0,0,0,0,0,0,7,-1,-1,12,0,3');

describe('the merge of results gives what the reference gives', () => {
  const often = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<T>, weight = 19): fc.Arbitrary<T> =>
    fc.oneof({ arbitrary: good, weight }, { arbitrary: bad, weight: 1 });
  const bucket = often(
    fc.oneof({ arbitrary: fc.constant('0'), weight: 8 }, { arbitrary: fc.nat(2 ** 31).map(String), weight: 2 }),
    fc.constantFrom(
      '9007199254740992',
      '9007199254740993',
      '-0',
      '1e3',
      '4E+2',
      '1.0',
      '123456789012',
      '-1',
      '0.5',
      '1e29',
    ),
    60,
  );
  const statistic = fc.oneof(
    fc.constantFrom('-1', '0', '-0', '-1.0', '1e400', '-1e30', '12345678901234567890'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.double({ min: 0, max: 5000, noNaN: true }).map((value) => value.toFixed(9)),
    fc.nat(10_000).map(String),
  );
  const count = often(fc.integer({ min: 1, max: 99 }).map(String), fc.constantFrom('0', '-1', '1.5', '1e2'));
  const row = fc
    .tuple(
      fc
        .constantFrom(1, 3, 3, 3, 8, 9, 50, 50)
        .chain((length) => fc.array(bucket, { minLength: length, maxLength: length })),
      fc.array(statistic, { minLength: 5, maxLength: 5 }),
      count,
    )
    .map(([buckets, statistics, last]) => [...buckets, ...statistics, last].join(','));
  const values = often(
    row,
    fc.constantFrom('', '1', 'null,1,1,1,1,1,1', '"x"', '[1],1', '01', '1,,1', '1.,1', 'inf', '1 , 1'),
  );
  const space = often(fc.constant(''), fc.constantFrom(' ', '\t', '\r', '  '), 60);
  const revision = often(
    fc.constantFrom(
      'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4',
      '',
      'b!',
      'b',
      'simple-measures-hack',
      'a}b',
    ),
    fc.constantFrom('é', '\\u00e9', 'x\\"}', '\\/', '🦊', '\uffee', 'x'.repeat(256), '\\q'),
  );
  const build = often(
    fc.constantFrom('20131029030201', '20131030', '0', '201310290302'),
    fc.constantFrom('2013', '\\u0030', ''),
  );
  const end = often(
    fc.tuple(build, revision).map(([id, text]) => `"buildId":"${id}","revision":"${text}"`),
    fc.constantFrom(
      '"revision":"","buildId":"0"',
      '"buildId":"0"',
      '"buildId":0,"revision":""',
      `${END},"more":{"values":[1]}`,
    ),
  );
  const aggregate = often(
    fc.tuple(space, values, end).map(([blank, text, rest]) => `{"values":${blank}[${text}],${rest}}`),
    fc.constantFrom('null', '5', '{}', `{${END}}`, `{${END},"values":[1,2,3,4,5,6,7]}`, '{"values":5}', '"x"'),
  );
  const part = fc.constantFrom('a', 'Firefox', 'WINNT', '6.1', 'x86-64', 'x86');
  const path = often(
    fc
      .tuple(fc.constantFrom('20131029', '20131101', '20121231'), fc.array(part, { minLength: 5, maxLength: 5 }))
      .map(([date, parts]) => [date, ...parts].join('/')),
    fc.constantFrom(
      '20131029/a/b/c/d/é',
      '20131029/a/b/c/d/\\u00e9',
      '20131029/\\u0061/a/a/a/a',
      '20131029/a/b/c/🦊/e',
      '20131029/a/b/c/\uffee/e',
      '20131029/a/b/c/d\\"/e',
      '20131029/a/b/c/d',
      '20139999/a/b/c/d/e',
      '20131029/a/name/c/d/e',
      '20131029/a//c/d/e',
      `20131029/a/b/c/d/${'x'.repeat(1010)}`,
      `20131029/a/b/c/d/${'x'.repeat(7000)}`,
      'bad\\escape',
      'a\u0001b',
    ),
    9,
  );
  const value = often(
    aggregate,
    fc.array(aggregate, { maxLength: 3 }).map((list) => `[${list.join(',')}]`),
    5,
  );
  const object = fc
    .array(fc.tuple(path, space, value, space), { maxLength: 12 })
    .map((members) => `{${members.map(([name, a, json, b]) => `"${name}":${a}${json}${b}`).join(',')}}`);
  const ending = often(fc.constant('\n'), fc.constantFrom('\r\n', ' \n', '}\n', 'x\n', '\n\n'), 60);
  const anyLine = often(
    fc
      .tuple(
        often(fc.constantFrom(...KEYS), fc.constantFrom('nightly/28/GC_MS', 'a/1/B/by-day', 'x'.repeat(600)), 99),
        object,
        ending,
      )
      .map(([key, json, lf]) => `${key}\t${json}${lf}`),
    fc.constantFrom('', 'no tab\n', `${KEY}\t[]\n`, `${KEY}\t{}\n`, `${KEY}\t{"a":\n`, `${KEY}\t {}\n`, '\t{}\n'),
    99,
  );
  const results = fc.array(
    fc.tuple(fc.array(anyLine, { maxLength: 6 }), fc.boolean()).map(([lines, isOpen]) => {
      const text = lines.join('');
      return isOpen && text.endsWith('\n') ? text.slice(0, -1) : text;
    }),
    { minLength: 1, maxLength: 5 },
  );

  const threadCount = fc.constantFrom(1, 2, 4);

  it('for any lines, good and bad', async () => {
    await fc.assert(
      fc.asyncProperty(results, threadCount, async (texts, threads) => {
        await assertLikeTheReference(texts, [threads]);
      }),
      { numRuns: cases(800) },
    );
  });

  it('for results that are damaged somewhere', async () => {
    const damage = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(results, damage, threadCount, async (texts, [at, bytes], threads) => {
        const first = Buffer.from(texts[0] ?? '');
        const place = at % (first.length + 1);
        const damaged = Buffer.concat([first.subarray(0, place), bytes, first.subarray(place + bytes.length)]);
        await assertLikeTheReference([damaged, ...texts.slice(1)], [threads]);
      }),
      { numRuns: cases(300) },
    );
  });

  it('for every double, however it is spelled', async () => {
    const spelled = fc
      .tuple(fc.double({ min: -(2 ** 96), max: 2 ** 96, noNaN: true }), fc.nat(6))
      .map(([number, how]) => SPELLINGS[how]!(number));
    await fc.assert(
      fc.asyncProperty(fc.array(spelled, { minLength: 400, maxLength: 400 }), async (numbers) => {
        const members = numbers.map((number, index) =>
          member(`1,2,${number},-1,-1,0,0,1`, `20131029/a/b/c/d/${index}`),
        );
        await assertLikeTheReference([line(...members)], [1]);
      }),
      { numRuns: cases(40) },
    );
  });

  it('for numbers at the edges of what doubles tell apart', async () => {
    const edges = Array.from({ length: 90 }, (_, power) => [2 ** power, 2 ** power - 1, 2 ** power + 1]).flat();
    const halves = [
      '9007199254740993',
      '9007199254740993.0000000001',
      '0.1',
      '0.30000000000000004',
      '123456789.98765432',
    ];
    const small = [
      '5e-324',
      '2.2250738585072014e-308',
      '1e-7',
      '0.000001',
      '0.0000009999999999999999',
      '1e21',
      '999999999999999900000',
    ];
    const texts = [...edges.map(String), ...edges.map((value) => String(value / 1000)), ...halves, ...small];
    const members = texts.map((number, index) => member(`1,2,${number},-1,-1,0,0,1`, `20131029/a/b/c/d/${index}`));
    await assertLikeTheReference([line(...members)]);
  });

  it('for lines longer than any block or window, and files without end', async () => {
    const zeros = Array.from({ length: 9000 }, () => '0').join(',');
    const members = Array.from({ length: 150 }, (_, index) =>
      member(`${zeros},1,2,-1,-1,0,0,1`, `20131029/a/b/c/d/${index}`),
    );
    const long = line(...members);
    assert.ok(long.length > 2 << 20);
    await assertLikeTheReference([line(GOOD) + long + line(GOOD), long.slice(0, -1), line(GOOD)]);
    await assertLikeTheReference([line(GOOD), long.slice(0, 1_500_000), line(GOOD) + long.slice(0, -2)]);
  });

  it(
    'for any single byte in the place of a number',
    { skip: atScale ? false : 'npm run test:all runs it' },
    async () => {
      const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a);
      const results = bytes.flatMap((byte) =>
        ['5,0,0,?,0,-1,-1,12,0,3', '0,0,0,7,-1,-1,12,0,?'].map((values) => {
          const result = Buffer.from(line(member(values)), 'latin1');
          result[result.indexOf('?')] = byte;
          return result;
        }),
      );
      await assertLikeTheReference(results, [1]);
    },
  );

  it('for a row of the longest length, and one beyond it', async () => {
    const buckets = Array.from({ length: 10_000 }, (_, index) => index % 7);
    const longest = [...buckets, -1, -1, -1, 5, 0, 1].join(',');
    await assertLikeTheReference([line(member(longest)), line(member(longest), member(`1,${longest}`))]);
  });

  it('when a table is too large to be held: what was added before counts once', async () => {
    // Whole numbers, since the order of addition is another one.
    const result = (seed: number): string =>
      line(
        ...Array.from({ length: 300 }, (_, index) =>
          member(`${index + seed},0,2,-1,-1,0,0,1`, `20131029/a/b/c/d/${(index * 7) % 250}`),
        ),
      );
    const results = [1, 2, 3, 4].map(result);
    const expected = mergeSlowly(results);
    for (const tableBytes of [1, 1000, 20_000]) {
      assert.equal((await mergedToParts(results, tableBytes)).text, expected.text);
      for (const threads of [1, 2]) assert.equal((await mergedBy(threads, results, tableBytes)).text, expected.text);
    }
  });
});

const SPELLINGS: readonly ((number: number) => string)[] = [
  String,
  (number) => number.toExponential(),
  (number) => number.toPrecision(17),
  (number) => number.toPrecision(21),
  (number) => (Math.abs(number) < 1e20 ? number.toFixed(9) : String(number)),
  (number) => (Math.abs(number) < 1e20 ? number.toFixed(18) : String(number)),
  (number) => String(Math.sqrt(Math.abs(number)) / 1024),
];

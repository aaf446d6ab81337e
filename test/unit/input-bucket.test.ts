import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { anyCharacter } from '../fakes/any-character.ts';
import { type AllowedValues, DIMENSIONS, type Filter } from '../../src/pipeline/filter/filter.ts';
import { classifyFileName, parseInputKey } from '../../src/pipeline/input-bucket/key.ts';
import {
  type ListedEntry,
  type ListLevel,
  type SkipCounts,
  walkPartitions,
} from '../../src/pipeline/input-bucket/walk.ts';
import { failureTypeOf } from '../../src/error-classes.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';

const H = '0ab8723b6fb3455bb34b04d97482fda2';
const REAL = `saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.${H}.lzma`;

describe('file names', () => {
  for (const [rest, kind] of [
    [`v2.log.${H}.lzma`, 'submissions'],
    [`v2.log.${H}.xz`, 'submissions'],
    ['v2.log.hand-made.lzma', 'submissions'],
    [`v1.log.${H}.lzma`, 'other_version'],
    [`v3.log.${H}.xz`, 'other_version'],
    [`v2.log.${H}.lzma.compressme`, 'unrecognised'],
    [`v2.log.${H}.gz`, 'unrecognised'],
    [`v2.log.${H}`, 'unrecognised'],
    [`v2.txt.${H}.lzma`, 'unrecognised'],
    ['v2.log..lzma', 'unrecognised'],
    ['', 'unrecognised'],
  ] as const) {
    it(`${rest || 'nothing'} is ${kind}`, () => {
      assert.equal(classifyFileName(rest), kind);
    });
  }
});

describe('input keys', () => {
  it('name the dimensions of their submissions', () => {
    assert.deepEqual(parseInputKey(REAL), {
      reason: 'saved_session',
      appName: 'Firefox',
      channel: 'nightly',
      channelVersion: 'nightly/28',
      buildId: '20131029030201',
      buildDate: '20131029',
      submissionDate: '20131029',
    });
  });

  for (const [version, major] of [
    ['28.0a1', '28'],
    ['28', '28'],
    ['24.1.0esr', '24'],
    ['UNKNOWN', 'UNKNOWN'],
  ] as const) {
    it(`version ${version} is counted as ${major}`, () => {
      assert.equal(parseInputKey(REAL.replace('28.0a1', version)).channelVersion, `nightly/${major}`);
    });
  }

  const bad: readonly [name: string, key: string, strict?: boolean][] = [
    ['a build id of 4 digits', REAL.replace('20131029030201', '2013')],
    ['build id UNKNOWN', REAL.replace('20131029030201', 'UNKNOWN')],
    ['a build id of no such month', REAL.replace('20131029030201', '20131399030201')],
    ['a build id of 15 digits', REAL.replace('20131029030201', '201310290302011')],
    ['a build id of 8 digits, when 14 are demanded', REAL.replace('20131029030201', '20131029'), true],
    ['a submission date of no such day', REAL.replace('.20131029.', '.20130229.')],
    ['a submission date of 6 digits', REAL.replace('.20131029.', '.201310.')],
    ['an empty part', REAL.replace('Firefox/nightly', 'Firefox//nightly')],
    ['one part more', REAL.replace('nightly', 'nightly/x')],
    ['one part less', REAL.replace('nightly/', '')],
    ['a dot name as channel', REAL.replace('nightly', '..')],
    ['a version that begins with a dot', REAL.replace('28.0a1', '.28')],
    ['dot names as version', REAL.replace('28.0a1', '..')],
    ['a - in the channel, which no writer leaves', REAL.replace('nightly', 'nightly-ux')],
    ['a - in the version', REAL.replace('28.0a1', '28-x.0a1')],
    ['a blank', REAL.replace('nightly', 'night ly')],
    ['no format version', REAL.replace('.v2.log.', '.log.')],
    ['nothing', ''],
  ];
  for (const [name, key, strict] of bad) {
    it(`with ${name} are bad_key`, () => {
      assert.throws(
        () => parseInputKey(key, strict),
        (error) => error instanceof InvalidDataError && error.reason === 'bad_key',
      );
    });
  }

  it('take build ids of 8 to 14 digits when nothing stricter is asked', () => {
    for (const buildId of ['20131029', '201310290302', '20131029030201'])
      assert.equal(parseInputKey(REAL.replace('20131029030201', buildId)).buildId, buildId);
  });

  it('are read or refused, whatever they are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: anyCharacter }), mutated(REAL)), (key) => {
        try {
          assert.match(parseInputKey(key).channelVersion, /^[A-Za-z0-9_.]+\/[A-Za-z0-9_]+$/);
        } catch (error) {
          if (!(error instanceof InvalidDataError)) throw error;
        }
      }),
    );
  });
});

function mutated(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([at, cut, insert]) => text.slice(0, at) + insert + text.slice(at + cut));
}

/** An input bucket that answers as S3 does, a page at a time, and notes what it was asked. */
function bucketOf(objects: Readonly<Record<string, number>>) {
  const calls: string[] = [];
  const list = async function* (prefix: string, delimiter: '/' | '.' | undefined): AsyncGenerator<ListedEntry> {
    calls.push(`${prefix} ${delimiter ?? 'all'}`);
    const seen = new Set<string>();
    for (const [key, size] of Object.entries(objects)) {
      if (!key.startsWith(prefix)) continue;
      const cut = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      if (cut < 0) yield { kind: 'object', key, size };
      else if (!seen.has(key.slice(0, cut + 1))) {
        seen.add(key.slice(0, cut + 1));
        yield { kind: 'folder', name: key.slice(0, cut + 1) };
      }
    }
  };
  return { calls, list };
}

/** Folders below a prefix on the way to some partitions. */
function* foldersOf(partitions: readonly string[], prefix: string, delimiter: string): Generator<ListedEntry> {
  const below = partitions.filter((partition) => partition.startsWith(prefix));
  const names = below.map((partition) => partition.slice(0, partition.indexOf(delimiter, prefix.length) + 1));
  for (const name of new Set(names)) yield { kind: 'folder', name };
}

function filterOf(...values: AllowedValues[]): Filter {
  const dimensions = DIMENSIONS.map((field_name, index) => ({ field_name, allowed_values: values[index] ?? '*' }));
  return { version: 1, dimensions };
}

async function walk(objects: Readonly<Record<string, number>>, filter: Filter) {
  const { calls, list } = bucketOf(objects);
  const skipped: SkipCounts = {};
  const files = await Array.fromAsync(walkPartitions(list, filter, skipped));
  return { calls, skipped, files };
}

const tail = `v2.log.${H}.lzma`;
/** The bucket of the worked example, docs/formats/input-bucket.md 1.4. */
const EXAMPLE = {
  [`idle_daily/Firefox/nightly/28.0a1/20131029030201.20131029.${tail}`]: 10,
  [`saved_session/Firefox/aurora/27.0a2/20131028004004.20131029.${tail}`]: 20,
  [`saved_session/Firefox/nightly/28.0a1/20131028030205.20131029.${tail}`]: 30,
  [`saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.${tail}`]: 40,
  [`saved_session/Firefox/nightly/28.0a1/20131029030201.20131030.${tail}`]: 50,
  [`saved_session/Firefox/nightly_ux/28.0a1/20131029030201.20131029.${tail}`]: 60,
  [`saved_session/Firefox/other/28.0a1/20131029030201.20131029.${tail}`]: 70,
  README: 1,
};

describe('the partition walk', () => {
  const rest = ['*', ['nightly', 'nightly-ux'], '*', { min: '20131029' }, ['20131029']] as const;

  it('finds the files of the worked example with eleven calls', async () => {
    const { files, calls, skipped } = await walk(EXAMPLE, filterOf(['saved-session'], ...rest));
    assert.deepEqual(
      files.map(({ size }) => size),
      [40, 60],
    );
    assert.deepEqual(calls.slice(0, 7), [
      ' /',
      'saved_session/ /',
      'saved_session/Firefox/ /',
      'saved_session/Firefox/nightly/ /',
      'saved_session/Firefox/nightly/28.0a1/ .',
      'saved_session/Firefox/nightly/28.0a1/20131029030201. .',
      'saved_session/Firefox/nightly/28.0a1/20131029030201.20131029. all',
    ]);
    assert.equal(calls.length, 11);
    assert.deepEqual(skipped, {});
  });

  it('counts README in the root as malformed when its level is open', async () => {
    const { skipped } = await walk(EXAMPLE, filterOf('*', ...rest));
    assert.deepEqual(skipped, { malformed_key: 1 });
  });

  it('lists the next partitions meanwhile, and holds no more files of them than memory should', async () => {
    const partitions = Array.from({ length: 6 }, (_, n) => `r/a/c/1.0/201310290302${10 + n}.20131029.`);
    const perPartition = 6000;
    let listed = 0;
    const list: ListLevel = async function* (prefix, delimiter) {
      if (delimiter !== undefined) yield* foldersOf(partitions, prefix, delimiter);
      else
        for (let n = 0; n < perPartition; n += 1) {
          listed += 1;
          yield { kind: 'object', key: `${prefix}v2.log.${String(n).padStart(4, '0')}.xz`, size: 1 };
        }
    };
    const walked = walkPartitions(list, filterOf(), {});
    await walked.next();
    // Everything that may go on has gone on by then: nothing here waits for anything but its turn.
    await setImmediate();
    assert.ok(listed > perPartition, `${listed} were listed`);
    assert.ok(listed <= perPartition + 20_000 + 8, `${listed} were listed`);
    let count = 1;
    for await (const { key } of walked) {
      assert.ok(key.startsWith(partitions[Math.floor(count / perPartition)] ?? '?'), `${key} is number ${count}`);
      count += 1;
    }
    assert.equal(count, partitions.length * perPartition);
  });

  it('fails when a partition that is listed ahead fails, at its turn', async () => {
    const list: ListLevel = async function* (prefix, delimiter) {
      if (delimiter !== undefined) {
        yield* foldersOf(
          ['20131029030201', '20131029030202'].map((build) => `r/a/c/1.0/${build}.20131029.`),
          prefix,
          delimiter,
        );
        return;
      }
      if (prefix.includes('030202')) throw new Error('no answer');
      yield { kind: 'object', key: `${prefix}v2.log.0.xz`, size: 1 };
    };
    const walked = walkPartitions(list, filterOf(), {});
    assert.equal((await walked.next()).value?.size, 1);
    await assert.rejects(walked.next(), /no answer/);
  });

  it('takes a file that is listed twice for an answer that is wrong, to be asked for again', async () => {
    const partition = 'r/a/c/1.0/20131029030201.20131029.';
    const list: ListLevel = async function* (prefix, delimiter) {
      if (delimiter !== undefined) yield* foldersOf([partition], prefix, delimiter);
      else for (const n of [1, 0, 1]) yield { kind: 'object', key: `${prefix}v2.log.${n}.xz`, size: 1 };
    };
    await assert.rejects(Array.fromAsync(walkPartitions(list, filterOf(), {})), (error: Error) => {
      assert.match(error.message, /names r\/a\/c\/1\.0\/20131029030201\.20131029\.v2\.log\.1\.xz twice/);
      assert.equal(failureTypeOf(error), 'ServiceUnavailable');
      return true;
    });
  });

  it('walks a folder once that a store names on two pages', async () => {
    const partition = 'r/a/c/1.0/20131029030201.20131029.';
    const list: ListLevel = async function* (prefix, delimiter) {
      if (delimiter === undefined) yield { kind: 'object', key: `${prefix}v2.log.0.xz`, size: 1 };
      else for (const page of [[partition], [partition]]) yield* foldersOf(page, prefix, delimiter);
    };
    assert.equal((await Array.fromAsync(walkPartitions(list, filterOf(), {}))).length, 1);
  });

  it('gives one order, whatever the order of the listing', async () => {
    const keys = Array.from(
      { length: 12 },
      (_, n) => `r/a/c${n % 3}/1.0/2013102903020${n % 2}.20131029.v2.log.${n}.xz`,
    );
    const wanted = (await walk(Object.fromEntries(keys.map((key) => [key, 1])), filterOf())).files;
    assert.deepEqual(
      wanted.map(({ key }) => key),
      keys.toSorted(),
    );
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(keys, { minLength: keys.length }), async (shuffled) => {
        const { files } = await walk(Object.fromEntries(shuffled.map((key) => [key, 1])), filterOf());
        assert.deepEqual(files, wanted);
      }),
      { numRuns: 20 },
    );
  });

  const base = 'saved_session/Firefox/nightly/28.0a1/';
  const cases: readonly [name: string, objects: Record<string, number>, skipped: SkipCounts, files: number][] = [
    ['a name without dots beside the build folders', { [`${base}NOTES`]: 5 }, { malformed_key: 1 }, 0],
    ['an object in a channel folder', { 'saved_session/Firefox/notes.txt': 5 }, { malformed_key: 1 }, 0],
    ['a folder marker', { 'saved_session/Firefox/': 0, 'saved_session/': 3 }, { folder_marker: 2 }, 0],
    ['an object of size 0', { [REAL]: 0 }, { empty_object: 1 }, 0],
    ['format version 1', { [REAL.replace('.v2.', '.v1.')]: 5 }, { other_version: 1 }, 0],
    ['a rest of an upload', { [`${REAL}.compressme`]: 5 }, { unrecognised: 1 }, 0],
    ['a folder below the file level', { [`${base}20131029030201.20131029.v2.log.x/y.xz`]: 5 }, { malformed_key: 1 }, 0],
    ['a folder with a line break', { [REAL.replace('Firefox', 'a\nb')]: 5, [REAL]: 5 }, { malformed_key: 1 }, 1],
    ['a channel with a slash', { [REAL.replace('nightly', 'x/y')]: 5, [REAL]: 5 }, { malformed_key: 1 }, 1],
    ['the .xz suffix', { [REAL.replace('.lzma', '.xz')]: 5 }, {}, 1],
  ];
  for (const [name, objects, skipped, files] of cases) {
    it(`${files === 0 ? 'leaves out and counts' : 'copes with'} ${name}`, async () => {
      const walked = await walk(objects, filterOf());
      assert.deepEqual({ ...walked, calls: 0, files: walked.files.length }, { calls: 0, skipped, files });
    });
  }

  it('yields every file of the grammar and counts every other object once', async () => {
    const part = fc.constantFrom('a', 'b_c', 'd.e');
    const name = fc.constantFrom(tail, `v1.log.${H}.xz`, 'v2.log.', 'rest');
    const key = fc
      .tuple(
        part,
        part,
        part,
        part,
        fc.constantFrom('20131029030201', '20131030'),
        fc.constantFrom('20131029', 'x'),
        name,
      )
      .map(([a, b, c, d, build, date, file]) => `${a}/${b}/${c}/${d}/${build}.${date}.${file}`);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, fc.nat(2), { noNullPrototype: true, maxKeys: 30 }), async (objects) => {
        const { files, skipped } = await walk(objects, filterOf());
        const counted = Object.values(skipped).reduce((sum, count) => sum + count, 0);
        assert.equal(files.length + counted, Object.keys(objects).length);
        for (const file of files) assert.ok(file.key.endsWith(tail) && file.size === objects[file.key]);
      }),
    );
  });
});

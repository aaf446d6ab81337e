import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_NAMED, MAX_NAMED_OF_RUN } from '../../src/pipeline/bad-histograms.ts';
import { largestMessage } from '../../src/pipeline/done-queue/done-message.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { KNOWN_REASONS, MAX_COUNT } from '../../src/pipeline/known-reasons.ts';
import { type InputFile, type PackLimits, packTasks } from '../../src/pipeline/task-queue/pack.ts';
import { encodeTaskMessage, type JobHeader } from '../../src/pipeline/task-queue/task-message.ts';
import { decodeDoneMessage, encodeDoneMessage } from '../fakes/done-messages.ts';

const RUN = '6f1c2a5e-3b0d-4d7e-9a41-0c5f7e2b9d10';
const MIB = 1024 * 1024;
const DEFAULTS: PackLimits = { maxFiles: 200, maxBytes: 400 * MIB, maxMessageBytes: 262_144 };
const JOB: JobHeader = {
  name: 'dashboard-20131029',
  owner: 'telemetry-alerts@example.org',
  code: `batch-jobs/${RUN}.tar.gz`,
  targetQueue: 'done-queue',
};

async function pack(files: readonly InputFile[], limits: Partial<PackLimits> = {}, job = JOB) {
  return Array.fromAsync(packTasks(RUN, files, { ...DEFAULTS, ...limits }, largestMessage(RUN, job)));
}

const sized = (sizes: Readonly<Record<string, number>>): InputFile[] =>
  Object.entries(sizes).map(([key, size]) => ({ key, size }));
/** Names of measures that need most room. */
const LONGEST_NAMES = Array.from({ length: MAX_NAMED }, (_, index) => `${10 + index}`.padStart(128, 'M'));
const small = (count: number): InputFile[] =>
  Array.from({ length: count }, (_, index) => ({ key: `f${index}`, size: 1 }));

describe('packing', () => {
  // docs/formats/queues.md 2.1.
  const cases: readonly [name: string, sizes: Record<string, number>, tasks: [files: string[], size: number][]][] = [
    [
      'the worked example',
      { A: 314_572_800, B: 104_857_600, C: 1, D: 419_430_401 },
      [
        [['B', 'A'], 419_430_400],
        [['C'], 1],
        [['D'], 419_430_401],
      ],
    ],
    ['cheap files first, equal ones in listing order', { a: 5, b: 3, c: 5, d: 3 }, [[['b', 'd', 'a', 'c'], 16]]],
    ['one large file', { Z: 500_000_000 }, [[['Z'], 500_000_000]]],
    [
      'a file after a large one',
      { Z: 500_000_000, a: 1 },
      [
        [['Z'], 500_000_000],
        [['a'], 1],
      ],
    ],
    [
      'a large file after a small one',
      { a: 1, Z: 500_000_000 },
      [
        [['a'], 1],
        [['Z'], 500_000_000],
      ],
    ],
    ['exactly the limit', { a: 419_430_399, b: 1 }, [[['b', 'a'], 419_430_400]]],
    [
      'one byte more',
      { a: 419_430_400, b: 1 },
      [
        [['a'], 419_430_400],
        [['b'], 1],
      ],
    ],
    ['nothing', {}, []],
  ];
  for (const [name, sizes, tasks] of cases) {
    it(`packs ${name}`, async () => {
      const expected = tasks.map(([files, size], index) => ({ id: `${RUN}/${index + 1}`, files, size }));
      assert.deepEqual(await pack(sized(sizes)), expected);
    });
  }

  for (const [count, tasks] of [
    [201, [201]],
    [202, [201, 1]],
    [402, [201, 201]],
    [403, [201, 201, 1]],
    [405, [201, 201, 3]],
  ] as const) {
    it(`packs ${count} files of one byte into ${tasks.length} tasks`, async () => {
      assert.deepEqual(
        (await pack(small(count))).map(({ files }) => files.length),
        tasks,
      );
    });
  }

  it('closes a task before its message grows too long', async () => {
    const files = Array.from({ length: 201 }, (_, index) => ({ key: `${index}`.padStart(1024, 'k'), size: 1 }));
    const tasks = await pack(files);
    assert.equal(tasks.length, 2);
    for (const task of tasks) assert.ok(encodeTaskMessage(task, JOB).length <= DEFAULTS.maxMessageBytes);
  });

  for (const [name, key] of [
    ['the longest keys', (index: number) => `${index}`.padStart(1024, 'k')],
    ['the longest keys, of characters that are escaped', (index: number) => `${index}`.padStart(512, 'é')],
    ['usual keys', (index: number) => `${index}`.padStart(110, 'k')],
    ['short keys', String],
  ] as const) {
    it(`201 files with ${name} fit both queues, also when every file failed`, async () => {
      const files = Array.from({ length: 201 }, (_, index) => ({ key: key(index), size: 1 }));
      const tasks = await pack(files);
      assert.equal(tasks.flatMap(({ files: keys }) => keys).length, 201);
      const longest = KNOWN_REASONS.reduce((a, b) => (b.length > a.length ? b : a));
      const skipped = Object.fromEntries(KNOWN_REASONS.map((reason) => [reason, MAX_COUNT]));
      const badHistograms = Object.fromEntries(LONGEST_NAMES.map((name) => [name, Math.floor(MAX_COUNT / MAX_NAMED)]));
      for (const task of tasks) {
        const message = { ...task, ...JOB };
        assert.ok(encodeTaskMessage(task, JOB).length <= DEFAULTS.maxMessageBytes);
        for (const filesFailed of [task.files.map((file) => ({ key: file, reason: longest })), []]) {
          const filesPartial = filesFailed.length > 0 ? [] : [...task.files];
          const counted = { filesFailed, filesPartial, records: MAX_COUNT, skipped };
          const report = { ...counted, badHistograms };
          const body = encodeDoneMessage(message, { aborted: false, report });
          assert.ok(body.length <= DEFAULTS.maxMessageBytes, `${body.length} bytes`);
          const { filesFailed: failed, filesPartial: partial, records, ...read } = decodeDoneMessage(body);
          assert.deepEqual({ filesFailed: failed, filesPartial: partial, records, skipped: read.skipped }, counted);
          const named = Object.entries(read.badHistograms);
          assert.ok(named.length >= MAX_NAMED_OF_RUN, `${named.length} measures are named`);
          assert.deepEqual(named, Object.entries(badHistograms).slice(0, named.length));
        }
      }
    });
  }

  it('refuses a key that no message can hold', async () => {
    await assert.rejects(
      pack([{ key: 'k'.repeat(1024), size: 1 }], { maxMessageBytes: 1500 }),
      (error) =>
        error instanceof InvalidDataError && error.reason === 'task_too_large' && /1028 bytes/.test(error.message),
    );
  });

  const file = fc.record({ key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), size: fc.nat(30) });
  const files = fc.uniqueArray(file, { selector: ({ key }) => key, maxLength: 60 });

  it('loses no file, repeats none and keeps every limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 60 }),
        async (listed, maxFiles, maxBytes) => {
          const tasks = await pack(listed, { maxFiles, maxBytes, maxMessageBytes: 6000 });
          assert.deepEqual(tasks.flatMap((task) => task.files).toSorted(), listed.map(({ key }) => key).toSorted());
          for (const [index, task] of tasks.entries()) {
            assert.equal(task.id, `${RUN}/${index + 1}`);
            assert.ok(task.files.length <= maxFiles + 1);
            assert.ok(task.size <= maxBytes || task.files.length === 1);
            assert.ok(encodeTaskMessage(task, JOB).length <= 6000);
          }
        },
      ),
    );
  });

  it('gives the tasks of the rules, read literally', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 60 }),
        async (listed, maxFiles, maxBytes) => {
          const groups: InputFile[][] = [];
          for (const next of listed) {
            const open = groups.at(-1);
            const size = open?.reduce((sum, { size }) => sum + size, 0) ?? 0;
            if (open === undefined || size + next.size > maxBytes || open.length > maxFiles) groups.push([next]);
            else open.push(next);
          }
          const expected = groups.map((group) => group.toSorted((a, b) => a.size - b.size).map(({ key }) => key));
          assert.deepEqual(
            (await pack(listed, { maxFiles, maxBytes })).map((task) => task.files),
            expected,
          );
        },
      ),
    );
  });

  it('never reckons a message smaller than it will be, whatever the job is called', async () => {
    for (const name of ['plain', 'é'.repeat(200), '🦊\n"'.repeat(50)]) {
      const job = { ...JOB, name };
      const tasks = await pack(small(2000), { maxFiles: 5000, maxMessageBytes: 12_000 }, job);
      for (const task of tasks) assert.ok(encodeTaskMessage(task, job).length <= 12_000, name);
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addCounts } from '../../src/pipeline/known-reasons.ts';
import { chunkRange, chunkSize, DrainProgress } from '../../src/pipeline/done-queue/chunk.ts';
import { anyCharacter } from '../fakes/any-character.ts';
import { decodeDoneMessage } from '../fakes/done-messages.ts';
import {
  doneReceipt,
  failedReceipt,
  type Outcome,
  parseReceipt,
  recoveredReceipt,
} from '../../src/pipeline/done-queue/receipt.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { parsePlanHead, parsePlanLine, planLine } from '../../src/pipeline/task-queue/plan.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { parseReceiptName } from '../../src/state/receipts.ts';

const REF = { runId: 'r', prefix: 'state/runs/20131029/r/' };

const RUN = '6f1c2a5e-3b0d-4d7e-9a41-0c5f7e2b9d10';
const ID = `${RUN}/7`;

const refused =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof InvalidDataError && error.reason === reason;

describe('plan lines', () => {
  it('come back as they went', () => {
    const task = fc.record(
      {
        id: fc.integer({ min: 1, max: 999_999 }).map((number) => `${RUN}/${number}`),
        files: fc.uniqueArray(fc.string({ unit: anyCharacter })),
        size: fc.maxSafeNat(),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(task, (line) => {
        assert.ok(!planLine(line).includes('\n'));
        assert.deepEqual(parsePlanLine(planLine(line)), line);
      }),
    );
  });

  for (const line of [
    '',
    '{',
    'null',
    '[]',
    '{"id":"x"}',
    `{"id":"${ID}","files":[1],"size":1}`,
    `{"id":"${ID}","files":[]}`,
  ]) {
    it(`are not ${line || 'nothing'}`, () => {
      assert.throws(() => parsePlanLine(line), refused('bad_plan'));
    });
  }

  for (const head of ['', '[]', '{}', '{"runId":"r","tasks":"1","job":{}}', '{"runId":"r","tasks":1,"job":null}']) {
    it(`are not headed by ${head || 'nothing'}`, () => {
      assert.throws(() => parsePlanHead(head), refused('bad_plan'));
    });
  }

  it('are headed by run, job and counts', () => {
    const head = {
      ...{ runId: RUN, day: '20131029', filter: null, files: 3, tasks: 2, bytes: 9 },
      job: { name: 'n', owner: 'o', code: '', targetQueue: 'q' },
      limits: { maxFiles: 200, maxBytes: 1000, maxMessageBytes: 262144 },
      skipped: { adopted: 1 },
      missingKeys: ['k'],
    };
    assert.deepEqual(parsePlanHead(JSON.stringify(head)), head);
  });
});

describe('receipts', () => {
  const message = decodeDoneMessage(
    JSON.stringify({ id: ID, files: ['a'], 'target-prefix': `output/${ID}/`, records: 3, skipped: { no_tab: 1 } }),
  );

  it('come back as they went', () => {
    const result = { etag: '"e"', size: 5 };
    for (const receipt of [
      doneReceipt(message, result),
      recoveredReceipt(ID, { etag: '"0"', size: 0 }),
      failedReceipt(ID, 'aborted'),
    ])
      assert.deepEqual(parseReceipt(JSON.stringify(receipt)), receipt);
  });

  it('keep what the worker reported', () => {
    const { outcome, records, skipped, etag } = doneReceipt(message, { etag: '"e"', size: 5 });
    assert.deepEqual(
      { outcome, records, skipped, etag },
      { outcome: 'done', records: 3, skipped: { no_tab: 1 }, etag: '"e"' },
    );
  });

  for (const text of ['', '{', 'null', '[]', '5', '{"id":"x"}', `{"id":"${ID}","outcome":"done","etag":null}`]) {
    it(`are not ${text || 'nothing'}`, () => {
      assert.throws(() => parseReceipt(text), refused('bad_receipt'));
    });
  }

  it('are named by number and outcome', () => {
    const outcome = fc.constantFrom<Outcome>('done', 'failed');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), outcome, (number, what) => {
        assert.deepEqual(parseReceiptName(stateKeys.receipt(REF, number, what).slice(stateKeys.receipts(REF).length)), {
          number,
          outcome: what,
        });
      }),
    );
    for (const name of ['0.done', '01.done', '1.lost', '1.done.tmp', '1000000.done', '.done', '1'])
      assert.equal(parseReceiptName(name), undefined, name);
  });
});

describe('the drain', () => {
  it('counts each task once, a result before a failure, in any order of arrival', () => {
    const receipt = fc.tuple(fc.integer({ min: -2, max: 30 }), fc.constantFrom<Outcome>('done', 'failed'));
    fc.assert(
      fc.property(
        fc.array(receipt, { maxLength: 80 }),
        fc.nat(25),
        fc.integer({ min: 1, max: 10 }),
        (notes, tasks, size) => {
          const progress = new DrainProgress(tasks, size);
          for (const [number, outcome] of notes) progress.note(number, outcome);
          const numbers = Array.from({ length: tasks }, (_, index) => index + 1);
          const isDone = (n: number): boolean => notes.some(([number, outcome]) => number === n && outcome === 'done');
          const isNoted = (n: number): boolean => notes.some(([number]) => number === n);
          const done = numbers.filter(isDone).length;
          const missing = numbers.filter((n) => !isNoted(n));
          const counts = [progress.done, progress.failed, progress.missing];
          assert.deepEqual(counts, [done, tasks - done - missing.length, missing.length]);
          assert.deepEqual([...progress.missingNumbers()], missing);

          const chunks = Array.from({ length: progress.chunks }, (_, index) => progress.chunk(index + 1));
          assert.equal(
            chunks.reduce((sum, chunk) => sum + chunk.done, 0),
            done,
          );
          for (const { chunk, complete } of chunks) {
            const { first, last } = chunkRange(chunk, size, tasks);
            assert.equal(complete, !missing.some((number) => number >= first && number <= last));
          }
        },
      ),
    );
  });

  it('cuts tasks into chunks without gap or overlap', () => {
    const ranges = [1, 2, 3].map((chunk) => chunkRange(chunk, 100, 205));
    assert.deepEqual(ranges, [
      { first: 1, last: 100 },
      { first: 101, last: 200 },
      { first: 201, last: 205 },
    ]);
    assert.equal(new DrainProgress(205, 100).chunks, 3);
    assert.equal(new DrainProgress(0, 100).chunks, 0);
  });

  it('are larger in a run that would have more than 1,000 of them', () => {
    assert.deepEqual([chunkSize(20_000, 100), chunkSize(5000, 1), chunkSize(999_999, 100)], [100, 5, 1000]);
    for (const tasks of [0, 1, 999, 1001, 99_999, 999_999])
      assert.ok(new DrainProgress(tasks, chunkSize(tasks, 1)).chunks <= 1000, String(tasks));
  });
});

describe('counts by reason', () => {
  it('add up', () => {
    const total = { no_tab: 1 };
    addCounts(total, { no_tab: 2, bad_json: 3 });
    assert.deepEqual(total, { no_tab: 3, bad_json: 3 });
  });

  it('stay counts that can be stored, however large they are', () => {
    const total = { no_tab: Number.MAX_SAFE_INTEGER };
    addCounts(total, { no_tab: Number.MAX_SAFE_INTEGER });
    assert.deepEqual(total, { no_tab: Number.MAX_SAFE_INTEGER });
  });

  it('stay numbers when a worker names a reason like a member of every object', () => {
    const skipped = JSON.parse('{"constructor":2,"valueOf":1,"__proto__":4}') as Record<string, number>;
    const failed: Record<string, number> = {};
    addCounts(failed, skipped);
    assert.deepEqual(Object.entries(failed), [['other', 7]]);
    const message = decodeDoneMessage(JSON.stringify({ id: ID, files: [], 'target-prefix': null, skipped }));
    const total: Record<string, number> = {};
    addCounts(total, message.skipped);
    addCounts(total, message.skipped);
    assert.deepEqual(Object.entries(total), [['other', 14]]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { latestChunks, tasksOfChunks } from '../../src/verify/rules/chunk-rules.ts';
import { compareFindings, NOT_SEEN_IN_BUCKETS, RULES, type VerifyFinding } from '../../src/verify/rules/finding.ts';
import { compareFolder, judgeUnreferenced } from '../../src/verify/rules/folder-rules.ts';
import { historyOf, recentCommits, type StoredCommit } from '../../src/verify/rules/history.ts';
import { parseChunkHead } from '../../src/pipeline/aggregates/chunk-head.ts';
import { parseContribution } from '../../src/pipeline/dataset/contribution.ts';
import { parseChunkName } from '../../src/state/chunks.ts';
import { TAKEN } from '../../src/state/rounds.ts';
import { TaskIds } from '../../src/verify/rules/task-ids.ts';
import { verifyText } from '../../src/commands/verify-report.ts';

const HOUR = 3_600_000;
const NOW = new Date('2014-01-10T00:00:00Z');

describe('task ids', () => {
  const RUNS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];

  it('are new once, whatever order they come in', () => {
    const ids = fc.array(fc.tuple(fc.constantFrom(...RUNS), fc.integer({ min: 1, max: 999_999 })), { maxLength: 50 });
    fc.assert(
      fc.property(ids, (pairs) => {
        const [seen, bits] = [new Set<string>(), new TaskIds()];
        for (const id of pairs.map(([run, number]) => `${run}/${number}`)) {
          assert.equal(bits.note(id), !seen.has(id));
          seen.add(id);
        }
      }),
    );
  });
});

describe('tasks of chunks', () => {
  const chunk = (done: number[], failed: number[] = [], missing: number[] = []) => ({
    done: done.map((number) => ({ number, etag: 'e' })),
    failed: failed.map((number) => ({ number, reason: 'aborted' })),
    missing,
  });

  it('a plan dealt out to chunks has every task once', () => {
    const { twice, unplanned, absent, counts } = tasksOfChunks([chunk([1, 3], [2]), chunk([4], [], [5])], 5);
    assert.deepEqual([twice, unplanned, absent], [[], [], []]);
    assert.deepEqual(counts, { done: 3, failed: 1, missing: 1 });
  });

  it('tells what is there twice, what is not planned and what is in no chunk', () => {
    const { twice, unplanned, absent } = tasksOfChunks([chunk([1, 1], [2]), chunk([2, 9], [], [2])], 4);
    assert.deepEqual([twice, unplanned, absent], [[1, 2], [9], [3, 4]]);
  });

  it('of several states of a chunk the one with the most receipts counts', () => {
    const stored = ['2-1-0.json', '1-2-0.json', '2-1-1.json', '1-2-0/nightly/28-00.ndjson.zst'].flatMap(
      (name) => parseChunkName(name) ?? [],
    );
    assert.equal(stored.length, 3);
    const { refs, certain } = latestChunks(stored);
    assert.deepEqual(refs, [
      { chunk: 1, done: 2, failed: 0 },
      { chunk: 2, done: 1, failed: 1 },
    ]);
    assert.equal(certain, false);
  });
});

describe('the history of commits', () => {
  const commit = (seq: number, parent: string | null, hoursAgo = 100): StoredCommit => ({
    key: `key-${seq}`,
    seq,
    commit: `c${seq}`,
    parent,
    folders: [`f${seq}`],
    at: new Date(NOW.getTime() - hoursAgo * HOUR),
  });

  it('goes back to the first, past ledgers that were never current', () => {
    const stored = [commit(0, null), commit(1, 'c0'), { ...commit(1, 'c0'), commit: 'lost' }, commit(2, 'c1')];
    const { chain, faults, doubtful } = historyOf(commit(2, 'c1'), stored);
    assert.deepEqual(
      chain.map(({ seq }) => seq),
      [2, 1, 0],
    );
    assert.deepEqual([faults, doubtful], [[], []]);
  });

  it('tells a parent that is not stored, and a number that does not grow by one', () => {
    const gap = historyOf(commit(3, 'c2'), [commit(1, 'c0')]);
    assert.deepEqual(
      gap.faults.map(({ fault }) => fault),
      ['parent not stored'],
    );
    const jump = historyOf(commit(3, 'c1'), [commit(0, null), commit(1, 'c0')]);
    assert.deepEqual(
      jump.faults.map(({ fault }) => fault),
      ['seq does not grow by one'],
    );
    assert.deepEqual(
      jump.chain.map(({ seq }) => seq),
      [3, 1, 0],
      'what it names is still known',
    );
  });

  it('ends where ledgers name each other in a circle', () => {
    const { chain, faults } = historyOf(commit(1, 'c1'), [commit(1, 'c1')]);
    assert.deepEqual([chain.length, faults.length], [1, 1]);
  });

  it('a commit is in use until 72 h after its successor came', () => {
    const stored = [commit(0, null, 300), commit(1, 'c0', 80), commit(2, 'c1', 71), commit(3, 'c2', 1)];
    const recent = recentCommits(historyOf(commit(3, 'c2', 1), stored), NOW, 72 * HOUR);
    assert.deepEqual(
      recent.map(({ seq }) => seq),
      [2, 1],
    );
  });
});

describe('folders', () => {
  it('are compared with their manifest by names and sizes', () => {
    const file = (name: string, bytes: number) => ({ name, bytes, sha256: '' });
    const difference = compareFolder(
      [file('a', 1), file('b', 2), file('c', 3)],
      new Map([
        ['a', 1],
        ['b', 9],
        ['x', 1],
      ]),
    );
    assert.deepEqual(difference, { missing: ['c'], wrongSize: [{ name: 'b', listed: 9, bytes: 2 }], extra: ['x'] });
  });

  it('that no commit names are judged by who began them and how long ago', () => {
    const judged = (claimed: boolean, days: number, adoptedUntil: string | null = null) =>
      judgeUnreferenced(
        { stamp: '20131231000000', claimed, youngest: new Date(NOW.getTime() - days * 24 * HOUR) },
        adoptedUntil,
        NOW,
      );
    assert.equal(judged(true, 0), 'in progress');
    assert.equal(judged(true, 7.5), 'in progress');
    assert.equal(judged(true, 8), 'left behind');
    assert.equal(judged(false, 0), 'stray');
    assert.equal(judged(false, 90, '20131231235959'), 'of the original');
    assert.equal(judged(false, 90, '20131230235959'), 'stray');
  });
});

describe('stored documents of a run', () => {
  it('that are damaged say where', () => {
    assert.throws(() => parseContribution('{"runId":"x"}'), /contribution.json → files should be present/);
    assert.throws(
      () => parseChunkHead('{"chunk":1,"done":[{"number":1}],"failed":[],"missing":[],"parts":[]}'),
      /done → 0 → etag/,
    );
    assert.throws(() => TAKEN.parse('{"results":[{"taskId":"x"}]}'), /results → 0 → taskId/);
    assert.throws(() => TAKEN.parse('['), /taken.json is not JSON/);
  });
});

describe('findings', () => {
  const finding = (part: Partial<VerifyFinding>): VerifyFinding => ({
    invariant: 'I4',
    kind: 'missing',
    severity: 'error',
    what: 'it is gone',
    where: 's3://b/k',
    action: 'Put it back',
    ...part,
  });

  it('come with errors first, then by rule', () => {
    const sorted = [
      finding({ severity: 'note', invariant: 'I1' }),
      finding({ invariant: 'GC' }),
      finding({}),
      finding({ invariant: 'I3' }),
    ];
    assert.deepEqual(
      sorted.toSorted(compareFindings).map(({ severity, invariant }) => `${severity} ${invariant}`),
      ['error I3', 'error I4', 'error GC', 'note I1'],
    );
  });

  it('rules and those that buckets cannot show are all invariants of docs/protocol.md', () => {
    const all = [...Object.keys(RULES).filter((rule) => rule.startsWith('I')), ...NOT_SEEN_IN_BUCKETS];
    assert.deepEqual(all.toSorted(), Array.from({ length: 12 }, (_, index) => `I${index + 1}`).toSorted());
  });

  it('are told to people by rule, without control characters, and not without end', () => {
    const counts = {
      days: 1,
      rounds: 0,
      folders: 1,
      adopted: 0,
      rendered: 1,
      superseded: 0,
      earlierCommits: 1,
      collectedRuns: 0,
      objects: 1,
      bytes: 1_234_567,
    };
    const findings = Array.from({ length: 7 }, (_, index) => finding({ where: `s3://b/\u001b[31m${index}` }));
    const text = verifyText({
      at: '',
      quick: false,
      commit: { seq: 1, id: 'c', at: '2014' },
      versions: '',
      counts,
      errors: 9,
      notes: 0,
      findings,
    });
    assert.match(
      text,
      /^The data set is NOT whole: 9 problems\. Looked at commit 1 of 2014, 1 day, 1 folder \(1 rendered again\), 1 earlier commit with 0 folders; 1 object, 1\.2 MB read\./,
    );
    assert.match(text, /and 2 more \(all: --json\)/);
    assert.match(text, /and 2 more of the same kinds/);
    assert.ok(!text.includes('\u001b'));
  });
});

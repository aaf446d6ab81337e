import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Candidate, decideGarbage, type Found } from '../../src/pipeline/garbage/decide.ts';
import { isInGrace, reachableFrom } from '../../src/pipeline/garbage/reachable.ts';
import { emptyLedger } from '../../src/pipeline/dataset/ledger.ts';

const NOW = new Date('2013-11-30T00:00:00Z');
const LIMITS = { maxDeletions: 1000, force: true };

function candidate(name: string, ageDays: number, objects = 1): Candidate {
  return { name, objects, bytes: 10 * objects, lastModified: new Date(NOW.getTime() - ageDays * 86_400_000) };
}

function found(part: Partial<Found>): Found {
  return { folders: [], compacted: [], chunkParts: [], ...part };
}

function reaching(...names: readonly string[]) {
  return { folders: new Set(names), slots: new Set(names) };
}

const namesOf = (list: readonly Candidate[]): string[] => list.map(({ name }) => name);

describe('what is garbage', () => {
  it('a folder that nobody names, once its youngest object is seven days old', () => {
    const folders = [candidate('named', 30), candidate('old', 7), candidate('young', 6.99)];
    const garbage = decideGarbage(found({ folders }), reaching('named'), NOW, LIMITS);
    assert.deepEqual(namesOf(garbage.folders), ['old']);
  });

  it('compacted days that nobody names, and old parts of chunks', () => {
    const compacted = [candidate('s1', 9), candidate('s2', 9)];
    const chunkParts = [candidate('c1', 8), candidate('c2', 1)];
    const garbage = decideGarbage(found({ compacted, chunkParts }), reaching('s1'), NOW, LIMITS);
    assert.deepEqual(namesOf(garbage.objects), ['s2', 'c1']);
  });

  it('the oldest first, folders whole, and no more than the limit', () => {
    const folders = [candidate('b', 10, 4), candidate('a', 20, 4), candidate('c', 9, 4), candidate('n', 1)];
    const garbage = decideGarbage(found({ folders }), reaching('n'), NOW, { ...LIMITS, maxDeletions: 9 });
    assert.deepEqual(namesOf(garbage.folders), ['a', 'b']);
    assert.equal(garbage.left, 1);
  });

  it('nothing when the commit names nothing', () => {
    assert.throws(
      () => decideGarbage(found({ folders: [candidate('old', 30)] }), reaching(), NOW, LIMITS),
      /names no folder, and there are 1: nothing is removed/,
    );
  });

  it('nothing when more than half would go, unless that is meant', () => {
    const folders = [candidate('a', 9), candidate('b', 9), candidate('named', 9)];
    const unforced = { ...LIMITS, force: false };
    assert.throws(() => decideGarbage(found({ folders }), reaching('named'), NOW, unforced), /2 of 3 folders would go/);
    assert.equal(decideGarbage(found({ folders }), reaching('named'), NOW, LIMITS).folders.length, 2);
  });

  it('I10: never anything that is named or young', () => {
    const age = fc.double({ min: 0, max: 30, noNaN: true });
    const some = fc.array(fc.record({ age, named: fc.boolean() }), { maxLength: 30 });
    fc.assert(
      fc.property(some, some, (folders, compacted) => {
        const make = (kind: string, list: typeof folders) => list.map((item, n) => candidate(`${kind}${n}`, item.age));
        const named = [
          ...folders.flatMap((item, n) => (item.named ? [`f${n}`] : [])),
          ...compacted.flatMap((item, n) => (item.named ? [`s${n}`] : [])),
          'current',
        ];
        const all = found({ folders: make('f', folders), compacted: make('s', compacted) });
        const garbage = decideGarbage(all, reaching(...named), NOW, LIMITS);
        for (const { name, lastModified } of [...garbage.folders, ...garbage.objects]) {
          assert.ok(!named.includes(name));
          assert.ok(NOW.getTime() - lastModified.getTime() >= 7 * 86_400_000);
        }
      }),
    );
  });
});

describe('what readers may still hold', () => {
  it('a commit stays for 72 h after the next one, and as long again as a commit may be tried', () => {
    const next = (hours: number) => ({
      ledger: emptyLedger('c'),
      storedAt: new Date(NOW.getTime() - hours * 3_600_000),
    });
    assert.equal(isInGrace(next(83.9), NOW), true);
    assert.equal(isInGrace(next(84), NOW), false);
  });

  it('names folders, bases, what lies beneath, kept and other segments', () => {
    const object = (key: string) => ({ key, sha: 'ab'.repeat(32), slots: 1 });
    const segment = (day: string) => ({ day, ...object(`segment ${day}`) });
    const base = {
      ...object('base'),
      days: ['20131001', '20131002'],
      kept: [segment('20131002')],
      beneath: { ...object('beneath'), days: ['20131001'] },
    };
    const entry = { folder: 'f', base, segments: [segment('20131020')], definitionsPending: [] };
    const ledger = { ...emptyLedger('c'), channelVersions: new Map([['nightly/28', entry]]) };
    const { folders, slots } = reachableFrom([ledger]);
    assert.deepEqual([...folders], ['f']);
    assert.deepEqual([...slots].toSorted(), ['base', 'beneath', 'segment 20131002', 'segment 20131020']);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ChannelVersionEntry, FoldedDays, LedgerEntry, Segment } from '../../src/pipeline/dataset/ledger.ts';
import {
  agesIn,
  type AgeOf,
  compactedEntry,
  type Fold,
  planCompaction,
} from '../../src/pipeline/dataset/compaction.ts';

const LIMITS = { compactAfterDays: 10, keepDays: 35 };
const SHA = 'ab'.repeat(32);

type Stored = Pick<ChannelVersionEntry, 'base' | 'segments'>;

function dayAt(number: number): string {
  return new Date(Date.UTC(2013, 9, 1 + number)).toISOString().slice(0, 10).replaceAll('-', '');
}

function segment(number: number): Segment {
  const day = dayAt(number);
  return { day, key: `segment ${day}`, sha: SHA, slots: 1 };
}

/** Each day was published when it was over. */
function publishedDaily(newest: string): AgeOf {
  const at = (day: string): number => Date.parse(day.replace(/(....)(..)(..)/, '$1-$2-$3'));
  return (day) => (at(newest) - at(day)) / 86_400_000;
}

/** What an object stands for is its key here, so that sums can be looked into. */
function summed({ days, parts, existing }: Fold): FoldedDays {
  return existing ?? { key: parts.join(' + '), sha: SHA, slots: 1, days };
}

function compacted(stored: Stored, newest: string): Stored {
  const compaction = planCompaction(stored, publishedDaily(newest), LIMITS);
  if (compaction === undefined) return stored;
  const beneath = compaction.beneath === null ? null : summed(compaction.beneath);
  return compactedEntry(compaction, { base: summed(compaction.base), beneath });
}

/** Days whose segments went into an object, by its key. */
function daysIn(key: string): string[] {
  return [...key.matchAll(/\d{8}/g)].map(([day]) => day).toSorted();
}

describe('compaction', () => {
  it('leaves days alone that are not older than the limit', () => {
    const segments = [segment(0), segment(10)];
    assert.equal(planCompaction({ base: null, segments }, publishedDaily(dayAt(10)), LIMITS), undefined);
  });

  it('folds what is older, and keeps the own segments beside the base', () => {
    const { base, segments } = compacted({ base: null, segments: [segment(0), segment(1), segment(11)] }, dayAt(12));
    assert.deepEqual(base?.days, [dayAt(0), dayAt(1)]);
    assert.equal(base.key, `${segment(0).key} + ${segment(1).key}`);
    assert.deepEqual(base.kept, [segment(0), segment(1)]);
    assert.equal(base.beneath, null);
    assert.deepEqual(segments, [segment(11)]);
  });

  it('a single old day needs no new object', () => {
    const { base } = compacted({ base: null, segments: [segment(0), segment(11)] }, dayAt(11));
    assert.equal(base?.key, segment(0).key);
  });

  it('after 35 days a day is in what lies beneath, and its own segment is not kept', () => {
    const before = compacted({ base: null, segments: [segment(0), segment(20)] }, dayAt(20));
    const after = compacted({ base: before.base, segments: [...before.segments, segment(40)] }, dayAt(40));
    assert.deepEqual(after.base?.kept, [segment(20)]);
    assert.deepEqual(after.base.beneath?.days, [dayAt(0)]);
    assert.deepEqual(after.base.days, [dayAt(0), dayAt(20)]);
  });

  it('on top of an adopted history', () => {
    const name = 'adopted-2013-10-01T00:00:00Z';
    const adopted = { key: 'adopted', sha: SHA, slots: 1, days: [name], kept: [], beneath: null };
    const { base } = compacted({ base: adopted, segments: [segment(3), segment(20)] }, dayAt(20));
    assert.equal(base?.key, `adopted + ${segment(3).key}`);
    assert.deepEqual(base.days, [dayAt(3), name]);
    assert.equal(base.beneath?.key, 'adopted');
    assert.deepEqual(base.kept, [segment(3)]);
  });

  describe('age', () => {
    const entry = (planAt?: string): LedgerEntry => ({
      runId: 'run',
      ...(planAt !== undefined && { planAt }),
      ...{ planned: 0, done: 0, failed: 0, missing: 0 },
      files: { processed: 0, missing: 0 },
      fileLists: { processed: null, missing: null },
    });
    const ages = (entries: Record<string, string | undefined>): Record<string, number> => {
      const ageOf = agesIn(new Map(Object.entries(entries).map(([name, planAt]) => [name, entry(planAt)])));
      return Object.fromEntries(Object.keys(entries).map((name) => [name, ageOf(name)]));
    };
    const [FIRST, LAST] = ['2013-10-30T13:31:00Z', '2013-11-29T13:31:05Z'];

    it('counts from publication: a mistyped future day makes nothing old, an old backfill is young', () => {
      assert.deepEqual(ages({ 20131029: LAST, 20331029: LAST }), { 20131029: 0, 20331029: 0 });
      assert.deepEqual(ages({ 20100101: LAST, 20131029: FIRST }), { 20100101: 0, 20131029: 30 });
      assert.deepEqual(ages({ 20331029: FIRST, 'round-2013-11-02T10:00:00Z': LAST }), {
        20331029: 30,
        'round-2013-11-02T10:00:00Z': 0,
      });
    });

    it('is that of the name where there was no plan', () => {
      assert.deepEqual(ages({ 'adopted-2013-10-30T00:00:00Z': undefined, 20131129: '2013-11-30T00:00:00Z' }), {
        20131129: 0,
        'adopted-2013-10-30T00:00:00Z': 31,
      });
    });
  });

  it('whatever days come, each is in the data set once, and base, beneath and kept agree', () => {
    const steps = fc.array(fc.record({ gap: fc.nat(12), publishes: fc.boolean() }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(steps, (history) => {
        let stored: Stored = { base: null, segments: [] };
        const added: string[] = [];
        let number = 0;
        for (const { gap, publishes } of history) {
          number += gap + 1;
          if (!publishes) continue;
          added.push(dayAt(number));
          stored = compacted({ base: stored.base, segments: [...stored.segments, segment(number)] }, dayAt(number));
          const { base, segments } = stored;
          const outside = segments.map(({ day }) => day);
          assert.deepEqual([...(base === null ? [] : daysIn(base.key)), ...outside].toSorted(), added);
          if (base === null) continue;
          assert.deepEqual(base.days, daysIn(base.key));
          const kept = base.kept.map(({ day }) => day);
          const beneath = base.beneath === null ? [] : daysIn(base.beneath.key);
          assert.deepEqual(beneath, base.beneath?.days ?? []);
          if (kept.length > 0) assert.deepEqual([...beneath, ...kept].toSorted(), base.days);
          else assert.equal(base.beneath, null);
        }
      }),
    );
  });
});

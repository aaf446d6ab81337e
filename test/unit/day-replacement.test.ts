import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  completeLedger,
  type Contribution,
  decide,
  type DayReplacement,
  replaceDay,
} from '../../src/pipeline/dataset/day-replacement.ts';
import {
  type LedgerEntry,
  emptyLedger,
  type Ledger,
  type CompactedBase,
  type Segment,
} from '../../src/pipeline/dataset/ledger.ts';
import { parseLedger, serialiseLedger } from '../../src/pipeline/dataset/ledger-document.ts';

const SHA = 'ab'.repeat(32);

function entry(part: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    runId: 'run-1',
    planAt: '2013-10-30T13:31:00.000Z',
    planned: 3,
    done: 3,
    failed: 0,
    missing: 0,
    files: { processed: 9, missing: 0 },
    fileLists: { processed: 'state/p', missing: null },
    ...part,
  };
}

/** @param keys channel/version → key of its segment */
function contribution(day: string, keys: Record<string, string>, part: Partial<LedgerEntry> = {}): Contribution {
  const segments = Object.entries(keys).map(([name, key]) => [name, { key, sha: SHA, slots: 1 }] as const);
  return { day, entry: entry(part), segments: new Map(segments) };
}

function commit(ledger: Ledger, { draft, affected }: DayReplacement): Ledger {
  const rendered = affected.map((name) => {
    const [channel, version] = name.split('/');
    const stamp = String(20140000000000 + (ledger.seq + 1) + 101000000);
    return [name, { folder: `${stamp}-${version}-${channel}`, definitionsPending: ['X'] }] as const;
  });
  return completeLedger(ledger, draft, `c${ledger.seq + 1}`, new Map(rendered));
}

function publish(ledger: Ledger, ...contributions: Contribution[]): Ledger {
  return contributions.reduce((current, next) => commit(current, replaceDay(current, next)), ledger);
}

const keysOf = (ledger: Ledger, name: string): string[] | undefined =>
  ledger.channelVersions.get(name)?.segments.map((segment) => `${segment.day} ${segment.key}`);

const start = emptyLedger('c0');

describe('replaceDay', () => {
  it('adds a day to the channel/versions it has data for', () => {
    const { affected, emptied } = replaceDay(start, contribution('20131029', { 'nightly/28': 'a', 'aurora/27': 'b' }));
    assert.deepEqual(affected, ['aurora/27', 'nightly/28']);
    assert.deepEqual(emptied, []);
  });

  it('replaces the day’s contribution, also where the new run has found nothing', () => {
    const before = publish(
      start,
      contribution('20131028', { 'nightly/28': 'n28', 'aurora/27': 'a28', 'beta/26': 'b28' }),
      contribution('20131029', { 'nightly/28': 'n29', 'aurora/27': 'a29', 'beta/26': 'b29' }),
    );
    const replacement = replaceDay(before, contribution('20131028', { 'nightly/28': 'n28 again', 'beta/26': 'b28' }));
    const after = commit(before, replacement);
    assert.deepEqual(replacement.affected, ['aurora/27', 'nightly/28']);
    assert.deepEqual(keysOf(after, 'nightly/28'), ['20131028 n28 again', '20131029 n29']);
    assert.deepEqual(keysOf(after, 'aurora/27'), ['20131029 a29']);
    assert.deepEqual(after.channelVersions.get('beta/26'), before.channelVersions.get('beta/26'));
    assert.notEqual(after.channelVersions.get('nightly/28')?.folder, before.channelVersions.get('nightly/28')?.folder);
  });

  it('lets a channel/version go that has lost its last segment', () => {
    const before = publish(start, contribution('20131029', { 'nightly/28': 'n', 'aurora/27': 'a' }));
    const replacement = replaceDay(before, contribution('20131029', { 'nightly/28': 'n' }));
    assert.deepEqual(replacement.affected, []);
    assert.deepEqual(replacement.emptied, ['aurora/27']);
    assert.deepEqual([...commit(before, replacement).channelVersions.keys()], ['nightly/28']);
  });

  it('leaves the old ledger as it was', () => {
    const before = publish(start, contribution('20131029', { 'nightly/28': 'n' }));
    const text = serialiseLedger(before);
    replaceDay(before, contribution('20131029', { 'aurora/27': 'a' }));
    assert.equal(serialiseLedger(before), text);
  });

  it('brings any sequence of days and re-runs to the ledger of their last runs', () => {
    const keys = fc.dictionary(fc.constantFrom('nightly/28', 'aurora/27', 'beta/26'), fc.constantFrom('x', 'y'));
    const day = fc.constantFrom('20131028', '20131029', '20131030');
    fc.assert(
      fc.property(fc.array(fc.tuple(day, keys)), (runs) => {
        const all = runs.map(([d, k]) => contribution(d, k));
        const last = new Map(all.map((one) => [one.day, one]));
        const ledger = publish(start, ...all);
        const fresh = publish(start, ...last.values());
        for (const name of ['nightly/28', 'aurora/27', 'beta/26']) {
          assert.deepEqual(keysOf(ledger, name), keysOf(fresh, name));
        }
        assert.deepEqual(parseLedger(serialiseLedger(ledger)), ledger);
        assert.equal(ledger.seq, runs.length);
      }),
    );
  });
});

describe('replaceDay with a sealed base', () => {
  const segment = (day: string): Segment => ({ day, key: `s${day}`, sha: SHA, slots: 1 });
  const base: CompactedBase = {
    key: 'base',
    sha: SHA,
    slots: 9,
    days: ['20131001', '20131002', '20131020', '20131021'],
    kept: [segment('20131020'), segment('20131021')],
    beneath: { key: 'beneath', sha: SHA, slots: 5, days: ['20131001', '20131002'] },
  };
  const sealed: Ledger = {
    ...publish(start, contribution('20131029', { 'nightly/28': 'n29' })),
    channelVersions: new Map([
      [
        'nightly/28',
        { folder: '20131101000000-28-nightly', base, segments: [segment('20131029')], definitionsPending: [] },
      ],
    ]),
  };

  it('keeps the base for a day outside of it', () => {
    const { draft } = replaceDay(sealed, contribution('20131030', { 'nightly/28': 'n30' }));
    assert.equal(draft.channelVersions.get('nightly/28')?.base, base);
  });

  it('goes back beneath the base for a day whose own segment is kept', () => {
    const after = commit(sealed, replaceDay(sealed, contribution('20131020', { 'nightly/28': 'again' })));
    assert.deepEqual(keysOf(after, 'nightly/28'), ['20131020 again', '20131021 s20131021', '20131029 s20131029']);
    const now = after.channelVersions.get('nightly/28')?.base;
    assert.deepEqual(now, { ...base.beneath, kept: [], beneath: null });
    assert.deepEqual(parseLedger(serialiseLedger(after)), after);
  });

  it('leaves the base alone when the day’s content is the same', () => {
    const { affected } = replaceDay(sealed, contribution('20131020', { 'nightly/28': 's20131020' }));
    assert.deepEqual(affected, []);
  });

  for (const keys of [{ 'nightly/28': 'again' }, {}, { 'aurora/27': 'a' }]) {
    it(`refuses a day whose own segment is gone, whatever the new run has (${JSON.stringify(keys)})`, () => {
      assert.throws(() => replaceDay(sealed, contribution('20131001', keys)), {
        reason: 'sealed_day',
        message: /20131001 cannot be replaced: nightly\/28 .* no longer kept/,
      });
    });
  }
});

describe('decide', () => {
  const keys = { 'nightly/28': 'n', 'aurora/27': 'a' };
  const before = publish(start, contribution('20131029', keys));
  const cases: [string, Contribution, string][] = [
    ['another day', contribution('20131030', keys), 'publish'],
    ['just what is published', contribution('20131029', keys), 'no-op'],
    ['the same run with another segment', contribution('20131029', { ...keys, 'aurora/27': 'b' }), 'publish'],
    ['the same run without one', contribution('20131029', { 'nightly/28': 'n' }), 'publish'],
    ['the same run with one more', contribution('20131029', { ...keys, 'beta/26': 'b' }), 'publish'],
    [
      'the same run with other file lists',
      contribution('20131029', keys, { fileLists: { processed: 'other', missing: null } }),
      'publish',
    ],
    ['an earlier state of the same run', contribution('20131029', keys, { done: 2, missing: 1 }), 'superseded'],
    [
      'a run with a later plan',
      contribution('20131029', keys, { runId: 'a', planAt: '2013-10-30T13:31:01Z' }),
      'publish',
    ],
    [
      'a run with an earlier plan',
      contribution('20131029', keys, { runId: 'z', planAt: '2013-10-30T13:30:59Z' }),
      'superseded',
    ],
    [
      'a run with a plan of the same second and a greater id',
      contribution('20131029', keys, { runId: 'run-2' }),
      'publish',
    ],
    [
      'a run with a plan of the same second and a lesser id',
      contribution('20131029', keys, { runId: 'run-0' }),
      'superseded',
    ],
  ];
  for (const [what, candidate, expected] of cases) {
    it(`says ${expected} to ${what}`, () => {
      assert.equal(decide(before, candidate), expected);
    });
  }

  it('lets the same run publish a later state', () => {
    const partial = publish(start, contribution('20131029', keys, { done: 1, missing: 2 }));
    assert.equal(decide(partial, contribution('20131029', keys, { done: 1, failed: 1, missing: 1 })), 'publish');
    assert.equal(decide(partial, contribution('20131029', keys)), 'publish');
  });

  it('takes a run with a plan before one without', () => {
    const unplanned = entry({ runId: 'z' });
    Reflect.deleteProperty(unplanned, 'planAt');
    assert.equal(decide(before, { ...contribution('20131029', keys), entry: unplanned }), 'superseded');
  });
});

describe('completeLedger', () => {
  it('refuses a channel/version that was not rendered', () => {
    const { draft } = replaceDay(start, contribution('20131029', { 'nightly/28': 'n' }));
    assert.throws(() => completeLedger(start, draft, 'c1', new Map()), /nightly\/28 was not rendered/);
  });
});

describe('a day and the rounds of continuous aggregation', () => {
  const round = 'round-20131030T150000.000Z';
  const base = publish(
    start,
    contribution(round, { 'nightly/28': 'r1', 'aurora/27': 'r2' }, { runId: 'run-r' }),
    contribution('20131028', { 'nightly/28': 'd1' }),
  );

  it('a day displaces a round: all it brought leaves, also where the day has nothing', () => {
    const replaced = replaceDay(base, contribution('20131029', { 'nightly/28': 'd2' }), [round]);
    assert.deepEqual(replaced.affected, ['nightly/28']);
    assert.deepEqual(replaced.emptied, ['aurora/27']);
    const next = commit(base, replaced);
    assert.deepEqual([...next.entries.keys()], ['20131028', '20131029']);
    assert.deepEqual(keysOf(next, 'nightly/28'), ['20131028 d1', '20131029 d2']);
  });

  it('a day that shares nothing with a round leaves it where it is', () => {
    const next = publish(base, contribution('20131029', { 'nightly/28': 'd2' }));
    assert.deepEqual(keysOf(next, 'nightly/28'), ['20131028 d1', '20131029 d2', `${round} r1`]);
    assert.equal(keysOf(next, 'aurora/27')?.length, 1);
  });

  it('a round that stayed behind in a channel/version which could not be rendered leaves with the next day', () => {
    const entries = new Map([...base.entries].filter(([day]) => day !== round));
    const replaced = replaceDay({ ...base, entries }, contribution('20131029', { 'nightly/28': 'd2' }));
    assert.deepEqual(replaced.emptied, ['aurora/27']);
    assert.deepEqual(keysOf(commit(base, replaced), 'nightly/28'), ['20131028 d1', '20131029 d2']);
  });
});

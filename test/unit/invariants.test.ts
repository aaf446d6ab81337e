/** What must hold of every commit: each rule broken once, and found by its name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Fault, faultsOf, pointerFaults } from '../../src/pipeline/dataset/invariants.ts';
import { emptyLedger, type Ledger, type LedgerEntry } from '../../src/pipeline/dataset/ledger.ts';
import { nextVersions, type Versions } from '../../src/pipeline/dataset/versions.ts';

const SHA = 'ab'.repeat(32);
const DAY = '20131029';
const NEXT = '20131030';
const ROUND = 'round-20131029T120000.000Z';
const FOLDER = '20131030120000-28-nightly';
const NEW_FOLDER = '20131031120000-28-nightly';

const entry = (runId: string, part: Partial<LedgerEntry> = {}): LedgerEntry => ({
  runId,
  planned: 3,
  done: 2,
  failed: 1,
  missing: 0,
  files: { processed: 2, missing: 1 },
  fileLists: { processed: `state/p-${runId}`, missing: null },
  ...part,
});
const segment = (day: string, run = 'r') => ({
  day,
  key: `state/segments/nightly/28/${day}-${run}`,
  sha: SHA,
  slots: 1,
});
const nightly = (folder: string, days: readonly string[]) => ({
  folder,
  base: null,
  segments: days.map((day) => segment(day)),
  definitionsPending: [],
});

const parent: Ledger = {
  seq: 4,
  commit: 'c4',
  parent: 'c3',
  entries: new Map([
    [DAY, entry('r1')],
    [ROUND, entry('r2')],
  ]),
  channelVersions: new Map([['nightly/28', nightly(FOLDER, [DAY, ROUND])]]),
};
/** The next day is published. */
const next: Ledger = {
  seq: 5,
  commit: 'c5',
  parent: 'c4',
  entries: new Map([...parent.entries, [NEXT, entry('r3')]]),
  channelVersions: new Map([['nightly/28', nightly(NEW_FOLDER, [DAY, ROUND, NEXT])]]),
};
const withEntry = (name: string, changed: LedgerEntry): Ledger => ({
  ...next,
  entries: new Map([...next.entries, [name, changed]]),
});
const withNightly = (part: object): Ledger => ({
  ...next,
  channelVersions: new Map([['nightly/28', { ...nightly(NEW_FOLDER, [DAY, ROUND, NEXT]), ...part }]]),
});
const base = { ...segment(DAY), days: [DAY, ROUND], kept: [segment(DAY)], beneath: null };

/** Ledgers that each break one rule. */
const BROKEN: readonly (readonly [what: string, ledger: Ledger, rule: Fault['rule'], text: RegExp])[] = [
  ['a number that does not grow by one', { ...next, seq: 6 }, 'I5', /commit 6 follows commit 4/],
  ['another parent', { ...next, parent: 'c3' }, 'I5', /names the parent c3, not c4/],
  ['the id of the parent', { ...next, commit: 'c4' }, 'I5', /has the id of its parent/],
  ['counts that do not add up', withEntry(NEXT, entry('r3', { planned: 99 })), 'I8', /planned 99 is not done 2/],
  ['an entry named after nothing', withEntry('today', entry('r4')), 'I2', /not named after a day/],
  ['a run in two entries', withEntry(NEXT, entry('r1')), 'I1', /run r1 is counted as 20131029 and as 20131030/],
  [
    'two entries at once',
    withEntry(DAY, entry('r9')),
    'I2',
    /one commit changes several entries: 20131029, 20131030|20131030, 20131029/,
  ],
  [
    'a day that leaves',
    { ...next, entries: new Map([...next.entries].filter(([name]) => name !== DAY)) },
    'I2',
    /20131029 leaves the data set/,
  ],
  ['a folder of another version', withNightly({ folder: '20131031120000-27-aurora' }), 'I4', /no folder of it/],
  ['a folder of nothing', withNightly({ segments: [] }), 'I3', /is rendered from nothing/],
  ['a day twice', withNightly({ segments: [segment(DAY), segment(DAY, 'x')] }), 'I3', /counts 20131029 twice/],
  ['a base that is not its parts', withNightly({ base, segments: [segment(NEXT)] }), 'I3', /not those beneath/],
  ['a day without entry', withNightly({ segments: [segment('20131028')] }), 'I3', /counts 20131028, of which/],
  [
    'a folder that stays and shows other segments',
    withNightly({ folder: FOLDER }),
    'I3',
    /keeps 20131030120000-28-nightly/,
  ],
  [
    'a channel/version that leaves with a day nobody replaced',
    { ...next, channelVersions: new Map() },
    'I3',
    /nightly\/28 leaves the data set, and with it 20131029/,
  ],
];

describe('the invariants of a commit', () => {
  it('hold when a day is added, is replaced, or takes the place of a round, and for the first commit', () => {
    assert.deepEqual(faultsOf(next, parent), []);
    const replaced = new Map(parent.entries).set(DAY, entry('r9'));
    const again = {
      ...next,
      entries: replaced,
      channelVersions: new Map([['nightly/28', nightly(NEW_FOLDER, [ROUND, DAY])]]),
    };
    assert.deepEqual(faultsOf(again, parent), []);
    const without = new Map([...replaced].filter(([name]) => name !== ROUND));
    const displaced = new Map([['nightly/28', nightly(NEW_FOLDER, [DAY])]]);
    assert.deepEqual(faultsOf({ ...next, entries: without, channelVersions: displaced }, parent), []);
    assert.deepEqual(faultsOf(emptyLedger('c0'), null), []);
  });

  it('hold for a channel/version whose every day the commit changes, when it leaves', () => {
    const one: Ledger = { ...parent, channelVersions: new Map([['nightly/28', nightly(FOLDER, [DAY])]]) };
    const gone = { ...next, entries: new Map(parent.entries).set(DAY, entry('r9')), channelVersions: new Map() };
    assert.deepEqual(faultsOf(gone, one), []);
  });

  for (const [what, ledger, rule, text] of BROKEN) {
    it(`${rule} is broken by ${what}`, () => {
      const faults = faultsOf(ledger, parent);
      assert.ok(
        faults.some((fault) => fault.rule === rule && text.test(fault.what)),
        JSON.stringify(faults),
      );
    });
  }

  it('a first commit has no parent', () => {
    assert.deepEqual(
      faultsOf({ ...emptyLedger('c1'), seq: 1, parent: 'c0' }, null).map(({ rule }) => rule),
      ['I5'],
    );
  });
});

describe('the invariants of the pointer', () => {
  const head = { seq: 4, commit: 'c4', parent: 'c3', ledger: 'state/ledgers/x', at: '2013-10-30T12:00:00.000Z' };
  const versions: Versions = { head, folders: new Map([['nightly/28', FOLDER]]) };

  it('hold for the one that is made from its ledger', () => {
    const made = nextVersions(versions, next, 'state/ledgers/y', new Date('2013-10-31T12:00:00Z'));
    assert.deepEqual(pointerFaults(made, next), []);
  });

  for (const [what, broken, rule] of [
    ['the number of another commit', { ...versions, head: { ...head, seq: 7 } }, 'I5'],
    ['another folder', { ...versions, folders: new Map([['nightly/28', NEW_FOLDER]]) }, 'I4'],
    ['a channel/version more', { ...versions, folders: new Map([...versions.folders, ['beta/26', 'x']]) }, 'I4'],
    ['none of its channel/versions', { ...versions, folders: new Map() }, 'I4'],
  ] as const) {
    it(`${rule} is broken by ${what}`, () => {
      assert.deepEqual(
        pointerFaults(broken, parent).map((fault) => fault.rule),
        [rule],
      );
    });
  }
});

/** `changes.json` and what the command `changes` prints of it (docs/formats/published.md 5.12). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesJson, changesText, knownChannels } from '../../src/commands/changes.ts';
import { type Change, EMPTY_SIDE } from '../../src/pipeline/changes/change.ts';
import {
  type ChangesDocument,
  limited,
  readChanges,
  serialiseChanges,
} from '../../src/pipeline/changes/changes-document.ts';

function change(channelVersion: string, date: string, more: Partial<Change> = {}): Change {
  return {
    id: `${channelVersion}/M/by-build-date/${date}`,
    ...{ channelVersion, measure: 'M', by: 'build', date, filter: [], kind: 'step', direction: 'up' },
    ...{ before: EMPTY_SIDE, after: EMPTY_SIDE, relative: 0.12, pValue: 1e-9, qValue: 1e-7 },
    text: `M of ${channelVersion} went up`,
    ...more,
  };
}

const DOCUMENT: ChangesDocument = {
  ...{ at: '2013-10-31T13:40:12.345Z', seq: 7, leftOut: 2 },
  changes: [
    change('nightly/28', '20131027', {
      value: 3,
      leftOut: ['20131028'],
      mostIn: ['saved_session', 'Firefox', 'WINNT'],
    }),
    change('beta/26', '20131020', { kind: 'silence', measure: null, by: 'submission', pValue: null, qValue: null }),
  ],
  skipped: [{ channelVersion: 'beta/25', folder: 'f', reason: 'it has no summaries' }],
  looked: new Map([['nightly/28', { folder: 'g', found: 3, submissions: new Map([['20131030', 178]]) }]]),
};

describe('changes.json', () => {
  it('reads back as it was written', () => {
    assert.deepEqual(readChanges(serialiseChanges(DOCUMENT)), DOCUMENT);
  });

  for (const [what, spoil] of [
    ['another format', { format: 2 }],
    ['a date that is none', { changes: [{ ...DOCUMENT.changes[0], date: '<b>' }] }],
    ['an unknown kind', { changes: [{ ...DOCUMENT.changes[0], kind: 'flood' }] }],
    ['counts that are none', { channelVersions: { 'nightly/28': { folder: 'g', found: 1, submissions: { a: 'b' } } } }],
    ['no changes', { changes: null }],
  ] as const)
    it(`with ${what} is read as none, and made again`, () => {
      const stored = JSON.parse(serialiseChanges(DOCUMENT)) as object;
      assert.equal(readChanges(JSON.stringify({ ...stored, ...spoil })), null);
    });

  it('has the newest changes that there is room for, and every silence', () => {
    const many = Array.from({ length: 1_200 }, (_, index) =>
      change(`c/${index}`, index === 7 ? '20131101' : '20131027'),
    );
    const silent = change('z/1', '20120101', { kind: 'silence' });
    const shown = limited(many, [silent]);
    assert.equal(shown.length, 1_000);
    assert.equal(shown[0]?.channelVersion, 'c/7');
    assert.deepEqual(shown.at(-1), silent);
  });
});

describe('telemetry changes', () => {
  it('prints a line for each, and what is not shown', () => {
    assert.equal(
      changesText(DOCUMENT),
      [
        '20131027 step     M of nightly/28 went up [q 1e-7]',
        '20131020 silence  M of beta/26 went up',
        '2 changes as of commit 7 (2013-10-31T13:40:12.345Z)',
        '2 older changes left out',
        '1 folder could not be compared: see --json',
      ].join('\n'),
    );
  });

  it('knows the channels that were compared, those that could not be, and those that fell silent', () => {
    assert.deepEqual([...knownChannels(DOCUMENT)].toSorted(), ['beta/25', 'beta/26', 'nightly/28']);
  });

  it('of a channel, or of a channel/version', () => {
    for (const [channel, count] of [
      ['nightly', 1],
      ['nightly/28', 1],
      ['night', 0],
      ['nightly/2', 0],
    ] as const)
      assert.equal((JSON.parse(changesJson(DOCUMENT, channel)) as { changes: unknown[] }).changes.length, count);
  });
});

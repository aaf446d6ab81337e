/** Which channel/versions fell silent (docs/changes.md 5). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analysedDays } from '../../src/pipeline/changes/analysed-days.ts';
import { silenceChange, silences } from '../../src/pipeline/changes/silence.ts';
import type { LedgerEntry } from '../../src/pipeline/dataset/ledger.ts';
import { dayAfter } from '../../src/pipeline/calendar-day.ts';

function days(count: number): string[] {
  const result = ['20131028'];
  while (result.length < count) result.push(dayAfter(result.at(-1) ?? ''));
  return result;
}

/** Submissions of each channel/version, a number for each day. */
function silent(counts: Readonly<Record<string, readonly number[]>>) {
  const longest = Math.max(...Object.values(counts).map(({ length }) => length));
  const all = days(longest);
  const byDay = Object.entries(counts).map(([name, sent]) => {
    const known = sent.flatMap((count, index) => (count === 0 ? [] : [[all[index] ?? '', count] as const]));
    return [name, new Map(known)] as const;
  });
  return silences(new Map(byDay), all);
}

const steady = (count: number, each = 150): number[] => new Array<number>(count).fill(each);

describe('a channel/version', () => {
  for (const last of [0, 1, 20])
    it(`that sent 150 submissions on the first day and ${last} on the second is silent`, () => {
      const found = silent({ 'nightly/28': [150, 150], 'aurora/27': [150, last] });
      assert.deepEqual(
        found.map(({ channelVersion, since, habit, sent }) => ({ channelVersion, since, habit, sent })),
        [{ channelVersion: 'aurora/27', since: '20131029', habit: 150, sent: last }],
      );
    });

  it('stays silent until it is heard again', () => {
    const quiet = [...steady(10), 0, 1, 0];
    assert.equal(silent({ 'beta/26': quiet })[0]?.since, '20131107');
    assert.equal(silent({ 'beta/26': quiet })[0]?.days.length, 3);
    assert.deepEqual(silent({ 'beta/26': [...quiet, 140] }), []);
  });

  it('is no longer told of after four weeks, when that is its habit', () => {
    assert.equal(silent({ 'beta/26': [...steady(20), ...steady(28, 0)] }).length, 1);
    assert.deepEqual(silent({ 'beta/26': [...steady(20), ...steady(29, 0)] }), []);
  });

  it('that is quiet every weekend, or varies, is not silent', () => {
    assert.deepEqual(silent({ 'beta/26': [150, 160, 150, 155, 150, 20, 22, 150, 160, 150, 155, 150, 18] }), []);
    assert.deepEqual(silent({ 'beta/26': [150, 40, 220, 90, 60, 35] }), []);
  });

  it('that few people have is not silent on a day without them', () => {
    assert.deepEqual(silent({ 'esr/17': [5, 3, 8, 6, 0] }), []);
  });

  it('that people leave within a day for a higher version is not silent', () => {
    assert.deepEqual(silent({ 'nightly/28': [3, 2, 4, 150], 'nightly/27': [150, 150, 148, 2] }), []);
  });

  it('that fades over weeks while a higher version grows is not silent', () => {
    const fading = Array.from({ length: 40 }, (_, index) => Math.round(1000 / (1 + Math.exp((index - 15) / 2))));
    const growing = fading.map((count) => 1000 - count);
    for (let length = 5; length <= 40; length += 1)
      assert.deepEqual(silent({ 'beta/25': fading.slice(0, length), 'beta/26': growing.slice(0, length) }), []);
  });

  it('is silent although another channel, or a lower version, grows', () => {
    assert.equal(silent({ 'nightly/28': [150, 1], 'aurora/29': [10, 300], 'nightly/27': [10, 300] }).length, 1);
    assert.equal(silent({ 'nightly/100': [10, 300], 'nightly/99': [150, 1] }).length, 0);
  });

  it('a silence is a change with a sentence and an id of its own', () => {
    const [one] = silent({ 'aurora/27': [150, 1] });
    const change = silenceChange(one!);
    assert.equal(change.id, 'aurora/27/silence/20131029');
    assert.equal(change.text, 'aurora/27 sent one submission on 2013-10-29, and about 150 a day before');
    assert.deepEqual([change.kind, change.measure, change.before.submissions], ['silence', null, 150]);
  });
});

describe('analysed days', () => {
  const entry = (done: number, missing = 0): LedgerEntry => ({
    ...{ runId: 'r', planned: done + missing, done, failed: 0, missing },
    files: { processed: 1, missing: 0 },
    fileLists: { processed: null, missing: null },
  });

  it('are those whose runs lost few tasks, and older ones that rounds brought', () => {
    const entries = new Map([
      ['20131028', entry(100)],
      ['20131029', entry(80, 20)],
      ['round-20131030T133100.000Z', entry(5)],
    ]);
    const counts = new Map([
      [
        'nightly/28',
        new Map([
          ['20131020', 500],
          ['20131021', 3],
          ['20131029', 400],
          ['20131031', 400],
          ['99999999', 400],
        ]),
      ],
    ]);
    assert.deepEqual(analysedDays({ entries }, counts, '2013-11-01T05:00:00.000Z'), ['20131020', '20131028']);
  });
});

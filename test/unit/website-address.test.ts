/** The address of the page: everything that is shown is in it, and addresses of the former pages still mean something. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { csvOf, fileName } from '../../website/page/tables.ts';
import { datesName, duration, number, quantityName, shortNames } from '../../website/page/format.ts';
import { fromOldLink } from '../../website/page/old-links.ts';
import {
  EXPLORE_DEFAULTS,
  exploreAddress,
  type ExploreState,
  NO_FILTER,
  readAddress,
  writeAddress,
} from '../../website/page/state.ts';
import { calendarOf, freshness } from '../../website/page/views/freshness.ts';

const STATE: ExploreState = {
  measure: 'A/B & "C"',
  by: 'submission',
  series: [
    {
      channelVersion: 'nightly/28',
      filter: ['saved_session', '', 'WI|N/T', '', 'x86'],
      from: undefined,
      to: undefined,
    },
    { channelVersion: 'nightly/27', filter: NO_FILTER, from: '20131001', to: '20131005' },
  ],
  active: 1,
  from: '20131002',
  to: undefined,
  zoomed: true,
  reference: '20131003',
  quantities: ['p5', 'p99.9', 'b3', 'mean'],
  shape: 'cumulative',
  axis: 'linear',
  versus: 'ratio',
  interpolated: false,
  threshold: 25,
};

describe('the address', () => {
  it('holds the whole state', () => {
    assert.deepEqual(readAddress(exploreAddress(STATE)).explore, STATE);
  });

  it('is short for what is usual', () => {
    const series = [{ channelVersion: 'nightly/28', filter: NO_FILTER }];
    assert.equal(exploreAddress({ measure: 'GC_MS', series }), '#/explore?m=GC_MS&s=nightly/28');
  });

  it('that cannot be read counts as absent, part by part', () => {
    const text =
      '#/explore?m=GC_MS&s=&s=a/1|%25E0%25A4|x-y&on=99&dates=1-2&show=p0,px,p50&least=-4&by=%E0%A4&vs=drop&axis=up';
    const { explore } = readAddress(text);
    assert.deepEqual(
      { ...explore, series: [] },
      { ...EXPLORE_DEFAULTS, measure: 'GC_MS', from: undefined, to: undefined, reference: undefined },
    );
    assert.equal(explore.series.length, 1);
    assert.equal(readAddress('#/nowhere').view, 'explore');
  });

  it('has 8 series at most', () => {
    assert.equal(readAddress(`#/explore?${'s=a/1&'.repeat(20)}`).explore.series.length, 8);
  });

  it('names one change', () => {
    const id = 'nightly/28/GC_MS/by-build-date/20131027';
    const state = readAddress(`#/changes?id=${id}`);
    assert.equal(state.changes.id, id);
    assert.equal(writeAddress(state), `#/changes?id=${id}`);
  });
});

describe('an address of the former pages', () => {
  const explore = (hash: string): ExploreState => readAddress(fromOldLink(hash) ?? '').explore;

  it('with a path means this channel, version, measure and filter', () => {
    for (const hash of ['#nightly/28/GC_MS/saved_session/Firefox', '#!nightly/28/GC_MS/saved_session/Firefox&x=1']) {
      const { measure, series } = explore(hash);
      assert.equal(measure, 'GC_MS');
      assert.deepEqual(
        series.map(({ channelVersion, filter }) => [channelVersion, filter]),
        [['nightly/28', ['saved_session', 'Firefox', '', '', '']]],
      );
    }
  });

  it('with a filter means its dates and lines too', () => {
    const state = explore(
      '#filter=nightly%2F28%2FGC_MS%2Fsaved_session&aggregates=multiselect-all!Submissions!Mean!5th%20percentile!median&evoOver=Time&locked=true',
    );
    assert.deepEqual([state.measure, state.by, state.quantities], ['GC_MS', 'submission', ['mean', 'p5', 'p50']]);
  });

  it('with a range of versions means all of them, newest first', () => {
    const hash =
      '#!aggregates=median!95th-percentile&cumulative=1&end_date=2013-10-29&max_channel_version=nightly%252F28&measure=GC_MS&min_channel_version=nightly%252F26&os=WINNT&product=Firefox!Fennec&start_date=null&use_submission_date=1';
    const state = explore(hash);
    assert.deepEqual(
      state.series.map(({ channelVersion }) => channelVersion),
      ['nightly/28', 'nightly/27', 'nightly/26'],
    );
    assert.deepEqual(state.series[0]?.filter, ['', '', 'WINNT', '', '']);
    assert.deepEqual(
      [state.by, state.to, state.from, state.shape, state.quantities],
      ['submission', '20131029', undefined, 'cumulative', ['p50', 'p95']],
    );
  });

  it('never hides a new one', () => {
    for (const hash of ['', '#', '#/explore?m=GC_MS', '#/changes', '#main'])
      assert.equal(fromOldLink(hash), undefined, hash);
  });
});

describe('what people read', () => {
  it('numbers, dates and names', () => {
    assert.deepEqual([0, 0.25, 12.345, 123.45, 12_345.6, -1.5, 0.0001, null].map(number), [
      '0',
      '0.25',
      '12.35',
      '123.5',
      '12,346',
      '−1.5',
      '1.0e-4',
      '–',
    ]);
    assert.deepEqual(
      [
        datesName(undefined, undefined),
        datesName('20131001', '20131005'),
        datesName('20131001', '20131105'),
        datesName('20131231', '20140101'),
      ],
      ['all dates', '1 to 5 Oct 2013', '1 Oct to 5 Nov 2013', '31 Dec 2013 to 1 Jan 2014'],
    );
    assert.deepEqual(
      (['p50', 'p1', 'p22', 'p13', 'p99.9', 'mean'] as const).map((one) => quantityName(one)),
      ['median', '1st percentile', '22nd percentile', '13th percentile', '99.9th percentile', 'mean'],
    );
    assert.deepEqual([59_000, 61_000, 3_700_000, 100_000_000, 200_000_000].map(duration), [
      'less than a minute',
      '1 minute',
      '1 hour',
      '27 hours',
      '2 days',
    ]);
  });

  it('short names of series say what differs', () => {
    const filter = (system: string): string[] => ['saved_session', '', system, '', ''];
    const of = (channelVersion: string, system: string) => ({ channelVersion, filter: filter(system) });
    assert.deepEqual(shortNames([of('nightly/28', 'WINNT'), of('nightly/28', '')]), ['WINNT', 'all']);
    assert.deepEqual(shortNames([of('nightly/28', 'WINNT'), of('nightly/27', 'WINNT')]), ['nightly/28', 'nightly/27']);
    assert.deepEqual(shortNames([of('nightly/28', 'WINNT')]), ['nightly/28']);
  });

  it('CSV that no spreadsheet runs, and file names that no shell trips over', () => {
    const rows = [
      ['=HYPERLINK("x")', -1, null],
      ['a"b\nc', 0.5, '@x'],
    ] as const;
    assert.equal(
      csvOf({ columns: ['a', 'b', 'c'], rows }),
      'a,b,c\r\n"\'=HYPERLINK(""x"")",-1,\r\n"a""b\nc",0.5,\'@x\r\n',
    );
    assert.equal(fileName(['GC_MS', '../<x>', 'nightly/28'], 'csv'), 'GC_MS-..-x-nightly-28.csv');
  });
});

describe('freshness', () => {
  const at = '2013-10-29T12:00:00Z';
  const after = (hours: number): string => freshness({ at, seq: 1 }, Date.parse(at) + hours * 3_600_000).verdict;

  it('becomes late and stale by itself', () => {
    assert.deepEqual([-1, 0, 25, 27, 49, 51, 9999].map(after), [
      'good',
      'good',
      'good',
      'late',
      'late',
      'stale',
      'stale',
    ]);
    for (const wrong of [null, { at: null, seq: null }, { at: 'x', seq: 1 }])
      assert.equal(freshness(wrong, 0).verdict, 'unknown');
  });

  it('the calendar ends with the newest day, and shows gaps', () => {
    const entry = {
      runId: '',
      planned: 1,
      done: 1,
      failed: 0,
      missing: 0,
      records: 1,
      files: { processed: 1, missing: 0 },
      missingReasons: [],
    };
    const days = calendarOf({
      entries: [
        { ...entry, name: '20131027' },
        { ...entry, name: '20131029', failed: 1 },
        { ...entry, name: 'round-x' },
      ],
    });
    assert.equal(days.length, 30);
    assert.deepEqual(
      days.slice(-3).map(({ date, state }) => [date, state]),
      [
        ['20131027', 'whole'],
        ['20131028', 'none'],
        ['20131029', 'partial'],
      ],
    );
    assert.deepEqual(calendarOf({ entries: [] }), []);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DefinitionSource } from '../../src/histograms/look-up.ts';
import type { ByDate, Slot } from '../../src/pipeline/aggregates/slot.ts';
import { defineFrom } from '../../src/pipeline/dataset/measure-definition.ts';
import { parsePreviousSnapshot } from '../../src/pipeline/dataset/previous-snapshot.ts';
import { renderSnapshot, type SnapshotSummary } from '../../src/pipeline/dataset/snapshot.ts';
import { compareText } from '../../src/pipeline/text-order.ts';

const REVISION = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
const PATH = 'saved_session/Firefox/WINNT/6.1/x86';
const known: DefinitionSource = { histograms: async () => ({ BOOL: { kind: 'boolean' }, GC_MS: { kind: 'flag' } }) };
const unreachable: DefinitionSource = { histograms: async () => undefined };

function slot(part: Partial<Slot>): Slot {
  return {
    measure: 'BOOL',
    byDate: 'by-build-date',
    path: PATH,
    date: '20131029',
    values: [1, 0, 0, 0, -1, -1, 0, 0, 1],
    buildId: '20131029030201',
    revision: REVISION,
    ...part,
  };
}

function sorted(slots: readonly Slot[]): Slot[] {
  const key = (s: Slot): string => [s.measure, s.byDate, s.path, s.date].join('\t');
  return slots.toSorted((a, b) => compareText(key(a), key(b)) || a.values.length - b.values.length);
}

interface Rendered {
  readonly files: Map<string, string>;
  readonly summary: SnapshotSummary;
}

async function render(slots: readonly Slot[], source = known, before?: Map<string, string>): Promise<Rendered> {
  const previous =
    before === undefined
      ? undefined
      : parsePreviousSnapshot({
          filterTree: before.get('filter-tree.json')!,
          histograms: before.get('histograms.json')!,
          revisions: before.get('revisions.json')!,
        });
  const rendering = renderSnapshot({ slots: [slots], previous, define: defineFrom(source, previous) });
  const files = new Map<string, string>();
  for (;;) {
    const step = await rendering.next();
    if (step.done === true) return { files, ...step.value };
    assert.ok(!files.has(step.value.name), step.value.name);
    files.set(step.value.name, String(step.value.json));
  }
}

const definitionOf = ({ files }: Rendered, measure: string): unknown =>
  JSON.parse(files.get('histograms.json')!)[measure];

describe('renderSnapshot', () => {
  // The worked example of docs/formats/published.md 5.2.
  const example = [
    slot({ path: 'saved_session/Firefox/WINNT/6.1/x86', values: [3, 2, 0, 2, -1, -1, 2, 0, 5] }),
    slot({ path: 'saved_session/Firefox/WINNT/6.1/x86-64', values: [1, 0, 0, 0, -1, -1, 0, 0, 1] }),
    slot({
      path: 'saved_session/Firefox/Linux/3.1/x86',
      date: '20131028',
      values: [0, 4, 0, 4, -1, -1, 4, 0, 4],
      buildId: '20131028030205',
      revision: 'http://hg.mozilla.org/mozilla-central/rev/aaaaaaaaaaaa',
    }),
  ];

  it('writes the worked example byte for byte', async () => {
    const { files } = await render(sorted(example));
    assert.deepEqual(Object.fromEntries(files), {
      'BOOL-by-build-date.json':
        '{"20131028":[[0,4,0,4,-1,-1,4,0,4,5]],' + '"20131029":[[3,2,0,2,-1,-1,2,0,5,8],[1,0,0,0,-1,-1,0,0,1,9]]}',
      'BOOL-by-submission-date.json': '{}',
      'filter-tree.json':
        '{"_id":0,"name":"reason","saved_session":{"_id":1,"name":"appName","Firefox":{"_id":2,"name":"OS",' +
        '"Linux":{"_id":3,"name":"osVersion","3.1":{"_id":4,"name":"arch","x86":{"_id":5}}},' +
        '"WINNT":{"_id":6,"name":"osVersion","6.1":{"_id":7,"name":"arch","x86":{"_id":8},"x86-64":{"_id":9}}}}}}',
      'histograms.json': '{"BOOL":{"kind":"boolean"}}',
      'revisions.json': `{"BOOL":{"revision":"${REVISION}","buildId":"20131029030201","length":9}}`,
      'builds.json':
        '{"format":1,"complete":true,"builds":{' +
        `"20131028030205":"http://hg.mozilla.org/mozilla-central/rev/aaaaaaaaaaaa","20131029030201":"${REVISION}"}}`,
      '_summary-0.json':
        '{"BOOL":{"build":{"20131028":[0,4,0,4,-1,-1,4,0,4],"20131029":[4,2,0,2,-1,-1,2,0,6]},"submission":{}}}',
      '_measures.json':
        '{"format":1,"dates":{"build":["20131028","20131029"],"submission":[]},"shards":1,' +
        '"measures":{"BOOL":{"kind":"boolean","description":"","shard":0,"submissions":10,"spark":[]}}}',
    });
  });

  it('keeps the filter ids of the folder before, and gives a new architecture the next one', async () => {
    const first = await render(sorted(example));
    const more = [
      slot({ values: [4, 3, 0, 3, -1, -1, 3, 0, 7] }),
      slot({ path: 'saved_session/Firefox/Linux/3.1/arm' }),
      ...example.slice(1),
    ];
    const { files } = await render(sorted(more), known, first.files);
    assert.equal(
      files.get('BOOL-by-build-date.json'),
      '{"20131028":[[0,4,0,4,-1,-1,4,0,4,5]],' +
        '"20131029":[[1,0,0,0,-1,-1,0,0,1,10],[4,3,0,3,-1,-1,3,0,7,8],[1,0,0,0,-1,-1,0,0,1,9]]}',
    );
  });

  it('visits measures in order, the build date before the submission date', async () => {
    const paths = ['r/a/o/v/1', 'r/a/o/v/2', 'r/a/o/v/3', 'r/a/o/v/4'];
    const { files } = await render([
      slot({ path: paths[3]! }),
      slot({ path: paths[2]!, byDate: 'by-submission-date' }),
      slot({ path: paths[1]!, measure: 'GC_MS' }),
      slot({ path: paths[0]!, measure: 'GC_MS', byDate: 'by-submission-date' }),
    ]);
    assert.match(files.get('filter-tree.json')!, /"4":{"_id":5},"3":{"_id":6},"2":{"_id":7},"1":{"_id":8}/);
  });

  it('shows one row length a measure, over both dates, and counts the rest', async () => {
    const long = [1, 0, 0, 0, 0, -1, -1, 0, 0, 2];
    const slots = [
      slot({ values: [1, 0, 0, 0, -1, -1, 0, 0, 2] }),
      slot({ values: long, buildId: '20131030030201' }),
      slot({ byDate: 'by-submission-date' }),
    ];
    const { files, summary } = await render(slots);
    assert.deepEqual(JSON.parse(files.get('BOOL-by-build-date.json')!), { 20131029: [[...long, 5]] });
    assert.equal(files.get('BOOL-by-submission-date.json'), '{}');
    assert.deepEqual(summary.lengthMismatch, { slots: 2, submissions: 2 });
    assert.equal(summary.rows, 1);
    assert.equal(summary.slots, 3);
    assert.deepEqual(summary.definitions.mismatch, ['BOOL']);
  });

  it('reports a new row length of a published measure', async () => {
    const first = await render([slot({})]);
    const { summary } = await render([slot({ values: [1, 0, 0, 0, 0, -1, -1, 0, 0, 2] })], known, first.files);
    assert.deepEqual(summary.lengthChanges, [{ measure: 'BOOL', from: 9, to: 10 }]);
  });

  it('publishes data without its definition, and the definition as soon as it is to be had', async () => {
    const waiting = await render([slot({})], unreachable);
    assert.deepEqual(waiting.summary.definitions.pending, ['BOOL']);
    assert.deepEqual(definitionOf(waiting, 'BOOL'), {
      kind: 'enumerated',
      n_values: 2,
      description: 'definition unavailable',
    });
    const found = await render([slot({})], known, waiting.files);
    assert.deepEqual(found.summary.definitions.pending, []);
    assert.deepEqual(definitionOf(found, 'BOOL'), { kind: 'boolean' });
  });

  it('keeps the definition of the folder before while the row length is the same', async () => {
    const first = await render([slot({})]);
    const same = await render([slot({})], unreachable, first.files);
    assert.deepEqual(definitionOf(same, 'BOOL'), { kind: 'boolean' });
    assert.deepEqual(same.summary.definitions.pending, ['BOOL']);
    const longer = await render([slot({ values: [1, 0, 0, 0, 0, -1, -1, 0, 0, 2] })], unreachable, first.files);
    assert.deepEqual(definitionOf(longer, 'BOOL'), {
      kind: 'enumerated',
      n_values: 3,
      description: 'definition unavailable',
    });
    assert.deepEqual(longer.summary.definitions.pending, ['BOOL']);
  });

  it('does not keep an empty definition of the original', async () => {
    const first = await render([slot({})]);
    first.files.set('histograms.json', '{"BOOL":{}}');
    const { files } = await render([slot({})], unreachable, first.files);
    assert.match(files.get('histograms.json')!, /definition unavailable/);
  });

  it('counts measures that no Histograms.json defines', async () => {
    const { summary } = await render([slot({ measure: 'STARTUP_BOOL' }), slot({ measure: 'X' })]);
    assert.deepEqual(summary.definitions, { pending: [], missing: ['X'], mismatch: [] });
  });

  it('takes the definition from the newest submissions that named a revision', async () => {
    const asked: string[] = [];
    const source: DefinitionSource = {
      histograms: async (revision) => {
        asked.push(revision);
        return known.histograms(revision);
      },
    };
    const { files, summary } = await render(
      [slot({ date: '20131028' }), slot({ buildId: '20131030030201', revision: '' })],
      source,
    );
    assert.deepEqual(asked, [REVISION]);
    assert.deepEqual(summary.definitions.missing, []);
    assert.equal(files.get('revisions.json'), '{"BOOL":{"revision":"","buildId":"20131030030201","length":9}}');
  });

  it('defines simple measures without asking for a file', async () => {
    const values = Array.from({ length: 56 }, () => 1);
    const measure = 'SIMPLE_MEASURES_MAIN';
    const slots = [slot({ measure, values, buildId: '0', revision: 'simple-measures-hack' })];
    const rendered = await render(slots, { histograms: async () => assert.fail('asked') });
    assert.deepEqual(definitionOf(rendered, measure), {
      kind: 'exponential',
      low: 1,
      high: 30000,
      n_buckets: 50,
      extended_statistics_ok: true,
      description: 'Histogram aggregation for simple measure: MAIN',
    });
  });

  it('leaves out what cannot be shown, and counts it', async () => {
    const { files, summary } = await render(
      sorted([
        slot({ measure: 'A/../B' }),
        slot({ measure: '' }),
        slot({ measure: 'A'.repeat(256) }),
        slot({ path: 'saved_session/Firefox/WINNT/6.1' }),
        slot({ path: 'saved_session/Firefox/WINNT/6.1/_id' }),
        slot({ path: 'saved_session/Firefox/WINNT//x86' }),
        slot({ date: '2013-10-29' }),
        slot({ values: [1, 2, 3, 4, 5, 6, 7] }),
        slot({}),
      ]),
    );
    assert.deepEqual(summary.dropped, { bad_measure_name: 3, bad_filter_path: 3, bad_date: 1, bad_row_length: 1 });
    assert.equal(summary.slots, 9);
    assert.equal(summary.rows, 1);
    assert.deepEqual(JSON.parse(files.get('BOOL-by-build-date.json')!), {
      20131029: [[1, 0, 0, 0, -1, -1, 0, 0, 1, 5]],
    });
  });

  it('keeps hostile names as plain names', async () => {
    const path = '__proto__/constructor/16/3/toString';
    const { files } = await render([slot({ measure: '__proto__', path }), slot({ measure: 'constructor', path })]);
    assert.match(files.get('filter-tree.json')!, /"__proto__":{"_id":1,"name":"appName","constructor":{"_id":2,/);
    assert.match(files.get('histograms.json')!, /^{"__proto__":{.*},"constructor":{.*}}$/);
    assert.ok(files.has('__proto__-by-build-date.json'));
  });

  it('writes numbers that JSON cannot hold as the largest ones, and counts them', async () => {
    const values = [1, 2 ** 53, 0.1, Infinity, -Infinity, NaN, -0, 1e21, 1];
    const { files, summary } = await render([slot({ values })]);
    assert.equal(
      files.get('BOOL-by-build-date.json'),
      '{"20131029":[[1,9007199254740992,0.1,1.7976931348623157e+308,-1.7976931348623157e+308,0,0,1e+21,1,5]]}',
    );
    assert.equal(summary.clamped, 3);
  });

  it('writes the fixed files and an empty index for a channel/version without slots', async () => {
    const { files, summary } = await render([]);
    assert.deepEqual(
      [...files],
      [
        ['filter-tree.json', '{"_id":0,"name":"reason"}'],
        ['histograms.json', '{}'],
        ['revisions.json', '{}'],
        ['builds.json', '{"format":1,"complete":true,"builds":{}}'],
        ['_measures.json', '{"format":1,"dates":{"build":[],"submission":[]},"shards":0,"measures":{}}'],
      ],
    );
    assert.equal(summary.measures, 0);
  });

  it('refuses slots out of order or twice', async () => {
    await assert.rejects(render([slot({ measure: 'GC_MS' }), slot({})]), { reason: 'unsorted_slots' });
    await assert.rejects(render([slot({}), slot({})]), { reason: 'unsorted_slots' });
  });

  it('shows every slot of the chosen length exactly once, and gives equal text for equal input', async () => {
    const anySlot = fc
      .record({
        measure: fc.constantFrom('BOOL', 'GC_MS', 'X'),
        byDate: fc.constantFrom<ByDate>('by-build-date', 'by-submission-date'),
        path: fc.constantFrom('r/a/o/v/16', 'r/a/o/v/2', 'r/a/o/𝌆/2', 'r/a/o/\uffee/2', 'q/a/o/v/2'),
        date: fc.constantFrom('20131028', '20131029'),
        buildId: fc.constantFrom('20131028', '20131029030201'),
        long: fc.boolean(),
      })
      .map(({ long, ...part }) => slot({ ...part, values: Array.from({ length: long ? 10 : 9 }, () => 1) }));
    const slots = fc.uniqueArray(anySlot, {
      selector: (s) => [s.measure, s.byDate, s.path, s.date, s.values.length].join(),
    });
    await fc.assert(
      fc.asyncProperty(slots, async (list) => {
        const first = await render(sorted(list));
        assert.equal(first.summary.rows + first.summary.lengthMismatch.slots, list.length);
        const again = await render(sorted(list.toReversed()));
        assert.deepEqual([...again.files], [...first.files]);
        const onTop = await render(sorted(list), known, first.files);
        assert.deepEqual([...onTop.files], [...first.files]);
      }),
    );
  });
});

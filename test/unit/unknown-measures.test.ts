/** Names that submitters make up: what a day keeps of them, and what a data set shows. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DayMeasures } from '../../src/pipeline/aggregates/day-measures.ts';
import type { PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { defineFrom } from '../../src/pipeline/dataset/measure-definition.ts';
import { UnknownMeasures } from '../../src/pipeline/dataset/unknown-measures.ts';
import { mergeDayParts, mergePartFiles } from '../../src/threads/merge-parts.ts';
import { renderSnapshotFiles } from '../../src/threads/render-snapshot.ts';
import { readPart, writePart } from '../../src/threads/part-file.ts';

const work = mkdtempSync(join(tmpdir(), 'unknown-measures-'));
after(() => {
  rmSync(work, { recursive: true });
});

function slot(measure: string, submissions: number, path = 'saved_session/Firefox/WINNT/6.1/x86'): PartSlot {
  const values = [submissions, 0, 0, submissions, -1, -1, 0, 0, submissions];
  const build = { date: '20131029', buildId: '20131029030201', revision: '' };
  return { channelVersion: 'nightly/28', slot: { measure, byDate: 'by-build-date', path, values, ...build } };
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(5, '0')}`);

describe('measures that no definition knows', () => {
  const cases: readonly [what: string, known: 'no' | 'later', measures: [string, number][], leftOut: number][] = [
    ['100 rare ones are shown', 'no', names('R', 100).map((name) => [name, 1]), 0],
    ['of 101 rare ones none is', 'no', names('R', 101).map((name) => [name, 9]), 101],
    ['ten submissions make one that is not rare', 'no', names('R', 101).map((name, n) => [name, n === 5 ? 10 : 9]), 0],
    ['the 1,000 of most submissions are shown', 'no', names('C', 1003).map((name, n) => [name, 10 + n]), 3],
    ['1,200 whose definitions cannot be had are shown', 'later', names('L', 1200).map((name) => [name, 1]), 0],
    ['of 2,001 rare ones without definitions none is', 'later', names('L', 2001).map((name) => [name, 1]), 2001],
  ];
  for (const [what, known, measures, count] of cases) {
    it(what, () => {
      const unknown = new UnknownMeasures();
      for (const [measure, submissions] of measures) unknown.note({ measure, known, submissions });
      const leftOut = unknown.leftOut();
      assert.equal(leftOut.size, count);
      const least = measures.toSorted(([, a], [, b]) => a - b).slice(0, count);
      assert.deepEqual([...leftOut].toSorted(), least.map(([measure]) => measure).toSorted());
    });
  }

  it('are told from others by the definitions, and simple measurements by what browsers have', async () => {
    const definitions = { KNOWN: { kind: 'boolean' } };
    const define = defineFrom(
      { histograms: async (revision) => (revision === 'r' ? definitions : undefined) },
      undefined,
    );
    const asked = [
      ['KNOWN', 'r'],
      ['ODD', 'r'],
      ['ODD', ''],
      ['ODD', 'gone'],
      ['SIMPLE_MEASURES_X', ''],
      ['SIMPLE_MEASURES_FIRSTPAINT', ''],
      ['SIMPLE_MEASURES_ADDONMANAGER_XPIDB_SAVES_LATE', ''],
    ] as const;
    const known = await Promise.all(asked.map(async ([name, revision]) => (await define(name, [revision], 9)).known));
    assert.deepEqual(known, ['yes', 'no', 'no', 'later', 'no', 'yes', 'yes']);
  });

  it('no one revision decides: the next one is asked when it lacks the measure, or cannot be had', async () => {
    const definitions = { KNOWN: { kind: 'boolean' } };
    const define = defineFrom(
      { histograms: async (revision) => (revision === 'gone' ? undefined : revision === 'r' ? definitions : {}) },
      undefined,
    );
    for (const revisions of [
      ['lacks', 'r'],
      ['gone', 'r'],
      ['lacks', 'gone', 'r'],
    ]) {
      const { state, known } = await define('KNOWN', revisions, 9);
      assert.deepEqual([state, known], ['found', 'yes'], revisions.join());
    }
    const { state, known } = await define('KNOWN', ['gone', 'lacks'], 9);
    assert.deepEqual([state, known], ['pending', 'later']);
  });

  it('a flood of them changes no byte of the others, and no file is named after one', async () => {
    const honest = [...names('M', 20).map((name) => slot(name, 50)), slot('RARE_BUT_REAL', 1)];
    const flood = names('A', 3000).map((name) => slot(name, 1, 'made/up/path/of/theirs'));
    const [alone, flooded] = await Promise.all([
      rendered(honest.filter(({ slot: { measure } }) => measure !== 'RARE_BUT_REAL')),
      rendered([...flood, ...honest]),
    ]);
    assert.deepEqual(flooded.texts, alone.texts);
    assert.deepEqual([alone.measuresLeftOut, flooded.measuresLeftOut], [0, 3001]);
    assert.deepEqual(flooded.local, ['rendered']);
  });
});

describe('simple measurements', () => {
  it('that browsers have stay, whatever flood of invented ones most submissions bring', async () => {
    const honest = ['SIMPLE_MEASURES_FIRSTPAINT', 'SIMPLE_MEASURES_SESSIONRESTORED'].map((name) => slot(name, 1000));
    const flood = names('SIMPLE_MEASURES_A', 1001).map((name) => slot(name, 1001));
    const { texts, measuresLeftOut } = await rendered([...flood, ...honest]);
    assert.equal(measuresLeftOut, 1);
    for (const {
      slot: { measure },
    } of honest)
      assert.ok(
        texts.some(([name]) => name === `${measure}-by-build-date.json`),
        measure,
      );
  });
});

async function rendered(slots: readonly PartSlot[]) {
  const folder = mkdtempSync(join(work, 'folder-'));
  const part = `${folder}.part`;
  const output = join(folder, 'rendered');
  await writePart(part, slots);
  const { files, summary } = await renderSnapshotFiles({ parts: [part], previous: null, definitions: null, output });
  const all = readFileSync(output);
  const texts = files.map(({ name, start, bytes }) => [
    name,
    gunzipSync(all.subarray(start, start + bytes)).toString(),
  ]);
  return { texts, measuresLeftOut: summary.measuresLeftOut, local: readdirSync(folder) };
}

describe('the measures of a day', () => {
  const kept = async (max: number, slots: readonly PartSlot[], published?: string[]): Promise<[string[], number]> => {
    const measures = new DayMeasures(published, max);
    for (const item of slots) measures.note(item);
    if (measures.excess === 0) return [slots.map((item) => item.slot.measure), 0];
    const left = await Array.fromAsync(measures.keeping(slots));
    return [left.map((item) => item.slot.measure), measures.excess];
  };

  it('up to the limit are what a merge without one gives', async () => {
    const part = join(work, 'day.part');
    await writePart(
      part,
      names('M', 100).map((name) => slot(name, 1)),
    );
    const [limited, whole] = [join(work, 'limited'), join(work, 'whole')];
    const { measuresLeftOut, laterRows: _, ...info } = await mergeDayParts({ parts: [part], output: limited });
    assert.deepEqual(info, await mergePartFiles({ parts: [part], output: whole }));
    assert.deepEqual([measuresLeftOut, readFileSync(limited)], [0, readFileSync(whole)]);
  });

  it('are all kept up to the limit', async () => {
    assert.deepEqual(await kept(3, [slot('A', 1), slot('B', 1), slot('C', 1)]), [['A', 'B', 'C'], 0]);
  });

  it('beyond it are those that most submissions have, and of equal ones the first by name', async () => {
    const slots = [slot('A', 1), slot('B', 7), slot('C', 1), slot('D', 1), slot('E', 3)];
    assert.deepEqual(await kept(3, slots), [['A', 'B', 'E'], 2]);
    assert.deepEqual(await kept(1, slots), [['B'], 4]);
  });

  it('beyond it are those first that readers see already, however often others are in submissions', async () => {
    const slots = [slot('A', 1), slot('B', 7), slot('C', 2), slot('D', 9), slot('E', 3)];
    assert.deepEqual(await kept(3, slots, ['A', 'C']), [['A', 'C', 'D'], 2]);
    assert.deepEqual(await kept(1, slots, ['A', 'C']), [['C'], 4]);
  });

  it('are chosen in the same way from a part', async () => {
    const part = join(work, 'flood.part');
    await writePart(part, [slot('A_PUBLISHED', 1), ...names('M', 10_001).map((name) => slot(name, 60))]);
    const output = join(work, 'flood.kept');
    const measuresOf = async (published: string[]): Promise<string[]> => {
      const { measuresLeftOut } = await mergeDayParts({ parts: [part], output, published });
      assert.equal(measuresLeftOut, 2);
      return Array.fromAsync(readPart(output), (item) => item.slot.measure);
    };
    assert.ok((await measuresOf(['A_PUBLISHED'])).includes('A_PUBLISHED'));
  });

  it('have all their rows, or none', async () => {
    const slots = [slot('A', 1, 'r/a/o/v/x'), slot('A', 1, 'r/a/o/v/y'), slot('B', 1), slot('C', 3)];
    assert.deepEqual(await kept(2, slots), [['A', 'A', 'C'], 1]);
  });
});

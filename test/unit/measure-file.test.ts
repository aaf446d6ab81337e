/** Text of the published measure files, whatever a row's numbers are held in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sumSlots } from '../../src/pipeline/aggregates/part-line.ts';
import type { RowValues, Slot } from '../../src/pipeline/aggregates/slot.ts';
import { measureFile } from '../../src/pipeline/dataset/measure-file.ts';

function slot(values: RowValues): Slot {
  return {
    measure: 'M',
    byDate: 'by-build-date',
    path: 'r/a/o/v/x',
    date: '20131029',
    values,
    buildId: '20131029030201',
    revision: '',
  };
}

describe('measureFile', () => {
  const row = [0, 1, 0, 0.5, -1, -1, 1, 0, 2];
  it('writes unboxed rows and plain lists alike', () => {
    const expected = '{"20131029":[[0,1,0,0.5,-1,-1,1,0,2,7]]}';
    assert.equal(measureFile([slot(row)], () => 7).json.toString(), expected);
    assert.equal(measureFile([slot(Float64Array.from(row))], () => 7).json.toString(), expected);
  });

  it('writes a row that a merge of two days made', () => {
    const { json } = measureFile([sumSlots([slot(row), slot(row)])], () => 7);
    assert.deepEqual(JSON.parse(json.toString()), { 20131029: [[0, 2, 0, 1, -1, -1, 2, 0, 4, 7]] });
  });

  it('holds what JSON cannot write, and counts it', () => {
    const { json, clamped } = measureFile([slot([Infinity, -Infinity, NaN, 1, -1, -1, -1, -1, 1])], () => 7);
    assert.equal(clamped, 3);
    assert.deepEqual(JSON.parse(json.toString()), {
      20131029: [[Number.MAX_VALUE, -Number.MAX_VALUE, 0, 1, -1, -1, -1, -1, 1, 7]],
    });
  });

  it('has the dates in order, the rows of each in that of the slots, and their ids', () => {
    const ids = new Map([
      ['a', 7],
      ['b', 1_234_567_890_123],
    ]);
    const rows = ['a', 'b'].flatMap((path) => ['20131030', '20131029'].map((date) => ({ ...slot(row), path, date })));
    const { json } = measureFile(rows, (path) => ids.get(path) ?? 0);
    const [a, b] = [
      [...row, 7],
      [...row, 1_234_567_890_123],
    ];
    assert.equal(json.toString(), JSON.stringify({ 20131029: [a, b], 20131030: [a, b] }));
    assert.equal(measureFile([], () => 0).json.toString(), '{}');
  });
});

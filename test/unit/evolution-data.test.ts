/** The axis of the page's evolution: room for the dates of real builds, whatever somebody sent beside them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDefinition, type Sums } from '../../website/client/index.ts';
import { evolutionData } from '../../website/page/charts/evolution-data.ts';

const SUMS = { counts: Float64Array.of(1, 2), submissions: 3, sum: null } as unknown as Sums;

function spanOf(dates: readonly string[], latest: string | undefined): readonly string[] {
  const definition = readDefinition({ kind: 'boolean' }, 2);
  const dated = dates.map((date) => [date, SUMS] as const);
  const choice = { versus: 'none', reference: undefined, interpolated: false, threshold: 0 } as const;
  const data = evolutionData([{ name: 'n', index: 0, definition, dated }], {
    ...choice,
    quantities: ['submissions'],
    latest,
  });
  assert.deepEqual(data.dates, dates);
  return data.span;
}

describe('the axis of an evolution', () => {
  const honest = ['20131001', '20131015', '20131029'];
  const whole = ['20131001', '20131029'];

  it('has room for all dates of real builds', () => {
    assert.deepEqual(spanOf(honest, '20131031'), whole);
    assert.deepEqual(spanOf(honest, undefined), whole);
  });

  it('is the same beside dates of the future, and from before there were browsers', () => {
    assert.deepEqual(spanOf([...honest, '99991231'], '20131031'), whole);
    assert.deepEqual(spanOf(['19000101', ...honest, '20131101', '20991231'], '20131031'), whole);
  });

  it('has made-up dates where there are no others', () => {
    assert.deepEqual(spanOf(['99991231'], '20131031'), ['99991231', '99991231']);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileFilter, DIMENSIONS, parseFilter, sanitise } from '../../src/pipeline/filter/filter.ts';
import { checkDay, renderTemplate } from '../../src/pipeline/filter/template.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';

const document = (changes: Record<number, unknown> = {}): unknown => ({
  version: 1,
  dimensions: DIMENSIONS.map((field_name, index) => ({
    field_name,
    allowed_values: index in changes ? changes[index] : '*',
  })),
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

const refused =
  (reason: string, text: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof InvalidDataError, String(error));
    assert.equal(error.reason, reason);
    assert.match(error.message, text);
    return true;
  };

describe('sanitised values', () => {
  for (const [value, stored] of [
    ['saved-session', 'saved_session'],
    ['nightly-ux', 'nightly_ux'],
    ['a b+c', 'a_b_c'],
    ['28.0a1', '28.0a1'],
    ['é', '_'],
    ['🦊', '_'],
    ['x/y', 'x/y'],
  ] as const) {
    it(`${value} is stored as ${stored}`, () => {
      assert.equal(sanitise(value), stored);
    });
  }
});

describe('allowed values', () => {
  // docs/formats/input-bucket.md 1.3: the forms, and the checked examples of the writer.
  const cases: readonly [allowed: unknown, pass: readonly string[], fail: readonly string[]][] = [
    ['*', ['', 'anything', '*'], []],
    ['one_specific_build', ['one_specific_build'], ['two_specific_build', '*', 'one_specific_build ']],
    ['saved-session', ['saved_session'], ['saved-session', 'idle_daily']],
    [
      ['saved-session', 'main'],
      ['saved_session', 'main'],
      ['saved-session', 'saved_session ', '*', ''],
    ],
    [{}, ['', 'anything'], []],
    [{ min: '20130908' }, ['20130908', '20130909', '9'], ['20130907', '', '1']],
    [{ max: '20130907' }, ['20130907', '', '1'], ['2013090712', '20130908']],
    [
      { min: '20130908', max: '20140401' },
      ['20130908', '20130909', '20140101', '20140401'],
      ['20130907', '20000000', '20140402', '99999999'],
    ],
    [
      { min_major: 20, max_major: 60 },
      ['20', '20.0', '28.0a1', '60.0.1', '60'],
      ['19.9', '61.0', '3', '200.0', '028.0', '28x.0', '2invented', '', '.28', '1e9', '99999.0'],
    ],
    [{ min_major: 0 }, ['0', '0.9', '9999.1'], ['99999', 'x', '']],
    [{ max_major: 2 }, ['0', '2.5'], ['3', '28.0']],
  ];
  for (const [allowed, pass, fail] of cases) {
    it(`${JSON.stringify(allowed)} admits by text`, () => {
      const admits = compileFilter(parseFilter(document({ 3: allowed })));
      for (const value of pass) assert.ok(admits(3, value), `${value} passes`);
      for (const value of fail) assert.ok(!admits(3, value), `${value} fails`);
    });
  }

  it('admits nothing beyond the six dimensions', () => {
    assert.equal(compileFilter(parseFilter(document()))(6, 'x'), false);
  });
});

describe('filter documents', () => {
  const swapped = DIMENSIONS.map((field_name) => ({ field_name, allowed_values: '*' }));
  [swapped[0], swapped[1]] = [swapped[1]!, swapped[0]!];
  const cases: readonly [name: string, document: unknown, text: RegExp][] = [
    ['a list', [], /JSON object/],
    ['null', null, /JSON object/],
    ['version 2', { ...(document() as object), version: 2 }, /"version" must be 1/],
    ['majors the wrong way round', document({ 3: { min_major: 9, max_major: 8 } }), /appVersion.*empty range/],
    ['a major that is no number', document({ 3: { min_major: '9' } }), /appVersion.*whole number/],
    ['a major with another member', document({ 3: { min_major: 9, max: '8' } }), /appVersion.*unknown members: max/],
    ['a value nested 5,000 deep', document({ 3: nested(5000) }), /nested deeper/],
    ['70,000 characters', document({ 3: 'x'.repeat(70_000) }), /more than 65536 characters/],
    ['an unknown member', { ...(document() as object), colour: 1 }, /unknown members: colour/],
    ['no dimensions', { version: 1 }, /no list/],
    ['five dimensions', { version: 1, dimensions: swapped.slice(1) }, /found 5 entries/],
    ['seven dimensions', { version: 1, dimensions: [...swapped, swapped[0]] }, /found 7 entries/],
    ['the wrong order', { version: 1, dimensions: swapped }, /dimension 1 \(reason\).*found "appName"/],
    ['a dimension that is text', { version: 1, dimensions: DIMENSIONS }, /dimension 1 \(reason\) must be an object/],
    ['a star in a list', document({ 2: ['*'] }), /dimension 3 \(appUpdateChannel\).*use the string form/],
    ['an empty list', document({ 2: [] }), /dimension 3.*admit nothing/],
    ['an empty text in a list', document({ 2: [''] }), /every list element must be a text/],
    ['a number in a list', document({ 2: [28] }), /found 28/],
    ['an empty text', document({ 1: '' }), /use "\*" for all/],
    ['a number', document({ 3: 28 }), /found 28/],
    ['null values', document({ 3: null }), /found null/],
    ['missing values', document({ 3: undefined }), /dimension 4 \(appVersion\)/],
    ['a range of numbers', document({ 5: { min: 20131029 } }), /"min" must be a text/],
    ['a null bound', document({ 5: { max: null } }), /"max" must be a text/],
    ['an unknown bound', document({ 5: { from: '1' } }), /unknown members: from/],
    ['an empty range', document({ 5: { min: '20131030', max: '20131029' } }), /empty range/],
    ['a bound no value can have', document({ 0: { min: 'saved-session' } }), /no stored value can have/],
  ];
  for (const [name, bad, text] of cases) {
    it(`refuses ${name}, saying where`, () => {
      assert.throws(() => parseFilter(bad), refused('invalid_filter', text));
    });
  }

  it('keeps what it checked, so that a plan can show it', () => {
    const values = { 0: ['saved-session'], 4: { min: '20131029' }, 5: ['20131029'] };
    assert.deepEqual(parseFilter(document(values)), document(values));
  });
});

describe('the filter template', () => {
  const template = JSON.stringify(document({ 0: ['saved_session'], 5: ['DATE'] }), null, 2);

  it('puts the day in the place of DATE', () => {
    assert.deepEqual(renderTemplate(template, '20131029').dimensions[5]?.allowed_values, ['20131029']);
  });

  it('replaces every DATE', () => {
    const twice = JSON.stringify(document({ 5: { min: 'DATE', max: 'DATE' } }));
    const range = { min: '20131029', max: '20131029' };
    assert.deepEqual(renderTemplate(twice, '20131029').dimensions[5]?.allowed_values, range);
  });

  for (const [name, text, message] of [
    ['has no DATE', JSON.stringify(document()), /template has no DATE/],
    ['has DATE only in lower case', template.replace('DATE', 'date'), /template has no DATE/],
    ['has DATE inside UPDATED', template.replace('DATE', 'UPDATED'), /inside a longer word/],
    ['has DATE next to a digit', template.replace('DATE', 'DATE12'), /inside a longer word/],
    ['has DATE next to an underscore', template.replace('DATE', '_DATE'), /inside a longer word/],
    ['is no JSON', `${template}]`, /not JSON after putting 20131029/],
  ] as const) {
    it(`is refused when it ${name}`, () => {
      assert.throws(() => renderTemplate(text, '20131029'), refused('invalid_template', message));
    });
  }

  it('is refused when the rendered document is no filter', () => {
    const bad = JSON.stringify(document({ 3: 28, 5: ['DATE'] }));
    assert.throws(() => renderTemplate(bad, '20131029'), refused('invalid_filter', /appVersion/));
  });
});

describe('the day of a run', () => {
  const now = new Date('2013-10-30T13:31:00Z');
  for (const day of ['20130229', '2013-10-29', '20131301', '']) {
    it(`cannot be ${JSON.stringify(day)}`, () => {
      assert.throws(
        () => {
          checkDay(day, now);
        },
        refused('invalid_day', /not a calendar day/),
      );
    });
  }

  it('can be today or earlier, and later only when that is allowed', () => {
    checkDay('20131030', now);
    checkDay('20121030', now);
    checkDay('20131031', now, true);
    assert.throws(
      () => {
        checkDay('20131031', now);
      },
      refused('invalid_day', /in the future \(today is 20131030 UTC\)/),
    );
  });
});

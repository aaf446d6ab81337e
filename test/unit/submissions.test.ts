import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SIMPLE_MEASURE_BOUNDS } from '../../src/pipeline/submissions/simple-measures.ts';
import { cases } from '../fakes/cases.ts';
import { SlowSums } from '../fakes/slow-sums.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import {
  DEFAULT_RULES,
  SubmissionAggregator,
  type SubmissionRules,
} from '../../src/pipeline/submissions/aggregator.ts';
import {
  REVISION,
  INFO,
  FLAG,
  WHERE,
  keyOf,
  KEY,
  type Counted,
  count,
  line,
  submission,
  rowOf,
  paths,
} from '../fakes/counted-submissions.ts';

describe('a submission', () => {
  it('counts by build date and by submission date, with build and revision', () => {
    assert.deepEqual(count([submission({ histograms: { FLAG } })]), {
      records: 1,
      skipped: {},
      badHistograms: {},
      rows: {
        [`FLAG by-build-date ${WHERE}`]: [[...FLAG, 1], '20131029030201', REVISION],
        [`FLAG by-submission-date ${WHERE}`]: [[...FLAG, 1], '20131029030201', REVISION],
      },
    });
  });

  it('that comes again is counted again', () => {
    const twice = count([submission({ histograms: { FLAG } }), submission({ histograms: { FLAG } })]);
    assert.deepEqual(rowOf(twice, 'FLAG'), [2, 0, 0, 0, -1, -1, 0, 0, 2]);
  });

  // docs/formats/submissions.md 3.3, true days.
  for (const [build, submitted, bySubmission] of [
    ['20131029', '20131029', true],
    ['20131029', '20131228', true],
    ['20131029', '20131229', false],
    ['20120229', '20120429', true],
    ['20120131', '20120401', false],
    ['20120201', '20120401', true],
    ['20130201', '20130331', true],
    ['20121201', '20130202', false],
    ['20130226', '20131011', false],
    ['20131030', '20131029', true],
    ['20131101', '20131231', true],
    ['20131102', '20140102', false],
  ] as const) {
    it(`of build ${build}, submitted ${submitted}, is ${bySubmission ? '' : 'not '}counted by submission date`, () => {
      const { rows, skipped } = count([submission({ histograms: { FLAG }, simpleMeasurements: { a: 1 } })], {
        key: keyOf(`${build}030201`, submitted),
      });
      const dates = Object.keys(rows).map((place) => place.split(/[ /]/).slice(1, 3).join(' '));
      const expected = [`by-build-date ${build}`, ...(bySubmission ? [`by-submission-date ${submitted}`] : [])];
      assert.deepEqual(dates, [...expected, ...expected]);
      assert.deepEqual(skipped, build > submitted ? { build_in_future: 1 } : {});
    });
  }

  const left: readonly [name: string, line: string | Buffer, reason: string][] = [
    ['an empty line', '', 'empty_line'],
    ['no TAB', JSON.stringify({ info: INFO }), 'no_tab'],
    ['a second raw TAB in its JSON text', `id\t{"info":\t"a\tb"}`, 'bad_json'],
    ['no JSON', 'id\t', 'bad_json'],
    ['JSON cut off', submission().slice(0, -1), 'bad_json'],
    ['an array', line([]), 'bad_json'],
    ['text', line('x'), 'bad_json'],
    ['a NUL', submission().replace('WINNT', 'WIN\0NT'), 'bad_json'],
    ['no info', line({ ver: 2 }), 'no_info'],
    ['an array for info', line({ info: [] }), 'no_info'],
    ['null for info', line({ info: null }), 'no_info'],
    ['no OS', submission({ info: { ...INFO, OS: undefined } }), 'bad_os'],
    ['a number for OS', submission({ info: { ...INFO, OS: 5 } }), 'bad_os'],
    ['no OS version', submission({ info: { ...INFO, version: undefined } }), 'bad_os_version'],
    ['true for OS version', submission({ info: { ...INFO, version: true } }), 'bad_os_version'],
    ['null for OS version', submission({ info: { ...INFO, version: null } }), 'bad_os_version'],
    ['an endless OS version', submission().replace('"6.1"', '1e999'), 'bad_os_version'],
    ['no architecture', submission({ info: { ...INFO, arch: undefined } }), 'bad_arch'],
    ['an object for architecture', submission({ info: { ...INFO, arch: {} } }), 'bad_arch'],
    ['a number for revision', submission({ info: { ...INFO, revision: 5 } }), 'bad_revision'],
    ['null for revision', submission({ info: { ...INFO, revision: null } }), 'bad_revision'],
    ['payload version 1', submission({ ver: 1 }), 'unsupported_ver'],
    ['payload version 4', submission({ ver: 4 }), 'unsupported_ver'],
    ['a text for payload version', submission({ ver: '2' }), 'unsupported_ver'],
    ['null for payload version', submission({ ver: null }), 'unsupported_ver'],
  ];
  for (const [name, bad, reason] of left) {
    it(`with ${name} is left out as ${reason}; the next one counts`, () => {
      const good = submission({ histograms: { FLAG } });
      assert.deepEqual(count([bad, good]), { ...count([good]), skipped: { [reason]: 1 } });
    });
  }

  for (const [name, info, path] of [
    ['a number for OS version', { version: 6.1 }, 'WINNT/6.1/x86-64'],
    ['Linux', { OS: 'Linux', version: '3.11.0-12-generic' }, 'Linux/3.1/x86-64'],
    ['a TAB, escaped', { arch: 'x\ty' }, 'WINNT/6.1/x_y'],
    ['a slash and a quote', { version: '6/"1' }, 'WINNT/6_"1/x86-64'],
    ['nothing for Linux version', { OS: 'Linux', version: '' }, 'Linux/unknown/x86-64'],
    ['names of the filter tree', { OS: 'name', arch: '_id' }, 'name_/6.1/_id_'],
  ] as const) {
    it(`with ${name} counts under ${path}`, () => {
      const counted = count([submission({ info: { ...INFO, ...info }, histograms: { FLAG } }), submission()]);
      assert.deepEqual(paths(counted), [`saved_session/Firefox/${path}`]);
      const changed = path
        .split('/')
        .filter((part) => !(Object.values({ ...INFO, ...info }) as unknown[]).includes(part));
      const sanitised = changed.filter((part) => !['6.1', '3.1'].includes(part)).length;
      assert.deepEqual(counted.skipped, sanitised === 0 ? {} : { sanitised_value: sanitised });
    });
  }

  it('of payload version 5, or of none, counts', () => {
    assert.equal(count([submission({ ver: 5 }), submission({ ver: undefined })]).records, 2);
  });

  it('without a revision takes the fallback, if there is one', () => {
    const record = submission({ info: { ...INFO, revision: undefined }, histograms: { FLAG } });
    const revision = (rules: Partial<SubmissionRules>): unknown =>
      Object.values(count([record], { rules }).rows)[0]?.[2];
    assert.deepEqual([revision({}), revision({ fallbackRevision: REVISION })], ['', REVISION]);
  });

  it('without histograms still counts its simple measurements', () => {
    for (const histograms of [undefined, null, [], 'x'])
      assert.ok(rowOf(count([submission({ histograms, simpleMeasurements: { a: 1 } })]), 'SIMPLE_MEASURES_A'));
  });

  it('with a damaged end counts nothing of itself', () => {
    assert.deepEqual(count([submission({ histograms: { FLAG } }).replace(/\}$/, '')]).rows, {});
  });

  it('with bytes that are no UTF-8 shows the replacement character', () => {
    const bytes = Buffer.from(submission({ info: { ...INFO, arch: 'x?y' }, histograms: { FLAG } }));
    bytes[bytes.indexOf('x?y') + 1] = 0xff;
    assert.deepEqual(paths(count([bytes])), ['saved_session/Firefox/WINNT/6.1/x\ufffdy']);
  });

  it('is no obstacle when it comes as hundred thousands of empty lines in one block', () => {
    const aggregator = new SubmissionAggregator(new SlowSums(), DEFAULT_RULES);
    aggregator.openFile(KEY);
    const block = Buffer.alloc(400_000, '\n');
    const before = process.cpuUsage();
    for (let at = 0; at < block.length; at += 1) aggregator.addLine(block, at, at);
    const { user } = process.cpuUsage(before);
    assert.deepEqual(aggregator.skipped, { empty_line: block.length });
    // It takes a fifth of a second; looking for a TAB beyond each line takes half a minute.
    assert.ok(user < 5e6, `${user / 1e6} s`);
  });

  it('needs an input key of the grammar', () => {
    const aggregator = new SubmissionAggregator(new SlowSums(), DEFAULT_RULES);
    assert.throws(
      () => {
        aggregator.openFile('saved_session/Firefox/nightly/28.0a1/2013.20131029.v2.log.x.xz');
      },
      (error) => error instanceof InvalidDataError && error.reason === 'bad_key',
    );
  });

  // docs/formats/submissions.md 3.4: how many of a kind are taken.
  const many = (names: number, value: unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: names }, (_, index) => [`N${index}`, value]));
  const often = (times: number): string =>
    submission().replace('}}', `}${',"histograms":{"N":[1,0,0,0,0,0,0,0]}'.repeat(times)}}`);
  for (const [what, most, more] of [
    ['histograms', submission({ histograms: many(4000, FLAG) }), submission({ histograms: many(4001, FLAG) })],
    [
      'simple measurements',
      submission({ simpleMeasurements: many(4000, 1) }),
      submission({ simpleMeasurements: many(4001, 1) }),
    ],
    ['members called histograms', often(8), often(9)],
  ] as const) {
    it(`is left out with too many ${what}, and counted with as many as are allowed`, () => {
      const counted = [most, more].map((text) => count([text]));
      assert.deepEqual(
        counted.map(({ records, skipped }) => [records, skipped]),
        [
          [1, {}],
          [0, { too_many_measures: 1 }],
        ],
      );
    });
  }
});

describe('a histogram', () => {
  const bad: readonly [name: string, json: string][] = [
    ['an object, as in version 1', '{"values":{"0":1}}'],
    ['nothing', '[]'],
    ['too short', '[1,0,0,0,-1,-1,0]'],
    ['too long', JSON.stringify(Array.from({ length: 10_006 }, () => 0))],
    ['with null', '[1,null,0,0,-1,-1,0,0]'],
    ['with text', '[1,"0",0,0,-1,-1,0,0]'],
    ['with true', '[1,true,0,0,-1,-1,0,0]'],
    ['with 1e999', '[1,0,0,1e999,-1,-1,0,0]'],
    ['with a bucket below 0', '[1,-1,0,0,-1,-1,0,0]'],
    ['with half a hit', '[1,0.5,0,0,-1,-1,0,0]'],
    ['with more hits than a browser can count', '[4294967296,0,0,0,-1,-1,0,0]'],
    ['with 1.7e308 hits', '[1.7e308,0,0,0,-1,-1,0,0]'],
    ['with a sum beyond 2^53', '[1,0,0,9007199254740992,-1,-1,0,0]'],
    ['with a logarithm of 1e300', '[1,0,0,0,-1e300,-1,0,0]'],
    ['null', 'null'],
    ['a number', '5'],
  ];
  for (const [name, json] of bad) {
    it(`${name} is left out, and nothing else of its submission`, () => {
      const text = submission({ histograms: { A: FLAG, BAD: 'BAD', Z: FLAG } }).replace('"BAD":"BAD"', `"BAD":${json}`);
      const counted = count([text]);
      assert.deepEqual([counted.skipped, counted.badHistograms], [{ bad_histogram: 1 }, { BAD: 1 }]);
      assert.equal(counted.records, 1);
      assert.deepEqual(
        Object.keys(counted.rows).map((place) => place.split(' ')[0]),
        ['A', 'A', 'Z', 'Z'],
      );
    });
  }

  for (const [name, values] of [
    ['of the shortest kind', [0, 0, 0, -5, -1, -1, -1, -1]],
    ['of 10,000 buckets', [...Array.from({ length: 10_000 }, (_, index) => index), 1, 0.5, 0.25, -1, -1]],
    ['with numbers past 2^31', [4294967295, 0, 0, 2 ** 53 - 1, -1, -1, 0, 7]],
  ] as const) {
    it(`${name} is counted as it is`, () => {
      assert.deepEqual(rowOf(count([submission({ histograms: { H: values } })]), 'H'), [...values, 1]);
    });
  }

  for (const name of ['', 'A B', 'A/B', 'A\tB', 'Ä', 'x'.repeat(129), '__proto__\u0000']) {
    it(`named ${JSON.stringify(name.slice(0, 10))} is left out`, () => {
      const counted = count([submission({ histograms: { [name]: FLAG, B: FLAG } })]);
      assert.deepEqual([counted.skipped, Object.keys(counted.rows).length], [{ bad_measure_name: 1 }, 2]);
    });
  }

  for (const name of ['__proto__', 'constructor', 'STARTUP_X', 'a.b-c_D', 'x'.repeat(128)]) {
    it(`may be named ${name.slice(0, 20)}`, () => {
      const text = submission({ histograms: { B: FLAG } }).replace('"B"', JSON.stringify(name));
      assert.deepEqual(rowOf(count([text]), name), [...FLAG, 1]);
    });
  }

  const twice = (first: string, last: string): Counted =>
    count([submission({ histograms: { A: 0 } }).replace('"A":0', `"A":${first},"A":${last}`)]);

  it('that comes twice counts as it stands the last time', () => {
    assert.deepEqual(rowOf(twice('[9,0,0,0,-1,-1,0,0]', '[1,0,0,0,-1,-1,0,0]'), 'A'), [...FLAG, 1]);
    assert.deepEqual(rowOf(twice('null', '[1,0,0,0,-1,-1,0,0]'), 'A'), [...FLAG, 1]);
    assert.deepEqual(twice('[9,0,0,0,-1,-1,0,0]', 'null').rows, {});
  });

  it('that comes twice does so in both of two submissions', () => {
    const record = submission({ histograms: { A: 0 } }).replace(
      '"A":0',
      `"A":[9,9,9,9,9,9,9,9],"A":[1,0,0,0,-1,-1,0,0]`,
    );
    assert.deepEqual(rowOf(count([record, record]), 'A'), [2, 0, 0, 0, -1, -1, 0, 0, 2]);
  });

  it('in a second "histograms" replaces the first', () => {
    const record = submission({ histograms: { A: FLAG }, x: 0 }).replace(
      '"x":0',
      `"histograms":{"B":[1,0,0,0,-1,-1,0,0]}`,
    );
    assert.deepEqual(
      Object.keys(count([record]).rows).map((place) => place.split(' ')[0]),
      ['B', 'B'],
    );
  });
});

describe('simple measurements', () => {
  const simple = (simpleMeasurements: unknown): Counted => count([submission({ simpleMeasurements })]);
  const rowWith = (
    hits: readonly number[],
    sum: number,
    log: number,
    square: number,
    submissions: number,
  ): number[] => {
    const buckets = Array.from({ length: 50 }, (_, index) => hits.filter((hit) => hit === index).length);
    return [...buckets, sum, log, square, -1, -1, submissions];
  };

  // docs/formats/submissions.md 3.6: value, bucket, logarithm and its square.
  for (const [value, bucket, log, square] of [
    [0, 0, 0, 0],
    [0.5, 0, 0.4054651081081644, 0.16440195389316542],
    [1, 1, 0.6931471805599453, 0.4804530139182014],
    [7.5, 7, 2.1400661634962708, 4.579883184141647],
    [8, 7, 2.1972245773362196, 4.827795843250328],
    [1364, 33, 7.21890970761906, 52.11265736675671],
    [24592, 47, 10.110217128582082, 102.21649038707453],
    [24593, 48, 10.110257789732392, 102.21731257484451],
    [29999.9, 48, 10.308982660194301, 106.27512348818678],
    [30000, 49, 10.308985993422082, 106.27519221257268],
    [61789536, 49, 17.939244603887225, 321.81649695809693],
    [1e9, 49, 20.72326583794641, 429.45374699019675],
    [-0.1, -1, 0.09531017980432493, 0.009084030374332749],
    [-5, -1, 1.791759469228055, 3.210401995568401],
  ] as const) {
    it(`of ${value} hit bucket ${bucket}`, () => {
      const counted = simple({ v: value });
      assert.deepEqual(counted.rows[`SIMPLE_MEASURES_V by-build-date ${WHERE}`], [
        rowWith([bucket], value, log, square, 1),
        '0',
        'simple-measures-hack',
      ]);
      assert.deepEqual(counted.skipped, value < 0 ? { negative_simple: 1 } : {});
    });
  }

  it('hit the highest bucket whose bound they reach', () => {
    const values = fc.array(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(40_000)));
    fc.assert(
      fc.property(values, (list) => {
        const counted = simple(Object.fromEntries(list.map((value, index) => [`v${index}`, value])));
        for (const [index, value] of list.entries()) {
          if (Math.abs(value) > Number.MAX_SAFE_INTEGER) continue;
          const row = rowOf(counted, `SIMPLE_MEASURES_V${index}`) as number[];
          const bucket = SIMPLE_MEASURE_BOUNDS.findLastIndex((bound) => bound <= value);
          assert.deepEqual(row.slice(0, 50), rowWith([bucket], 0, 0, 0, 0).slice(0, 50));
        }
      }),
      { numRuns: cases(50) },
    );
  });

  it('add up over submissions', () => {
    const counted = count([0, 1364, 8, -5].map((v) => submission({ simpleMeasurements: { v } })));
    const row = rowOf(counted, 'SIMPLE_MEASURES_V');
    assert.deepEqual(row, rowWith([0, 33, 7], 1367, 11.207893754183335, 60.15085520557544, 4));
  });

  it('are all members that are numbers, one level down too', () => {
    const json = '{"firstPaint":1,"js":{"setProto":0,"deep":{"x":1},"t":"7"},"a":true,"b":"7","c":null,"d":[1],"e":{}}';
    const counted = simple(JSON.parse(json));
    assert.deepEqual(
      [...new Set(Object.keys(counted.rows).map((place) => place.split(' ')[0]))],
      ['SIMPLE_MEASURES_FIRSTPAINT', 'SIMPLE_MEASURES_JS_SETPROTO'],
    );
    assert.deepEqual(counted.skipped, {});
  });

  for (const [name, members, measure] of [
    ['upper-casing', { main: 1, MAIN: 1 }, 'SIMPLE_MEASURES_MAIN'],
    ['grouping', { a: { b_c: 1 }, a_b: { c: 1 } }, 'SIMPLE_MEASURES_A_B_C'],
  ] as const) {
    it(`that ${name} makes one measure of count twice`, () => {
      const counted = simple(members);
      assert.deepEqual((rowOf(counted, measure) as number[]).at(-1), 2);
      assert.deepEqual(counted.skipped, { name_collision: 1 });
    });
  }

  it('that overflow are left out', () => {
    const text = submission({ simpleMeasurements: { a: 0, b: 1 } }).replace('"a":0', '"a":1e999');
    const counted = count([text]);
    assert.deepEqual([counted.skipped, rowOf(counted, 'SIMPLE_MEASURES_A')], [{ bad_simple_measure: 1 }, undefined]);
  });

  it('of names that no measure can have are left out', () => {
    const counted = simple({ 'a b': 1, 'a\u0000b': 2, ok: 3 });
    assert.deepEqual(counted.skipped, { bad_measure_name: 2 });
    assert.equal(Object.keys(counted.rows).length, 2);
  });

  it('that come twice count as they stand the last time', () => {
    const text = submission({ simpleMeasurements: { a: 1 } }).replace('"a":1', '"a":1,"a":5,"b":{"c":1},"b":{"c":2}');
    const counted = count([text]);
    assert.deepEqual((rowOf(counted, 'SIMPLE_MEASURES_A') as number[]).slice(-6), [
      5,
      Math.log(6),
      Math.log(6) ** 2,
      -1,
      -1,
      1,
    ]);
    assert.deepEqual((rowOf(counted, 'SIMPLE_MEASURES_B_C') as number[]).at(-1), 1);
    assert.deepEqual(counted.skipped, {});
  });
});

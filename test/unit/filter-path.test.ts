import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../fakes/any-character.ts';
import { osVersion, pathPart } from '../../src/pipeline/submissions/filter-path.ts';
import { SIMPLE_MEASURE_BOUNDS, simpleMeasureName } from '../../src/pipeline/submissions/simple-measures.ts';
import { bucketsOf } from '../../src/histograms/buckets.ts';
import { simpleMeasureDefinition } from '../../src/histograms/definition.ts';

describe('OS versions', () => {
  // docs/formats/submissions.md 3.4: number as text, Linux cut to three characters.
  for (const [os, version, first3, majorMinor] of [
    ['WINNT', '6.1', '6.1', '6.1'],
    ['WINNT', 6.1, '6.1', '6.1'],
    ['WINNT', 6, '6', '6'],
    ['WINNT', 10.0, '10', '10'],
    ['WINNT', 5.1, '5.1', '5.1'],
    ['WINNT', 0.1 + 0.2, '0.3', '0.3'],
    ['WINNT', 100, '100', '100'],
    ['WINNT', 1e-10, '0', '0'],
    ['Linux', '3.11.0-12-generic', '3.1', '3.11'],
    ['Linux', '3.2.0', '3.2', '3.2'],
    ['Linux', '2.6.32', '2.6', '2.6'],
    ['Linux', '4', '4', '4'],
    ['Linux', '10.1', '10.', '10.1'],
    ['Linux', 3.11, '3.1', '3.11'],
    ['Linux', '', '', ''],
    ['Linux', '🦊🦊🦊🦊', '🦊🦊🦊', '🦊🦊🦊🦊'],
    ['Linux', 'a🦊b🦊', 'a🦊b', 'a🦊b🦊'],
    ['linux', '3.11.0', '3.11.0', '3.11.0'],
    ['LINUX', '3.11.0', '3.11.0', '3.11.0'],
    ['Darwin', '13.0.0', '13.0.0', '13.0.0'],
  ] as const) {
    it(`${os} ${JSON.stringify(version)} is ${first3 || 'nothing'}, or ${majorMinor || 'nothing'}`, () => {
      assert.equal(osVersion(os, version, 'first3'), first3);
      assert.equal(osVersion(os, version, 'majorMinor'), majorMinor);
    });
  }
});

describe('parts of the filter path', () => {
  for (const [text, part] of [
    ['WINNT', 'WINNT'],
    ['', 'unknown'],
    ['a/b', 'a_b'],
    ['a\nb\tc\u007f', 'a_b_c_'],
    ['a"b', 'a"b'],
    ['_id', '_id_'],
    ['name', 'name_'],
    ['NAME', 'NAME'],
    ['constructor', 'constructor'],
    ['x'.repeat(70), 'x'.repeat(64)],
    ['🦊'.repeat(64), '🦊'.repeat(64)],
    ['🦊'.repeat(70), '🦊'.repeat(64)],
  ] as const) {
    it(`${JSON.stringify(text.slice(0, 20))} becomes ${part.slice(0, 20)}`, () => {
      assert.equal(pathPart(text), part);
    });
  }

  it('are always fit for a path, and stay as they are from then on', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter, maxLength: 200 }), fc.constantFrom('_id', 'name', '/')),
        (text) => {
          const part = pathPart(text);
          assert.match(part, /^[^/\u0000-\u001f\u007f]+$/);
          assert.ok(Array.from(part).length <= 64 && part !== '_id' && part !== 'name');
          assert.equal(pathPart(part), part);
        },
      ),
    );
  });
});

describe('simple measures', () => {
  it('fall into the exponential buckets 1 to 30000', () => {
    const { bounds } = bucketsOf({ kind: 'exponential', low: 1, high: 30_000, n_buckets: 50 });
    assert.deepEqual(SIMPLE_MEASURE_BOUNDS, bounds);
    assert.deepEqual(SIMPLE_MEASURE_BOUNDS, bucketsOf(simpleMeasureDefinition('SIMPLE_MEASURES_X')).bounds);
  });

  for (const [name, sub, measure] of [
    ['firstPaint', undefined, 'SIMPLE_MEASURES_FIRSTPAINT'],
    ['js', 'setProto', 'SIMPLE_MEASURES_JS_SETPROTO'],
    ['addonManager', 'XPIDB_syncRead_MS', 'SIMPLE_MEASURES_ADDONMANAGER_XPIDB_SYNCREAD_MS'],
    ['debuggerAttached', undefined, 'SIMPLE_MEASURES_DEBUGGERATTACHED'],
    // ASCII only: `ı` and `ß` would grow or change under any other rule.
    ['ıß', undefined, 'SIMPLE_MEASURES_ıß'],
  ] as const) {
    it(`${name}${sub === undefined ? '' : `.${sub}`} is ${measure}`, () => {
      assert.equal(simpleMeasureName(name, sub), measure);
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  fallbackDefinition,
  publishedDefinition,
  SIMPLE_PREFIX,
  simpleMeasureDefinition,
} from '../../src/histograms/definition.ts';
import { parseHistogramsFile, replaceConstants } from '../../src/histograms/histograms-file.ts';
import { lookUpDefinition } from '../../src/histograms/look-up.ts';
import { parseRevisionUrl } from '../../src/histograms/revision-url.ts';
import { SIMPLE_MEASURE_PREFIX, SIMPLE_MEASURE_REVISION } from '../../src/pipeline/aggregates/slot.ts';

describe('publishedDefinition', () => {
  it('publishes 10 * 1000 as 10000, and leaves other members alone', () => {
    const raw = { kind: 'exponential', high: '10 * 1000', n_buckets: '10', cpp_guard: 'X', description: 'd' };
    assert.deepEqual(publishedDefinition(raw, 16), {
      definition: { kind: 'exponential', high: 10000, n_buckets: 10, cpp_guard: 'X', description: 'd' },
      mismatch: false,
    });
  });

  it('publishes a count as boolean', () => {
    assert.deepEqual(publishedDefinition({ kind: 'count', description: 'd' }, 9), {
      definition: { kind: 'boolean', original_kind: 'count', description: 'd' },
      mismatch: false,
    });
  });

  it('publishes a categorical as an enumerated of the length the rows have', () => {
    assert.deepEqual(publishedDefinition({ kind: 'categorical', labels: ['a', 'b'] }, 57), {
      definition: { kind: 'enumerated', n_values: 50, original_kind: 'categorical', labels: ['a', 'b'] },
      mismatch: false,
    });
  });

  const misfits: [string, Parameters<typeof publishedDefinition>[0], number][] = [
    ['another number of buckets', { kind: 'flag' }, 10],
    ['numbers that cannot be evaluated', { kind: 'enumerated', n_values: 'Foo::BAR' }, 12],
    ['an unknown kind', { kind: 'foo' }, 12],
    ['a range the formulas cannot handle', { kind: 'linear', low: 5, high: 5, n_buckets: 10 }, 16],
    ['a count with other than three buckets', { kind: 'count' }, 12],
  ];
  for (const [what, raw, rowLength] of misfits) {
    it(`falls back for ${what}`, () => {
      assert.deepEqual(publishedDefinition(raw, rowLength), {
        definition: fallbackDefinition(rowLength),
        mismatch: true,
      });
    });
  }

  it('falls back to as many buckets as the rows have', () => {
    assert.deepEqual(fallbackDefinition(22), {
      kind: 'enumerated',
      n_values: 15,
      description: 'definition unavailable',
    });
    assert.equal(publishedDefinition(fallbackDefinition(22), 22).mismatch, false);
  });

  it('describes a simple measure by its name without prefix and underscore', () => {
    const definition = simpleMeasureDefinition('SIMPLE_MEASURES_FIRSTPAINT');
    assert.equal(definition['description'], 'Histogram aggregation for simple measure: FIRSTPAINT');
    assert.equal(publishedDefinition(definition, 56).mismatch, false);
  });
});

describe('lookUpDefinition', () => {
  const URL = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
  const histograms = {
    GC_MS: { kind: 'flag' },
    STARTUP_OWN: { kind: 'boolean' },
    OWN: { kind: 'flag' },
    SIMPLE_MEASURES_ODD: { kind: 'linear' },
  };
  const cases: [string, string, string, typeof histograms | undefined, string][] = [
    ['an exact name', 'GC_MS', URL, histograms, 'exact'],
    ['a name that a definition has before the rule for its prefix', 'STARTUP_OWN', URL, histograms, 'exact'],
    ['a simple name the file defines', 'SIMPLE_MEASURES_ODD', URL, histograms, 'exact'],
    ['a simple name', 'SIMPLE_MEASURES_START', URL, histograms, 'simple'],
    ['a simple name without its file', 'SIMPLE_MEASURES_START', URL, undefined, 'simple'],
    ['the revision of simple measures', 'SIMPLE_MEASURES_ODD', 'simple-measures-hack', histograms, 'simple'],
    ['the revision of simple measures with another name', 'GC_MS', 'simple-measures-hack', histograms, 'none'],
    ['a startup name', 'STARTUP_GC_MS', URL, histograms, 'startup'],
    ['a startup name without its rest', 'STARTUP_X', URL, histograms, 'none'],
    ['an unknown name', 'X', URL, histograms, 'none'],
    ['a name of every object', 'constructor', URL, histograms, 'none'],
    ['a startup name of every object', 'STARTUP_toString', URL, histograms, 'none'],
    ['any name without its file', 'GC_MS', URL, undefined, 'unavailable'],
    ['submissions without revision', 'GC_MS', '', undefined, 'none'],
  ];
  for (const [what, measure, revision, file, from] of cases) {
    it(`answers ${from} for ${what}`, () => {
      assert.equal(lookUpDefinition(measure, revision, file).from, from);
    });
  }

  it('takes the definition of the rest for a startup name', () => {
    assert.equal(lookUpDefinition('STARTUP_GC_MS', URL, histograms).definition, histograms.GC_MS);
  });

  it('knows simple measures by the same constants as the aggregates', () => {
    assert.equal(SIMPLE_PREFIX, SIMPLE_MEASURE_PREFIX);
    assert.equal(lookUpDefinition('X', SIMPLE_MEASURE_REVISION, undefined).from, 'none');
  });
});

describe('parseRevisionUrl', () => {
  const hosts = ['hg.mozilla.org'];
  const id = '518f5bff0ae4';
  const good: [string, string, string][] = [
    ['https://hg.mozilla.org/releases/mozilla-release/rev/e55e45536133', 'releases/mozilla-release', 'e55e45536133'],
    ['http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4/', 'mozilla-central', '518f5bff0ae4'],
    ['https://hg.mozilla.org/projects/ux/rev/b7d620677157', 'projects/ux', 'b7d620677157'],
    [`https://hg.mozilla.org/a/rev/b/rev/${id}`, 'a/rev/b', id],
    [`https://HG.mozilla.org/a/rev/${'a'.repeat(40)}`, 'a', 'a'.repeat(40)],
  ];
  for (const [url, repo, revision] of good) {
    it(`reads ${url}`, () => {
      assert.deepEqual(parseRevisionUrl(url, { hosts }), { repo, revision });
    });
  }

  const bad: [string, string][] = [
    ['arglebargle', 'not_a_revision_url'],
    ['', 'not_a_revision_url'],
    ['https://hg.mozilla.org/mozilla-central/rev/TIP', 'not_a_revision_url'],
    ['https://hg.mozilla.org/mozilla-central/rev/tip', 'not_a_revision_url'],
    ['https://hg.mozilla.org/mozilla-central/rev/ABCDEFABCDEF', 'not_a_revision_url'],
    [`ftp://hg.mozilla.org/mozilla-central/rev/${id}`, 'not_a_revision_url'],
    [`https://hg.mozilla.org/rev/${id}`, 'not_a_revision_url'],
    [`https://hg.mozilla.org/a/rev/${id}\n`, 'not_a_revision_url'],
    [`https://hg.mozilla.org/a/rev/${id}//`, 'not_a_revision_url'],
    [`https://example.org/a/rev/${id}`, 'host_not_allowed'],
    [`https://hg.mozilla.org@example.org/a/rev/${id}`, 'host_not_allowed'],
    [`https://hg.mozilla.org:8080/a/rev/${id}`, 'host_not_allowed'],
    [`http://hg.mozilla.org/../../tmp/rev/${id}`, 'bad_repo_path'],
    [`http://hg.mozilla.org/a/./b/rev/${id}`, 'bad_repo_path'],
    [`http://hg.mozilla.org/a//b/rev/${id}`, 'bad_repo_path'],
    [`http://hg.mozilla.org//a/rev/${id}`, 'bad_repo_path'],
    [`http://hg.mozilla.org/a%2e/rev/${id}`, 'bad_repo_path'],
    [`http://hg.mozilla.org/a?b/rev/${id}`, 'bad_repo_path'],
    ['https://hg.mozilla.org/a/rev/abcdef', 'bad_revision_id'],
    [`https://hg.mozilla.org/a/rev/${'a'.repeat(41)}`, 'bad_revision_id'],
  ];
  for (const [url, fault] of bad) {
    it(`refuses ${JSON.stringify(url)}: ${fault}`, () => {
      assert.deepEqual(parseRevisionUrl(url, { hosts }), { fault });
    });
  }

  it('takes shorter ids where the setting says so', () => {
    const url = 'https://hg.mozilla.org/a/rev/abcdef';
    assert.deepEqual(parseRevisionUrl(url, { hosts, minHexDigits: 6 }), { repo: 'a', revision: 'abcdef' });
  });
});

describe('parseHistogramsFile', () => {
  it('reads definitions with constants replaced', () => {
    const text = '{"A":{"kind":"enumerated","n_values":"JS::gcreason::NUM_TELEMETRY_REASONS"},"B":{"kind":"flag"}}';
    const { definitions } = parseHistogramsFile(text);
    assert.deepEqual({ ...definitions }, { A: { kind: 'enumerated', n_values: 101 }, B: { kind: 'flag' } });
  });

  it('replaces the constants with their quotes only', () => {
    assert.equal(
      replaceConstants('"80 + 1", "mozilla::StartupTimeline::MAX_EVENT_ID", "x 80 + 1", "80 + 1"'),
      '81, 12, "x 80 + 1", 81',
    );
  });

  it('keeps hostile names as plain names', () => {
    const { definitions } = parseHistogramsFile('{"__proto__":{"kind":"flag"}}');
    assert.deepEqual(Object.keys(definitions ?? {}), ['__proto__']);
    assert.equal(({} as { kind?: string }).kind, undefined);
  });

  const invalid = [
    '',
    '<html></html>',
    '{"A":{"kind":"fl',
    '[]',
    'null',
    '3',
    '{"A":[]}',
    '{"A":null}',
    '{"A":{}}',
    '{"A":{"kind":1}}',
    `{"A":{"kind":"flag","description":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
  ];
  for (const text of invalid) {
    it(`refuses ${JSON.stringify(text).slice(0, 60)}`, () => {
      const file = parseHistogramsFile(text);
      assert.equal(file.definitions, undefined);
      assert.notEqual(file.fault, '');
    });
  }
});

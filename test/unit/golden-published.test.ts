import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseHistogramsFile } from '../../src/histograms/histograms-file.ts';
import type { Definitions } from '../../src/histograms/look-up.ts';
import { BY_DATES, type Slot } from '../../src/pipeline/aggregates/slot.ts';
import { defineFrom } from '../../src/pipeline/dataset/measure-definition.ts';
import { renderSnapshot } from '../../src/pipeline/dataset/snapshot.ts';
import { compareText } from '../../src/pipeline/text-order.ts';
import { comparePublished, sameNumber } from '../golden/compare-published.ts';
import { filesOfTar } from '../golden/tar.ts';
import { clientBuckets, Evolution } from '../golden/v1-client.ts';

const data = new URL('../../../shared/data/', import.meta.url);
const skip = existsSync(data) ? false : `${data.pathname} is not there`;
const read = (name: string): Buffer => readFileSync(new URL(name, data));

function goldenSlots(): Slot[] {
  const slots: Slot[] = [];
  for (const line of read('golden/ff28.result.txt').toString().trimEnd().split('\n')) {
    const [key = '', json = ''] = line.split('\t');
    const [, , measure = '', name] = key.split('/');
    const byDate = BY_DATES.find((candidate) => candidate === name)!;
    const aggregates = JSON.parse(json) as Record<string, Pick<Slot, 'values' | 'buildId' | 'revision'>>;
    for (const [datedPath, aggregate] of Object.entries(aggregates)) {
      const [date = '', ...path] = datedPath.split('/');
      slots.push({ measure, byDate, date, path: path.join('/'), ...aggregate });
    }
  }
  const fields = ['measure', 'byDate', 'path', 'date'] as const;
  return slots.toSorted((a, b) => fields.reduce((order, field) => order || compareText(a[field], b[field]), 0));
}

function goldenDefinitions(name: string): Definitions {
  return parseHistogramsFile(read(`real/Histograms.${name}.json`).toString()).definitions!;
}

async function render(slots: readonly Slot[]) {
  const definitions = goldenDefinitions('518f5bff0ae4');
  const define = defineFrom({ histograms: async () => definitions }, undefined);
  const rendering = renderSnapshot({ slots: [slots], previous: undefined, define });
  const files = new Map<string, string>();
  for (;;) {
    const step = await rendering.next();
    if (step.done === true) return { files, ...step.value };
    files.set(step.value.name, String(step.value.json));
  }
}

function goldenFolder(): Map<string, string> {
  const files = filesOfTar(gunzipSync(read('golden/published-28.tar.gz')));
  const inFolder = [...files].flatMap(([path, text]) => {
    const [, name] = /\/\d{14}-28-nightly\/([^/]+)$/.exec(path) ?? [];
    return name === undefined ? [] : [[name, text] as const];
  });
  return new Map(inFolder);
}

describe('the original’s published folder of 2013', { skip }, () => {
  it('says the same as ours', async () => {
    const original = goldenFolder();
    assert.equal(original.size, 907);
    const { files, summary } = await render(goldenSlots());
    assert.deepEqual(comparePublished(original, files), []);
    assert.equal(summary.measures, 452);
    assert.equal(summary.rows, 2362);
    assert.deepEqual(summary.lengthMismatch, { slots: 0, submissions: 0 });
    const defined = JSON.parse(original.get('histograms.json')!) as Record<string, { kind?: string }>;
    const undefinedThen = Object.keys(defined).filter((measure) => defined[measure]!.kind === undefined);
    assert.deepEqual(summary.definitions, { pending: [], missing: undefinedThen.toSorted(), mismatch: [] });
  });

  it('has a definition that the client cuts rows with for every measure of ours', async () => {
    const { files } = await render(goldenSlots());
    for (const measure of Object.keys(JSON.parse(files.get('revisions.json')!) as object)) {
      const evolution = new Evolution(files, measure, 'by-build-date', 'saved_session/Firefox');
      assert.ok(evolution.submissions() > 0, measure);
    }
    const main = new Evolution(files, 'SIMPLE_MEASURES_FIRSTPAINT', 'by-build-date', 'saved_session/Firefox/WINNT/6.0');
    assert.equal(main.submissions(), 2);
    assert.equal(main.mean(), 3677.5);
  });

  const changes: [string, (files: Map<string, string>) => void][] = [
    ['a missing file', (files) => files.delete('GC_MS-by-build-date.json')],
    ['another file', (files) => files.set('X-by-build-date.json', '{}')],
    [
      'another number',
      (files) => {
        edit(files, 'GC_MS-by-build-date.json', '2067', '2068');
      },
    ],
    ['a missing row', (files) => files.set('GC_MS-by-build-date.json', '{}')],
    [
      'another date',
      (files) => {
        edit(files, 'GC_MS-by-build-date.json', '20131029', '20131028');
      },
    ],
    [
      'rows of swapped filters',
      (files) => {
        edit(files, 'filter-tree.json', '"6.0":{', '"6.2":{');
      },
    ],
    [
      'another build',
      (files) => {
        edit(files, 'revisions.json', '20131029030201', '20131029030202');
      },
    ],
    [
      'a definition of other length',
      (files) => {
        edit(files, 'histograms.json', '"n_values":21', '"n_values":22');
      },
    ],
  ];
  for (const [what, change] of changes) {
    it(`differs from ours after ${what}`, async () => {
      const { files } = await render(goldenSlots());
      change(files);
      assert.notDeepEqual(comparePublished(goldenFolder(), files), []);
    });
  }

  for (const revision of ['518f5bff0ae4', 'aurora-24']) {
    it(`publishes all definitions of ${revision} as the client needs them`, async () => {
      const { publishedDefinition } = await import('../../src/histograms/definition.ts');
      const { bucketsOf } = await import('../../src/histograms/buckets.ts');
      for (const [name, raw] of Object.entries(goldenDefinitions(revision))) {
        const { bounds = [] } = bucketsOf(raw);
        const { definition, mismatch } = publishedDefinition(raw, bounds.length + 6);
        assert.equal(mismatch, false, name);
        assert.deepEqual(clientBuckets(definition), bounds, name);
      }
    });
  }
});

describe('sameNumber', () => {
  it('knows the precision of the original', () => {
    assert.ok(sameNumber(0.333333333, 1 / 3));
    assert.ok(!sameNumber(0.33333333, 1 / 3));
    assert.ok(sameNumber(4.294967e9, 4294967296));
    assert.ok(!sameNumber(4.29496e9, 4294967296));
    assert.ok(!sameNumber(2147483646, 2147483647));
  });
});

function edit(files: Map<string, string>, name: string, from: string, to: string): void {
  const text = files.get(name)!;
  assert.ok(text.includes(from), `${name} has no ${from}`);
  files.set(name, text.replace(from, to));
}

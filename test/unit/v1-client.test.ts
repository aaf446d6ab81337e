import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Slot } from '../../src/pipeline/aggregates/slot.ts';
import { defineFrom } from '../../src/pipeline/dataset/measure-definition.ts';
import { renderSnapshot } from '../../src/pipeline/dataset/snapshot.ts';
import { Evolution } from '../golden/v1-client.ts';

// The worked examples of docs/formats/published.md 5.9, rendered from slots and read as the dashboards do.
const EXP = { kind: 'exponential', low: 1, high: '10 * 1000', n_buckets: '10' };
const LINEAR = { kind: 'linear', low: 1, high: 100, n_buckets: 10 };

function slot(measure: string, date: string, path: string, values: number[]): Slot {
  const revision = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
  return { measure, byDate: 'by-build-date', date, path, values, buildId: '20131029030201', revision };
}

async function folder(): Promise<Map<string, string>> {
  const linux = 'saved_session/Firefox/Linux/3.1/x86';
  const windows = 'saved_session/Firefox/WINNT/6.1/x86';
  const windows64 = 'saved_session/Firefox/WINNT/6.1/x86-64';
  const slots = [
    slot('EXP', '20131029', linux, [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 40, 8, 20, -1, -1, 2]),
    slot('EXP', '20131029', windows, [0, 2, 4, 3, 1, 0, 0, 0, 0, 0, 90, 20.5, 45.25, -1, -1, 5]),
    slot('EXP', '20131028', windows64, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0.5, 0.25, -1, -1, 1]),
    slot('LINEAR', '20131029', windows, [0, 2, 4, 3, 1, 0, 0, 0, 0, 0, 260, -1, -1, 9000, 0, 5]),
  ];
  const define = defineFrom({ histograms: async () => ({ EXP, LINEAR }) }, undefined);
  const files = new Map<string, string>();
  for await (const { name, json } of renderSnapshot({ slots: [slots], previous: undefined, define }))
    files.set(name, String(json));
  return files;
}

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-12 * Math.abs(expected), `${actual} is not ${expected}`);
}

describe('a rendered folder in the v1 client', () => {
  const table: [string, string | undefined, number[]][] = [
    [
      '',
      undefined,
      [
        8, 14, 9.357142857142858, 1, 2.542210825407941, 6.214095849716038, 13.625290255434884, 33.887241002843915,
        2.0714285714285716,
      ],
    ],
    [
      'saved_session/Firefox/WINNT',
      undefined,
      [
        6, 11, 8.272727272727273, 2.0999973132782155, 2.6104903319492543, 5.645751311064591, 12.627284403829933,
        34.59263300491698, 1.9090909090909092,
      ],
    ],
    [
      'saved_session/Firefox/Linux',
      undefined,
      [2, 3, 13.333333333333334, 1, 1, 11.673929308738987, 13.625290255434884, 16.727091267134227, 2.6666666666666665],
    ],
    [
      '',
      '20131029',
      [7, 13, 10, 1, 4.10218602968785, 6.904528777122721, 14.123605042681232, 34.09796670150146, 2.1923076923076925],
    ],
  ];
  for (const [filter, date, expected] of table) {
    it(`gives the worked example for ${filter || 'everything'}, ${date ?? 'all dates'}`, async () => {
      const evolution = new Evolution(await folder(), 'EXP', 'by-build-date', filter, date);
      const percentiles = [5, 25, 50, 75, 95].map((p) => evolution.percentile(p));
      const actual = [
        evolution.submissions(),
        evolution.count(),
        evolution.mean(),
        ...percentiles,
        evolution.geometricMean(),
      ];
      actual.forEach((value, i) => {
        close(value, expected[i]!);
      });
    });
  }

  it('gives the worked example of a linear histogram', async () => {
    const evolution = new Evolution(await folder(), 'LINEAR', 'by-build-date');
    assert.equal(evolution.submissions(), 5);
    assert.equal(evolution.count(), 10);
    assert.equal(evolution.mean(), 26);
    close(evolution.percentile(50), 20.8);
    close(evolution.percentile(95), 41.25);
    assert.equal(evolution.standardDeviation(), 2240);
    assert.equal(evolution.lastBucketEnd(), Infinity);
  });
});

import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Slot } from '../../src/pipeline/aggregates/slot.ts';
import { Builds } from '../../src/pipeline/dataset/builds.ts';

interface Document {
  readonly complete: boolean;
  readonly builds: Record<string, string>;
}

function document(
  rows: Iterable<readonly [buildId: string, revision: string, submissions?: number]>,
  max?: number,
): Document {
  const builds = new Builds(max);
  for (const [buildId, revision, submissions = 1] of rows)
    builds.note({ buildId, revision, byDate: 'by-build-date', date: '20131029', values: [submissions] });
  return JSON.parse(builds.toJson()) as Document;
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => String(20131000000000 + index));

describe('builds.json', () => {
  it('names the revision that most submissions of a build have, of equally many the greatest', () => {
    const { builds } = document([
      ['20131029030201', 'a'],
      ['20131029030201', 'b'],
      ['20131029030201', 'a'],
      ['20131028030201', 'a'],
      ['20131028030201', 'b'],
    ]);
    deepEqual(builds, { 20131028030201: 'b', 20131029030201: 'a' });
  });

  it('names the revision of many submissions in few rows, whatever comes before it', () => {
    const invented = Array.from({ length: 40 }, (_, number) => ['20131029030201', `evil${number}`, 1] as const);
    const honest = ['20131029030201', 'honest', 1000] as const;
    for (const rows of [
      [...invented, honest],
      [honest, ...invented],
      [...invented.slice(0, 20), honest, ...invented.slice(20)],
    ])
      deepEqual(document(rows).builds, { 20131029030201: 'honest' });
  });

  it('leaves out what names no build or no revision', () => {
    const { builds, complete } = document([
      ['0', 'simple-measures-hack'],
      ['', 'a'],
      ['20131029030201', ''],
    ]);
    deepEqual([builds, complete], [{}, true]);
  });

  it('keeps real builds when made-up ones of the future are too many, whatever their order', () => {
    const note = (byDate: Slot['byDate'], date: string, buildId: string) => ({
      byDate,
      date,
      buildId,
      revision: 'r',
      values: [1],
    });
    const honest = [
      note('by-submission-date', '20131029', '20131028030201'),
      note('by-build-date', '20131030', '20131030030201'),
    ];
    const made = ids(50).map((id) => note('by-build-date', '99990101', id.replace('2013', '9999')));
    for (const rows of [
      [...honest, ...made],
      [...made, ...honest],
      [...made.slice(0, 25), ...honest, ...made.slice(25)],
    ]) {
      const builds = new Builds(10);
      for (const row of rows) builds.note(row);
      const { builds: kept, complete } = JSON.parse(builds.toJson()) as Document;
      const named = Object.keys(kept);
      deepEqual([named.slice(0, 2), named.length, complete], [['20131028030201', '20131030030201'], 10, false]);
    }
  });

  it('keeps the highest builds when there are too many, whatever their order', () => {
    for (const all of [
      ids(1000),
      ids(1000).toReversed(),
      ids(1000).toSorted((a, b) => (Number(a) % 7) - (Number(b) % 7)),
    ]) {
      const { builds, complete } = document(
        [...all, ...all].map((id) => [id, `rev-${id}`]),
        10,
      );
      equal(complete, false);
      deepEqual(
        Object.entries(builds),
        ids(1000)
          .slice(-10)
          .map((id) => [id, `rev-${id}`]),
      );
    }
  });

  it('is complete with as many as the limit', () => {
    deepEqual(
      document(
        ids(10).map((id) => [id, 'r']),
        10,
      ).complete,
      true,
    );
  });

  it('does not grow with the revisions that are claimed for a build', () => {
    const builds = new Builds();
    for (let index = 0; index < 100_000; index += 1)
      builds.note({
        buildId: '20131029030201',
        revision: `r${index}`,
        byDate: 'by-build-date',
        date: '20131029',
        values: [1],
      });
    equal(builds.toJson().length < 200, true);
  });
});

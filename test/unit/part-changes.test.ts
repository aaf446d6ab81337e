/** Changes of the largest parts of a channel/version, and the parts where changes are (docs/changes.md 1). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Change } from '../../src/pipeline/changes/change.ts';
import { FolderLook } from '../../src/pipeline/changes/folder-changes.ts';
import { type FilteredRows, largestParts, partsOfIds, rowsOfParts } from '../../src/pipeline/changes/largest-parts.ts';
import { PartLook } from '../../src/pipeline/changes/part-changes.ts';
import { generatedSeries } from '../fakes/generated-series.ts';

const DEFINITIONS = new Map([['M', { kind: 'exponential', low: 1, high: 10_000, n_buckets: 50 } as const]]);
const SUBMISSIONS = { WINNT: 6_000, Darwin: 3_000, Linux: 1_500, Android: 700, BeOS: 100 } as const;
type Os = keyof typeof SUBMISSIONS;
const SYSTEMS = Object.keys(SUBMISSIONS) as Os[];
/** Two versions of each system: filter ids 2n + 1 and 2n + 2. */
const IDS = partsOfIds(
  new Map(
    SYSTEMS.flatMap((os, index) => [1, 2].map((more) => [2 * index + more, `saved_session/Firefox/${os}/${more}/x86`])),
  ),
);

/** Rows by build date; `steps` are those of the systems at the 25th build. */
function rows(steps: Partial<Record<Os, number>>): FilteredRows {
  const build = new Map<string, number[][]>();
  for (const [index, os] of SYSTEMS.entries())
    for (const more of [1, 2]) {
      const size = steps[os];
      const series = generatedSeries({
        ...{ seed: `part/${more}`, dates: 40, submissions: SUBMISSIONS[os] / 2, worth: 2, spread: 0.8, effect: 0.003 },
        ...(size !== undefined && { change: { at: 25, size } }),
      });
      for (const { date, counts, submissions } of series) {
        const row = [...counts, 1, -1, -1, -1, -1, submissions, 2 * index + more];
        build.set(date, [...(build.get(date) ?? []), row]);
      }
    }
  return { build, submission: new Map() };
}

function whole(filtered: FilteredRows) {
  const all = partsOfIds(new Map(Array.from(IDS.keys(), (id) => [id, 'all/all/all/all/all'])));
  const [sums] = rowsOfParts('M', filtered, all, [['all', 'all', 'all']]);
  const look = new FolderLook('nightly/28', DEFINITIONS, undefined);
  look.add('M', sums ?? assert.fail());
  return look.end([]);
}

function look(steps: Partial<Record<Os, number>>, more: { tested?: number; isWatched?: boolean } = {}): Change[] {
  const filtered = rows(steps);
  const { changes, tested } = whole(filtered);
  const parts = new PartLook('nightly/28', DEFINITIONS, IDS);
  parts.add('M', filtered, more.isWatched ?? true);
  return parts.end(changes, new Map([...tested].map(([family, count]) => [family, count * (more.tested ?? 1)])), []);
}

const SIZE = 0.12;

describe('the largest parts of a channel/version', () => {
  it('are at most three reasons, applications and systems, none of them tiny or nearly all', () => {
    const os = (filtered: FilteredRows): string[] => largestParts(filtered, IDS).map((part) => part[2]);
    assert.deepEqual(os(rows({})), ['WINNT', 'Darwin', 'Linux']);
    const only = (wanted: readonly number[]): FilteredRows => {
      const kept = [...rows({}).build].map(([date, all]) => [date, all.filter((row) => wanted.includes(row.at(-1)!))]);
      return { build: new Map(kept as [string, number[][]][]), submission: new Map() };
    };
    assert.deepEqual(os(only([1, 2, 9, 10])), []);
    assert.deepEqual(os(only([5, 6, 7, 8, 9])), ['Linux', 'Android']);
  });
});

describe('a step', () => {
  it('of one part alone that all submissions do not show is told of, with the part', () => {
    const changes = look({ Linux: SIZE });
    assert.equal(changes.length, 1);
    const [change] = changes;
    assert.deepEqual(change?.filter, ['saved_session', 'Firefox', 'Linux']);
    assert.equal(change.id, 'nightly/28/M/by-build-date/20130927/in/saved_session/Firefox/Linux');
    assert.match(change.text, /^M of nightly\/28 in saved_session\/Firefox\/Linux went up by 1\d % /);
    assert.ok(Math.abs((change.relative ?? 0) - SIZE) < 0.04, String(change.relative));
  });

  it('of all parts is one change, without a part', () => {
    const changes = look(Object.fromEntries(SYSTEMS.map((os) => [os, SIZE])));
    assert.deepEqual(
      changes.map(({ filter, mostIn }) => [filter, mostIn]),
      [[[], undefined]],
    );
  });

  it('of a part that all submissions show is one change, and says where most of it is', () => {
    const [change, ...others] = look({ WINNT: 0.2 });
    assert.deepEqual(others, []);
    assert.deepEqual([change?.filter, change?.mostIn], [[], ['saved_session', 'Firefox', 'WINNT']]);
    assert.match(change?.text ?? '', /, most in saved_session\/Firefox\/WINNT$/);
  });

  it('of a part is corrected for all series of the folder', () => {
    assert.equal(look({ Linux: 0.06 }).length, 1);
    assert.deepEqual(look({ Linux: 0.06 }, { tested: 1e12 }), []);
  });

  it('of a part of a measure that is not watched is not told of', () => {
    assert.deepEqual(look({ Linux: SIZE }, { isWatched: false }), []);
  });

  it('keeps its id when it is found again a few days later', () => {
    const [first] = look({ Linux: SIZE });
    assert.ok(first !== undefined);
    const known = { ...first, date: '20130926' };
    const filtered = rows({ Linux: SIZE });
    const parts = new PartLook('nightly/28', DEFINITIONS, IDS);
    parts.add('M', filtered, true);
    const ids = (more: Partial<Change>): string[] =>
      parts.end([], new Map(), [{ ...known, ...more }]).map(({ id }) => id);
    assert.deepEqual(ids({}), ['nightly/28/M/by-build-date/20130926/in/saved_session/Firefox/Linux']);
    assert.deepEqual(ids({ filter: [] }), [first.id]);
  });
});

describe('without a change', () => {
  it('no part has one', () => {
    assert.deepEqual(look({}), []);
  });
});

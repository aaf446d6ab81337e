import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { atScale } from '../fakes/at-scale.ts';
import { cases } from '../fakes/cases.ts';
import { publishedDefinition, type RawDefinition, simpleMeasureDefinition } from '../../src/histograms/definition.ts';
import { BY_DATES, type Slot } from '../../src/pipeline/aggregates/slot.ts';
import type { AdoptionFault } from '../../src/pipeline/dataset/adoption/faults.ts';
import { adoptFolder, type AdoptFolderResult } from '../../src/threads/adopt-folder.ts';
import { readPart, writePart } from '../../src/threads/part-file.ts';
import { renderSnapshotFiles } from '../../src/threads/render-snapshot.ts';
import { comparePublished, sameNumber } from '../golden/compare-published.ts';
import { filesOfTar } from '../golden/tar.ts';
import { clientBuckets, Evolution, leafIds, type PublishedFolder, type Row } from '../golden/v1-client.ts';

const CHANNEL_VERSION = 'nightly/28';
let work: string;
let numbered = 0;
before(async () => {
  work = await mkdtemp(join(tmpdir(), 'adoption-'));
});
after(() => rm(work, { recursive: true, force: true }));

async function newFolder(): Promise<string> {
  const folder = join(work, String((numbered += 1)));
  await mkdir(folder);
  return folder;
}

function faultsByReason(faults: Iterable<AdoptionFault>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason, count } of faults) counts[reason] = (counts[reason] ?? 0) + count;
  return counts;
}

interface Adopted extends AdoptFolderResult {
  readonly output: string;
}

async function adopted(folder: ReadonlyMap<string, string | Buffer>, compress = false): Promise<Adopted> {
  const place = await newFolder();
  const files = [...folder.keys()].map((name, index) => ({ name, path: join(place, String(index)) }));
  for (const { name, path } of files) await writeFile(path, folder.get(name) ?? '');
  const output = join(place, 'base');
  return { ...(await adoptFolder({ channelVersion: CHANNEL_VERSION, files, output, compress })), output };
}

async function slotsOf(part: string): Promise<Slot[]> {
  const slots: Slot[] = [];
  for await (const { slot } of readPart(part)) slots.push({ ...slot, values: [...slot.values] });
  return slots;
}

/** The next snapshot from parts, with the fixed files of the folder before. */
async function rendered(parts: readonly string[], before: PublishedFolder): Promise<Map<string, string>> {
  const output = join(await newFolder(), 'rendered');
  const previous = {
    filterTree: before.get('filter-tree.json')!,
    histograms: before.get('histograms.json')!,
    revisions: before.get('revisions.json')!,
  };
  const { files } = await renderSnapshotFiles({ parts, previous, definitions: null, output });
  const texts = new Map<string, string>();
  const bytes = await readFile(output);
  for (const { name, start, bytes: size } of files)
    texts.set(name, gunzipSync(bytes.subarray(start, start + size)).toString());
  return texts;
}

/** All numbers that the client shows of a measure; undefined where it fails. */
function shown(folder: PublishedFolder, measure: string, byDate: string, filter: string, date?: string) {
  try {
    const evolution = new Evolution(folder, measure, byDate, filter, date);
    return [
      evolution.submissions(),
      evolution.count(),
      evolution.mean(),
      ...[5, 25, 50, 75, 95].map((p) => evolution.percentile(p)),
      evolution.standardDeviation(),
      evolution.geometricMean(),
      evolution.lastBucketEnd(),
    ];
  } catch {
    return undefined;
  }
}

function equalNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, index) => Object.is(value, b[index]) || sameNumber(value, b[index] ?? NaN));
}

/** The folder with one measure's definition: parsing all of them for every view takes most of the time. */
function only(folder: PublishedFolder, measure: string): PublishedFolder {
  const definitions = JSON.parse(folder.get('histograms.json')!) as Record<string, unknown>;
  return new Map(folder).set('histograms.json', JSON.stringify({ [measure]: definitions[measure] }));
}

/** Else the client shows nothing before, and after it the rows it could not read. */
function hasReadableRow(folder: PublishedFolder, measure: string): boolean {
  const { length } = (JSON.parse(folder.get('revisions.json')!) as Record<string, { length: number }>)[measure]!;
  return BY_DATES.some((byDate) => {
    const dates = JSON.parse(folder.get(`${measure}-${byDate}.json`)!) as Record<string, Row[]>;
    return Object.values(dates).some((rows) => rows.some((row) => row.length === length + 1));
  });
}

/** Every option of a filter tree, by its path from the root; the empty one stands for everything. */
function filtersOf(paths: Iterable<string>): Set<string> {
  const filters = new Set(['']);
  for (const path of paths)
    path.split('/').forEach((_, depth, options) => filters.add(options.slice(0, depth + 1).join('/')));
  return filters;
}

/** Whatever the client could show before, it shows after: by measure, date, and every option of the filter tree. */
function assertSameView(original: PublishedFolder, ours: PublishedFolder): number {
  const leaves = leafIds(JSON.parse(original.get('filter-tree.json')!));
  assert.deepEqual(
    [...leafIds(JSON.parse(ours.get('filter-tree.json')!))].filter(([path]) => leaves.has(path)).sort(),
    [...leaves].sort(),
  );
  const filters = filtersOf(leaves.keys());
  let compared = 0;
  const definitions = JSON.parse(original.get('histograms.json')!) as Record<string, { kind?: string }>;
  for (const measure of Object.keys(definitions)) {
    // Of these the client knows no buckets, so it shows nothing of use.
    if (definitions[measure]?.kind === undefined || !hasReadableRow(original, measure)) continue;
    const [before, after] = [only(original, measure), only(ours, measure)];
    for (const byDate of BY_DATES) {
      const rows = JSON.parse(original.get(`${measure}-${byDate}.json`)!) as Record<string, Row[]>;
      for (const date of [undefined, ...Object.keys(rows)]) {
        for (const filter of filters) {
          const expected = shown(before, measure, byDate, filter, date);
          if (expected === undefined || Object.keys(rows).length === 0) continue;
          const actual = shown(after, measure, byDate, filter, date);
          assert.ok(
            actual !== undefined && equalNumbers(expected, actual),
            `${measure} ${byDate} ${date ?? 'all'} ${filter}: ${String(actual)}, expected ${String(expected)}`,
          );
          compared += 1;
        }
      }
    }
  }
  return compared;
}

const DEFINITIONS = [
  { kind: 'boolean', description: 'b' },
  { kind: 'flag' },
  { kind: 'enumerated', n_values: 4 },
  { kind: 'enumerated', n_values: '11' },
  { kind: 'linear', low: 1, high: '100', n_buckets: 10 },
  { kind: 'exponential', high: 10000, n_buckets: '10', extended_statistics_ok: true },
  {},
];
const OPTIONS = [
  ['saved_session', 'idle_daily'],
  ['Firefox'],
  ['WINNT', 'Linux'],
  ['6.1', '16', '3.1'],
  ['x86', 'arm'],
];
const DATES = ['20131027', '20131028', '20131029'];

interface RandomRow {
  readonly date: string;
  readonly path: string;
  readonly seed: number;
  readonly nulls: boolean;
  readonly shift: number;
}

const randomRow = fc.record({
  date: fc.constantFrom(...DATES),
  path: fc.tuple(...OPTIONS.map((options) => fc.constantFrom(...options))).map((path) => path.join('/')),
  seed: fc.integer({ min: 0, max: 1000 }),
  nulls: fc.boolean(),
  // Rows of another length, as a race of two of the original's processes could leave them.
  shift: fc.constantFrom(0, 0, 0, 0, 0, 2),
});
const randomFolder = fc.uniqueArray(
  fc.record({
    measure: fc.constantFrom('GC_MS', 'A-b.c_1', 'STARTUP_GC_MS', 'SIMPLE_MEASURES_FIRSTPAINT', 'Z'),
    definition: fc.constantFrom(...DEFINITIONS),
    byBuild: fc.array(randomRow, { maxLength: 12 }),
    bySubmission: fc.array(randomRow, { maxLength: 6 }),
  }),
  { minLength: 1, selector: ({ measure }) => measure },
);
type RandomFolder = typeof randomFolder extends fc.Arbitrary<infer T> ? T : never;

/** Writes random measures as the original does: ids in the order of need along each path, rows in any order. */
function originalFolder(measures: RandomFolder): Map<string, string> {
  const files = new Map<string, string>();
  const tree: Record<string, unknown> = { _id: 0, name: 'reason' };
  let ids = 0;
  const idOf = (path: string): number => {
    let node = tree;
    path.split('/').forEach((option, depth) => {
      node[option] ??= { _id: (ids += 1), ...(depth < 4 && { name: ['appName', 'OS', 'osVersion', 'arch'][depth] }) };
      node = node[option] as Record<string, unknown>;
    });
    return node['_id'] as number;
  };
  const write = (rows: readonly RandomRow[], buckets: number): string => {
    const dates: Record<string, (number | null)[][]> = {};
    const seen = new Set<string>();
    for (const { date, path, seed, nulls, shift } of rows) {
      if (seen.has(`${date}/${path}`)) continue;
      seen.add(`${date}/${path}`);
      const hits = Array.from({ length: buckets + shift }, (_, index) => (seed * (index + 3)) % 7);
      const values: (number | null)[] = [...hits, seed, seed / 4, seed / 2, -1, -1, (seed % 9) + 1, idOf(path)];
      if (nulls) values[seed % (values.length - 1)] = null;
      (dates[date] ??= []).push(values);
    }
    return JSON.stringify(dates);
  };
  const histograms: Record<string, unknown> = {};
  const revisions: Record<string, unknown> = {};
  for (const { measure, definition: chosen, byBuild, bySubmission } of measures) {
    const definition = measure.startsWith('SIMPLE_') ? simpleMeasureDefinition(measure) : chosen;
    const buckets = Math.max(clientBuckets(definition).length, 3);
    files.set(`${measure}-by-build-date.json`, write(byBuild, buckets));
    files.set(`${measure}-by-submission-date.json`, write(bySubmission, buckets));
    histograms[measure] = definition;
    revisions[measure] = { revision: 'http://hg.mozilla.org/r/rev/1', buildId: '20131029030201', length: buckets + 6 };
  }
  files.set('filter-tree.json', JSON.stringify(tree));
  files.set('histograms.json', JSON.stringify(histograms));
  return files.set('revisions.json', JSON.stringify(revisions));
}

describe('adoption of a folder of the original', () => {
  it('shows the client the same when it is rendered from its slots, whatever the folder', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(randomFolder, async (measures) => {
        const original = originalFolder(measures);
        const { output } = await adopted(original);
        compared += assertSameView(original, await rendered([output], original));
      }),
      { numRuns: Math.max(10, cases(40)) },
    );
    assert.ok(compared > cases(5_000), `only ${compared} views`);
  });

  const GOOD: RandomFolder = [
    {
      measure: 'GC_MS',
      definition: DEFINITIONS[0]!,
      byBuild: [
        { date: '20131028', path: 'saved_session/Firefox/WINNT/6.1/x86', seed: 5, nulls: false, shift: 0 },
        { date: '20131029', path: 'saved_session/Firefox/Linux/3.1/x86', seed: 6, nulls: false, shift: 0 },
      ],
      bySubmission: [],
    },
  ];
  const with_ = (name: string, content: string | Buffer): Map<string, string | Buffer> =>
    new Map<string, string | Buffer>(originalFolder(GOOD)).set(name, content);
  const FILE = 'GC_MS-by-build-date.json';
  const row = (...values: unknown[]): string => JSON.stringify({ '20131028': [values] });
  const faulty: [what: string, folder: Map<string, string | Buffer>, faults: Record<string, number>][] = [
    ['nothing wrong', with_('filter-tree.json', originalFolder(GOOD).get('filter-tree.json')!), {}],
    ['a gzip body', with_(FILE, gzipSync(originalFolder(GOOD).get(FILE)!)), {}],
    ['a broken gzip body', with_(FILE, gzipSync('{}').subarray(0, 12)), { bad_gzip: 1, no_rows: 1 }],
    ['a file that is no JSON', with_(FILE, '{"20131028":[[1,'), { bad_json: 1, no_rows: 1 }],
    ['a list instead of an object', with_(FILE, '[]'), { bad_json: 1, no_rows: 1 }],
    ['{} files', with_(FILE, '{}'), { no_rows: 1 }],
    ['a date that is none', with_(FILE, '{"2013-10-28":[[1],[2]]}'), { bad_date: 2, no_rows: 1 }],
    ['rows that are no list', with_(FILE, '{"20131028":{}}'), { bad_row: 1, no_rows: 1 }],
    ['a text in a row', with_(FILE, row(1, 2, '3', 4, 5, 6, 7, 8, 9, 5)), { bad_row: 1, no_rows: 1 }],
    ['a short row', with_(FILE, row(1, 2, 3, 4, 5, 6, 7, 5)), { bad_row: 1, no_rows: 1 }],
    ['a filter id nobody has', with_(FILE, row(1, 2, 3, 4, 5, 6, 7, 8, 9, 99)), { unknown_filter: 1, no_rows: 1 }],
    ['the id of an inner node', with_(FILE, row(1, 2, 3, 4, 5, 6, 7, 8, 9, 1)), { unknown_filter: 1, no_rows: 1 }],
    ['a null for a filter id', with_(FILE, row(1, 2, 3, 4, 5, 6, 7, 8, 9, null)), { bad_row: 1, no_rows: 1 }],
    ['numbers beyond every double', with_(FILE, '{"20131028":[[1e999,2,3,-1e999,5,6,7,8,9,5]]}'), { clamped_sum: 2 }],
    ['rows of another length', with_(FILE, row(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5)), { other_length: 1 }],
    ['a measure with a blank', with_('A B-by-build-date.json', '{}'), { bad_measure_name: 1 }],
    ['a measure named like a path', with_('..-by-build-date.json', '{}'), { bad_measure_name: 1 }],
    ['a measure without revision', with_('revisions.json', '{}'), { no_revision: 1 }],
    [
      'an odd build id',
      with_('revisions.json', '{"GC_MS":{"revision":"r","buildId":"UNKNOWN","length":9}}'),
      { bad_revision: 1 },
    ],
    ['null for a revision entry', with_('revisions.json', '{"GC_MS":null}'), { bad_revision: 1 }],
    ['null for a revision', with_('revisions.json', '{"GC_MS":{"revision":null,"buildId":"0","length":9}}'), {}],
    ['null for a definition', with_('histograms.json', '{"GC_MS":null}'), {}],
  ];
  for (const [what, folder, faults] of faulty) {
    it(`${what}: counted, never fatal, and the next snapshot can be rendered`, async () => {
      const { faults: found, output, part, files } = await adopted(folder);
      assert.deepEqual(faultsByReason(found), faults);
      assert.equal(part.slots === 0, 'no_rows' in faults && !('no_revision' in faults));
      assert.deepEqual(files.map(({ name }) => name).sort(), [...folder.keys()].sort());
      const texts = new Map([...folder].map(([name, body]) => [name, body.toString()]));
      await rendered([output], texts);
    });
  }

  const fatal: [what: string, name: string, content: string | undefined, message: RegExp][] = [
    ['no filter tree', 'filter-tree.json', undefined, /filter-tree\.json is not there/],
    ['a broken filter tree', 'filter-tree.json', '{"_id":0', /filter-tree\.json is not JSON/],
    [
      'a tree with an id twice',
      'filter-tree.json',
      '{"_id":0,"name":"reason","a":{"_id":0,"name":"appName"}}',
      /id of its own/,
    ],
    ['no revisions', 'revisions.json', undefined, /revisions\.json is not there/],
    ['revisions that are a list', 'revisions.json', '[]', /revisions\.json should be an object/],
    ['no definitions', 'histograms.json', undefined, /histograms\.json is not there/],
    ['definitions that are no JSON', 'histograms.json', 'oops', /histograms\.json is not JSON/],
  ];
  for (const [what, name, content, message] of fatal) {
    it(`${what}: the folder is refused`, async () => {
      const folder: Map<string, string | Buffer> = originalFolder(GOOD);
      if (content === undefined) folder.delete(name);
      else folder.set(name, content);
      await assert.rejects(adopted(folder), message);
    });
  }

  it('counts a null as 0, and adds rows that come twice, as the client does', async () => {
    const twice = JSON.stringify({
      '20131028': [
        [1, null, 3, 4, 5, 6, 7, 8, 9, 5],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 5],
      ],
    });
    const { output, faults } = await adopted(with_(FILE, twice));
    assert.deepEqual(
      (await slotsOf(output)).map(({ values }) => [...values]),
      [[2, 2, 6, 8, 10, 12, 14, 16, 18]],
    );
    assert.deepEqual(faultsByReason(faults), { duplicate_row: 1 });
  });

  it('gives rows of the shown length the newest build, and others none', async () => {
    const both = JSON.stringify({
      '20131028': [
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 5],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5],
      ],
    });
    const slots = await slotsOf((await adopted(with_(FILE, both))).output);
    assert.deepEqual(
      slots.map(({ values, buildId, revision }) => [values.length, buildId, revision !== '']),
      [
        [9, '20131029030201', true],
        [10, '', false],
      ],
    );
  });

  const builds: [what: string, buildId: string, length: number, count: number, shown: number, submissions: number][] = [
    ['a newer build of the same length adds', '20131101030201', 9, 100, 9, 7 + 6 + 100],
    ['an older build of the same length adds', '20131001030201', 9, 100, 9, 7 + 6 + 100],
    ['a newer build of another length takes over', '20131101030201', 10, 100, 10, 100],
    ['a newer build of another length with few submissions is left out', '20131101030201', 10, 1, 9, 7 + 6],
    ['an older build of another length is left out', '20131001030201', 10, 5, 9, 7 + 6],
  ];
  for (const [what, buildId, length, count, shownLength, submissions] of builds) {
    it(`a later day: ${what} (docs/formats/published.md 5.3)`, async () => {
      const original = originalFolder(GOOD);
      const { output } = await adopted(original);
      const values = [...Array.from({ length: length - 6 }, () => 1), 3, -1, -1, 3, 0, count];
      const path = 'saved_session/Firefox/WINNT/6.1/x86';
      const date = buildId.slice(0, 8);
      const slot = { measure: 'GC_MS', byDate: 'by-build-date', path, date, values, buildId, revision: '' };
      const day = `${output}-day`;
      await writePart(day, [{ channelVersion: CHANNEL_VERSION, slot: slot as Slot }]);
      const folder = await rendered([output, day], original);
      const revisions = JSON.parse(folder.get('revisions.json')!) as Record<
        string,
        { length: number; buildId: string }
      >;
      assert.equal(revisions['GC_MS']?.length, shownLength);
      assert.equal(new Evolution(folder, 'GC_MS', 'by-build-date').submissions(), submissions);
      const newest = buildId > '20131029030201' && length === shownLength ? buildId : '20131029030201';
      assert.equal(revisions['GC_MS'].buildId, newest);
    });
  }

  it('keeps a definition of the original whose revision cannot be looked up, or that names none', async () => {
    for (const revision of ['http://hg.mozilla.org/r/rev/gone', '']) {
      const original = originalFolder(GOOD);
      original.set('histograms.json', '{"GC_MS":{"kind":"boolean","description":"of then"}}');
      original.set('revisions.json', JSON.stringify({ GC_MS: { revision, buildId: '20131029030201', length: 9 } }));
      const folder = await rendered([(await adopted(original)).output], original);
      assert.match(folder.get('histograms.json')!, /of then/);
    }
  });

  it('compresses plain files of a copy and says what they are then', async () => {
    const plain = await adopted(originalFolder(GOOD));
    const { files, output } = await adopted(originalFolder(GOOD), true);
    assert.notDeepEqual(files, plain.files);
    assert.deepEqual(await slotsOf(output), await slotsOf(plain.output));
  });
});

const golden = new URL('../../../shared/data/golden/published-28.tar.gz', import.meta.url);

describe(
  'the original’s published folder of 2013, adopted',
  { skip: !atScale ? 'npm run test:all runs it' : existsSync(golden) ? false : `${golden.pathname} is not there` },
  () => {
    const folder = (): Map<string, string> => {
      const files = filesOfTar(gunzipSync(readFileSync(golden)));
      return new Map(
        [...files].flatMap(([path, text]) => {
          const [, name] = /\/\d{14}-28-nightly\/([^/]+)$/.exec(path) ?? [];
          return name === undefined ? [] : [[name, text] as const];
        }),
      );
    };

    it('shows the same, measure by measure, with the same filter ids', async () => {
      const original = folder();
      const { output, measures, faults, part } = await adopted(original);
      assert.deepEqual([measures, part.slots, faults], [452, 2362, []]);
      const ours = await rendered([output], original);
      assert.deepEqual(comparePublished(original, ours), []);
      // The client reads `10 * 1000` as 10. The folder of then stays as it is; a snapshot of ours says 10000.
      type Definitions = Record<string, RawDefinition>;
      const evaluated = Object.entries(JSON.parse(original.get('histograms.json')!) as Definitions).map(
        ([name, raw]) => {
          const buckets = clientBuckets(raw).length;
          return [name, 'kind' in raw ? publishedDefinition(raw, buckets + 6).definition : raw];
        },
      );
      original.set('histograms.json', JSON.stringify(Object.fromEntries(evaluated)));
      assert.ok(assertSameView(original, ours) > 10_000);
    });
  },
);

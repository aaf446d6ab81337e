/**
 * A published data set of any size, made as it is asked for: the files of a snapshot with their index and summaries,
 * changes.json and status.json, equal for equal sizes.
 */
import { gzipSync } from 'node:zlib';
import { exponentialBounds, linearBounds } from '../../local/samples/bounds.ts';
import { seededChance } from './seeded-chance.ts';

export interface GeneratedSize {
  readonly measures: number;
  readonly leaves: number;
  readonly dates: number;
}

export const SMALL: GeneratedSize = { measures: 40, leaves: 24, dates: 40 };
/** A busy folder of the original. */
export const LARGE: GeneratedSize = { measures: 1200, leaves: 328, dates: 45 };

/** Names that a page must show and never run; submitters choose them. */
export const HOSTILE = `<img src=x onerror="document.title='owned'">`;

interface Folder {
  readonly name: string;
  readonly channelVersion: string;
  /** Published with index and summaries. */
  readonly isIndexed: boolean;
  readonly shift: number;
}

const FOLDERS: readonly Folder[] = [
  ['nightly/28', true, 0],
  ['nightly/27', true, 0.08],
  ['nightly/26', true, 0.12],
  ['aurora/27', true, 0.05],
  ['aurora/26', true, 0.1],
  ['beta/26', false, 0.15],
  ['beta/25', true, 0.2],
  ['release/25', true, 0.22],
].map(([channelVersion, isIndexed, shift], place) => {
  const [channel, version] = String(channelVersion).split('/');
  return {
    name: `201311${String(20 + place)}120000-${version}-${channel}`,
    channelVersion: String(channelVersion),
    isIndexed: isIndexed === true,
    shift: Number(shift),
  };
});

interface GeneratedMeasure {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly bounds: readonly number[];
  readonly typical: number;
}

const NAMED: readonly GeneratedMeasure[] = [
  exponential('GC_MS', 'Time spent running a JavaScript garbage collection (ms)', 10_000, 50, 45),
  exponential('CYCLE_COLLECTOR', 'Time spent on one cycle collection (ms)', 10_000, 50, 12),
  exponential('FX_TAB_SWITCH_MS', 'From the click on a tab to its picture (ms)', 1000, 20, 60),
  exponential('MEMORY_RESIDENT', 'Resident memory (KB)', 1_000_000, 50, 260_000),
  linear('GC_MMU_50', 'Smallest share of a 50 ms window left to the page (percent)', 100, 20, 70),
  {
    name: 'GC_REASON_2',
    definition: { kind: 'enumerated', n_values: 20, description: 'What made a heap collection start' },
    bounds: linearBounds(1, 20, 21),
    typical: 5,
  },
  {
    name: 'HTTP_SCHEME',
    definition: {
      kind: 'enumerated',
      n_values: 50,
      original_kind: 'categorical',
      labels: ['http', 'https', 'file', 'other'],
      description: 'Scheme of the page',
    },
    bounds: linearBounds(1, 50, 51),
    typical: 1,
  },
  {
    name: 'GC_INCREMENTAL_DISABLED',
    definition: { kind: 'boolean', description: 'Is incremental collection permanently disabled?' },
    bounds: [0, 1, 2],
    typical: 0.2,
  },
];

function exponential(
  name: string,
  description: string,
  high: number,
  buckets: number,
  typical: number,
): GeneratedMeasure {
  const definition = { kind: 'exponential', low: 1, high, n_buckets: buckets, description };
  return { name, definition, bounds: exponentialBounds(1, high, buckets), typical };
}

function linear(name: string, description: string, high: number, buckets: number, typical: number): GeneratedMeasure {
  const definition = { kind: 'linear', low: 1, high, n_buckets: buckets, description };
  return { name, definition, bounds: linearBounds(1, high, buckets), typical };
}

const SHARDS = 12;
const TRAILER = 6;
const DAY = 86_400_000;
const [FIRST_BUILD, FIRST_SUBMISSION] = [Date.UTC(2013, 8, 20), Date.UTC(2013, 9, 1)];

type By = 'build' | 'submission';

function seedOf(text: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619);
  return hash >>> 0;
}

export class GeneratedDataSet {
  readonly #size: GeneratedSize;
  readonly #measures: readonly GeneratedMeasure[];
  readonly #files = new Map<string, Buffer | undefined>();
  readonly #leaves: readonly (readonly string[])[];
  readonly #ids: readonly number[];
  readonly #tree: unknown;
  readonly #now: number;
  /** Files that are not to be there: the data set of an earlier release, or before the first comparison. */
  readonly absent: Set<string> = new Set();

  constructor(size: GeneratedSize = SMALL, now = Date.now()) {
    this.#size = size;
    this.#now = now;
    const more = Array.from({ length: Math.max(0, size.measures - NAMED.length) }, (_, index) =>
      exponential(
        `${['HTTP', 'DISK_CACHE', 'PLACES', 'STARTUP', 'PAINT', 'TLS'][index % 6]}_PROBE_${index}_MS`,
        `Generated measure ${index}: time of step ${index % 17} (ms)`,
        10_000,
        50,
        8 + ((index * 37) % 400),
      ),
    );
    this.#measures = [...NAMED, ...more];
    this.#leaves = leavesOf(size.leaves);
    const { tree, ids } = treeOf(this.#leaves);
    this.#tree = tree;
    this.#ids = ids;
  }

  get measureNames(): readonly string[] {
    return this.#measures.map(({ name }) => name);
  }

  /** @param path below the prefix. @returns gzip-encoded; undefined when there is no such file */
  file(path: string): Buffer | undefined {
    if ([...this.absent].some((part) => path.includes(part))) return undefined;
    if (!this.#files.has(path)) {
      const content = this.#content(decodeURIComponent(path));
      this.#files.set(path, content === undefined ? undefined : gzipSync(JSON.stringify(content), { level: 1 }));
    }
    return this.#files.get(path);
  }

  #content(path: string): unknown {
    if (path === 'versions.json') return this.#versions();
    if (path === 'status.json') return this.#status();
    if (path === 'changes.json') return this.#changes();
    const [folderName = '', name = ''] = path.split('/');
    const folder = FOLDERS.find((one) => one.name === folderName);
    return folder === undefined ? undefined : this.#folderFile(folder, name);
  }

  #folderFile(folder: Folder, name: string): unknown {
    if (name === 'histograms.json')
      return Object.fromEntries(this.#measures.map((measure) => [measure.name, measure.definition]));
    if (name === 'filter-tree.json') return this.#tree;
    if (folder.isIndexed && name === '_measures.json') return this.#index(folder);
    const [, shard] = /^_summary-(\d+)\.json$/.exec(name) ?? [];
    if (folder.isIndexed && shard !== undefined) return this.#summary(folder, Number(shard));
    const [, measureName, by] = /^(.+)-by-(build|submission)-date\.json$/.exec(name) ?? [];
    const measure = this.#measures.find((one) => one.name === measureName);
    return measure === undefined ? undefined : this.#rows(folder, measure, by as By);
  }

  #dates(by: By): string[] {
    const first = by === 'build' ? FIRST_BUILD : FIRST_SUBMISSION;
    return Array.from({ length: this.#size.dates }, (_, index) =>
      new Date(first + index * DAY).toISOString().slice(0, 10).replaceAll('-', ''),
    );
  }

  /** Fewer at weekends, and few for the newest builds. */
  #submissions(by: By, date: number, leaf: number): number {
    const weekend = [5, 6].includes(date % 7) ? 0.55 : 1;
    const young = by === 'build' && date >= this.#size.dates - 2 ? 0.015 : 1;
    return Math.max(1, Math.round((1600 / (leaf + 2)) * weekend * young));
  }

  #typical(folder: Folder, measure: GeneratedMeasure, by: By, date: number, leaf: number): number {
    const weekly = 1 + 0.03 * Math.sin((date / 7) * 2 * Math.PI);
    // One planted step, which changes.json names.
    const step =
      measure.name === 'GC_MS' && folder.channelVersion === 'nightly/28' && by === 'build' && date >= 28 ? 1.4 : 1;
    return measure.typical * weekly * step * (1 + folder.shift) * (1 + 0.04 * (leaf % 7));
  }

  #rows(folder: Folder, measure: GeneratedMeasure, by: By): Record<string, number[][]> {
    return Object.fromEntries(
      this.#dates(by).map((day, date) => [
        day,
        this.#leaves.map((_, leaf) => this.#row(folder, measure, by, date, leaf)),
      ]),
    );
  }

  #row(folder: Folder, measure: GeneratedMeasure, by: By, date: number, leaf: number): number[] {
    const random = seededChance(seedOf(`${folder.name} ${measure.name} ${by} ${date} ${leaf}`));
    const submissions = this.#submissions(by, date, leaf);
    const typical = this.#typical(folder, measure, by, date, leaf);
    const { kind } = measure.definition;
    const hits = submissions * (kind === 'exponential' ? 6 : 3);
    const weights = measure.bounds.map(
      (start, index) => weightOf(measure, typical, start, index) * (0.8 + 0.4 * random()),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const counts = weights.map((weight) => Math.floor((weight / total) * hits + random()));
    const sum = counts.reduce((all, count, index) => all + count * centreOf(measure.bounds, index), 0);
    const logSum = counts.reduce((all, count, index) => all + count * Math.log(centreOf(measure.bounds, index) + 1), 0);
    const squares = counts.reduce((all, count, index) => all + count * centreOf(measure.bounds, index) ** 2, 0);
    const statistics =
      kind === 'exponential'
        ? [Math.round(sum), logSum, logSum ** 2 / hits, -1, -1]
        : [Math.round(sum), -1, -1, Math.round(squares), 0];
    return [...counts, ...statistics, submissions, this.#ids[leaf] ?? -1];
  }

  #index(folder: Folder): unknown {
    const dates = { build: this.#dates('build'), submission: this.#dates('submission') };
    const submissions = dates.submission.reduce(
      (all, _, date) =>
        all + this.#leaves.reduce((sum, __, leaf) => sum + this.#submissions('submission', date, leaf), 0),
      0,
    );
    const measures = this.#measures.map((measure, place) => [
      measure.name,
      {
        kind: measure.definition['original_kind'] ?? measure.definition['kind'],
        description: measure.definition['description'],
        shard: place % SHARDS,
        submissions: submissions - place * 7,
        spark: dates.submission
          .slice(-30)
          .map((_, date) => this.#typical(folder, measure, 'submission', date, place % 3)),
      },
    ]);
    return { format: 1, dates, shards: SHARDS, measures: Object.fromEntries(measures) };
  }

  #summary(folder: Folder, shard: number): unknown {
    const [first, ...others] = this.#measures.filter((_, place) => place % SHARDS === shard);
    if (first === undefined) return {};
    const sums = (measure: GeneratedMeasure): unknown => ({
      build: summed(this.#rows(folder, measure, 'build')),
      submission: summed(this.#rows(folder, measure, 'submission')),
    });
    const own = sums(first);
    // Nobody looks at the other measures of a large data set; their summaries count by their size only.
    const isLarge = this.#size.measures > SHARDS * 10;
    return Object.fromEntries([
      [first.name, own],
      ...others.map((measure) => [measure.name, isLarge ? own : sums(measure)]),
    ]);
  }

  #versions(): unknown {
    const folders = FOLDERS.map(({ channelVersion, name }) => [channelVersion, name]);
    const at = new Date(this.#now - 11 * 60_000).toISOString();
    return { ...Object.fromEntries(folders), $head: { seq: 7, commit: 'c7', parent: 'c6', ledger: 'l7', at } };
  }

  #status(): unknown {
    const days = this.#dates('submission').map((day, place) => {
      const missing = place % 11 === 5 ? 3 : 0;
      return [
        day,
        {
          runId: `0193c5a1-7f0e-7c51-9b0a-${String(place).padStart(12, '0')}`,
          planned: 24,
          done: 24 - (missing > 0 ? 1 : 0),
          failed: missing > 0 ? 1 : 0,
          missing: 0,
          records: 18_400 + place * 311,
          files: { processed: 310 - missing, missing },
          ...(missing > 0 && { missingReasons: { bad_container: missing } }),
          fileLists: { processed: 'k', missing: null },
        },
      ];
    });
    return {
      seq: 7,
      commit: 'c7',
      at: new Date(this.#now - 11 * 60_000).toISOString(),
      days: Object.fromEntries(days.filter((_, place) => place !== this.#size.dates - 9)),
      channelVersions: Object.fromEntries(FOLDERS.map(({ channelVersion, name }) => [channelVersion, name])),
      definitionsPending: { 'nightly/28': 2, 'beta/26': 0 },
      missing: { tasks: 4, files: 12 },
      lists: {},
    };
  }

  #changes(): unknown {
    const dates = this.#dates('build');
    const [before, after] = [dates.slice(21, 28), dates.slice(28, 31)];
    const change = (measure: string, more: Record<string, unknown>): Record<string, unknown> => ({
      id: `nightly/28/${measure}/by-build-date/${after[0]}`,
      channelVersion: 'nightly/28',
      measure,
      by: 'build',
      date: after[0],
      filter: [],
      kind: 'step',
      direction: 'up',
      before: { dates: before, submissions: 41_000, count: 246_000, mean: 61.2, median: 45.1, p95: 210 },
      after: { dates: after, submissions: 17_500, count: 105_000, mean: 85.6, median: 63.4, p95: 294 },
      relative: 0.4,
      pValue: 1e-12,
      qValue: 3e-10,
      text: `The median of ${measure} rose from 45.1 to 63.4.`,
      ...more,
    });
    return {
      format: 1,
      at: new Date(this.#now - 10 * 60_000).toISOString(),
      seq: 7,
      changes: [
        change('GC_MS', { mostIn: ['saved_session', 'Firefox', 'Darwin'] }),
        change('CYCLE_COLLECTOR', {
          kind: 'drift',
          direction: 'down',
          relative: -0.062,
          qValue: 0.002,
          text: 'The median of CYCLE_COLLECTOR has fallen slowly, from 12.6 to 11.8.',
          filter: ['saved_session', 'Firefox', 'WINNT'],
          before: { dates: before, submissions: 21_000, median: 12.6, p95: 44 },
          after: { dates: after, submissions: 8000, median: 11.8, p95: 43 },
        }),
        change('', {
          id: 'nightly/26//by-submission-date/20131028',
          channelVersion: 'nightly/26',
          by: 'submission',
          kind: 'silence',
          direction: null,
          relative: -0.99,
          qValue: null,
          before: { dates: [], submissions: 150 },
          after: { dates: [], submissions: 1 },
          text: 'nightly/26 has fallen silent: 1 submission, where it used to have 150 a day.',
        }),
        change(HOSTILE, { id: 'hostile', kind: 'something-new', text: HOSTILE, filter: [HOSTILE], mostIn: [HOSTILE] }),
      ],
      later: true,
    };
  }
}

function leavesOf(count: number): readonly (readonly string[])[] {
  const systems: readonly (readonly [string, readonly string[]])[] = [
    ['WINNT', ['6.1', '5.1', '6.2', '6.3', '6.0']],
    ['Darwin', ['12.5.0', '13.0.0', '11.4.2']],
    ['Linux', ['3.11', '3.2', HOSTILE]],
    ['Android', ['10', '16', '18']],
  ];
  const leaves: string[][] = [];
  for (let round = 0; leaves.length < count; round += 1)
    for (const reason of ['saved_session', 'idle_daily', 'flash_video'])
      for (const [system, versions] of systems)
        for (const arch of ['x86', 'x86-64']) {
          const version = versions[round % versions.length] ?? '1';
          const suffix = round < versions.length ? '' : `.${Math.floor(round / versions.length)}`;
          const application = system === 'Android' ? 'Fennec' : round % 3 === 2 ? 'Thunderbird' : 'Firefox';
          if (leaves.length < count) leaves.push([reason, application, system, version + suffix, arch]);
        }
  return leaves;
}

interface Node {
  _id: number;
  name?: string;
  [option: string]: unknown;
}

function treeOf(leaves: readonly (readonly string[])[]): { tree: Node; ids: number[] } {
  const names = ['reason', 'appName', 'OS', 'osVersion', 'arch'];
  const tree: Node = { _id: 0, name: 'reason' };
  let last = 0;
  const ids = leaves.map((path) => {
    let node = tree;
    for (const [level, option] of path.entries()) {
      let child = node[option] as Node | undefined;
      if (child === undefined) {
        last += 1;
        const name = names[level + 1];
        child = { _id: last, ...(name !== undefined && { name }) };
        node[option] = child;
      }
      node = child;
    }
    return node._id;
  });
  return { tree, ids };
}

function weightOf({ definition, bounds }: GeneratedMeasure, typical: number, start: number, index: number): number {
  if (definition['kind'] === 'boolean') return [1 - typical * 0.2, typical * 0.2, 0][index] ?? 0;
  if (definition['kind'] === 'enumerated')
    return definition['labels'] === undefined
      ? 1 / (1 + Math.abs(index - typical) ** 2)
      : index < 4
        ? 1 / (1 + index)
        : 0;
  const centre = centreOf(bounds, index);
  if (definition['kind'] === 'linear') return Math.exp(-(((centre - typical) / 18) ** 2)) * (start > 0 ? 1 : 0.3);
  return Math.exp(-((Math.log((centre + 0.5) / typical) / 1.1) ** 2));
}

function centreOf(bounds: readonly number[], index: number): number {
  const start = bounds[index] ?? 0;
  return (start + (bounds[index + 1] ?? start * 1.2)) / 2;
}

/** Element-wise sums over all filter ids, without the id. */
export function summed(rows: Readonly<Record<string, readonly (readonly number[])[]>>): Record<string, number[][]> {
  return Object.fromEntries(
    Object.entries(rows).map(([date, list]) => {
      const total = Array.from({ length: (list[0]?.length ?? 1) - 1 }, () => 0);
      const buckets = total.length - TRAILER;
      for (const row of list)
        for (let index = 0; index < total.length; index += 1) {
          const value = row[index] ?? 0;
          const isMissing = value === -1 && index >= buckets;
          total[index] = isMissing ? -1 : (total[index] ?? 0) + value;
        }
      return [date, [total]];
    }),
  );
}

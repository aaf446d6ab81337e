/**
 * Generated results of analysis tasks (docs/formats/results.md 4.1) for benchmarks, the same bytes for a seed on every
 * machine. Two shapes:
 *
 * - **sparse**: many measures, builds of many days, so that nearly every row is the only one of its path. Memory and output
 *   are as large as the input.
 * - **dense**: few measures and days, so that a third of the rows is added to another one.
 *
 * Figures of both, and how they compare with real data, are in bench/README.md.
 */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Chance, chanceFor } from '../../local/samples/random.ts';
import { SIMPLE_MEASURE_PREFIX } from '../../src/pipeline/aggregates/slot.ts';
import { compareText } from '../../src/pipeline/text-order.ts';
import { dayAfter, exponential, spread, Weighted } from './draw.ts';
import { drawRow, type Measure, measuresOf, OF_RESULTS } from './rows.ts';

export interface ResultsPlan {
  readonly seed: string;
  readonly files: number;
  /** Lines of each file: one for a channel/version, measure and by-date. */
  readonly lines: number;
  readonly measures: number;
  readonly channelVersions: readonly (readonly [name: string, weight: number])[];
  /** The builds of a file are of `span` days from one of `firstDays` days on, those of a line of at most `dates` of them. */
  readonly firstDays: number;
  readonly span: number;
  readonly dates: number;
}

export const SPARSE: ResultsPlan = {
  seed: 'sparse',
  files: 50,
  lines: 1080,
  measures: 2000,
  channelVersions: [
    ['nightly/28', 30],
    ['nightly/27', 10],
    ['aurora/27', 18],
    ['beta/26', 20],
    ['release/25', 12],
    ['aurora/26', 5],
    ['beta/25', 5],
  ],
  ...{ firstDays: 40, span: 14, dates: 6 },
};

export const DENSE: ResultsPlan = {
  seed: 'dense',
  files: 50,
  lines: 1080,
  measures: 620,
  channelVersions: [
    ['nightly/28', 1],
    ['aurora/27', 1],
    ['beta/26', 1],
  ],
  ...{ firstDays: 4, span: 5, dates: 5 },
};

/** Mean of the rows of a line. */
const ROWS = 14.3;
/** Different rows that a measure has: a generator of numbers would be slower than what it is to measure. */
const VARIANTS = 24;
/** Share of rows with another number of buckets, as after a change of a definition. */
const OTHER_LENGTH = 0.002;

const REVISIONS = [
  'mozilla-central/rev/5a3b1e0c0de1',
  'mozilla-central/rev/5a3b1e0c0de2',
  'releases/mozilla-aurora/rev/5a3b1e0c0de3',
].map((path) => `http://hg.mozilla.org/${path}`);
const BUILD_TIMES = ['030201', '040203', '003042', '120101'];

/** Writes `result-0.txt` … into a folder. @returns their paths */
export async function generateResults(folder: string, plan: ResultsPlan): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const chance = chanceFor('results', plan.seed);
  const rows = new Map(
    measuresOf(OF_RESULTS, plan.measures).map((measure) => [measure.name, variantsOf(measure, chance)]),
  );
  const drawing = new Drawing(plan, [...rows.keys()], rows);
  const paths: string[] = [];
  for (let file = 0; file < plan.files; file += 1) {
    const path = join(folder, `result-${file}.txt`);
    paths.push(path);
    await pipeline(Readable.from(drawing.lines(chance)), createWriteStream(path));
  }
  return paths;
}

interface Variant {
  readonly values: string;
  /** The same with three buckets less. */
  readonly shorter: string;
}

function variantsOf(measure: Measure, chance: Chance): Variant[] {
  const { buckets } = measure.kind;
  return Array.from({ length: VARIANTS }, () => {
    const submissions = Math.max(1, Math.floor(spread(chance, 12, 1.5)));
    const row = [...drawRow(OF_RESULTS, measure, submissions, chance), submissions];
    const shorter = buckets > 5 ? row.toSpliced(buckets - 3, 3) : row;
    return { values: row.join(','), shorter: shorter.join(',') };
  });
}

class Drawing {
  readonly #plan: ResultsPlan;
  readonly #rows: ReadonlyMap<string, readonly Variant[]>;
  readonly #measures: Weighted<string>;
  readonly #channelVersions: Weighted<string>;
  readonly #paths = filterPaths();

  constructor(plan: ResultsPlan, names: readonly string[], rows: ReadonlyMap<string, readonly Variant[]>) {
    this.#plan = plan;
    this.#rows = rows;
    this.#measures = new Weighted(names.map((name, index) => [name, (1 + index) ** -0.3]));
    this.#channelVersions = new Weighted(plan.channelVersions);
  }

  /** The lines of one file, sorted, each with its LF. */
  *lines(chance: Chance): Generator<string> {
    const firstDay = chance.below(this.#plan.firstDays);
    for (const key of this.#keys(chance)) {
      const measure = key.split('/')[2] ?? '';
      yield `${key}\t{${this.#members(measure, firstDay, chance).join(',')}}\n`;
    }
  }

  #keys(chance: Chance): string[] {
    const { lines, measures, channelVersions } = this.#plan;
    const keys = new Set<string>();
    const possible = 2 * measures * channelVersions.length;
    while (keys.size < Math.min(lines, possible)) {
      const channelVersion = this.#channelVersions.pick(chance);
      const byDate = chance.happens(0.5) ? 'by-build-date' : 'by-submission-date';
      keys.add(`${channelVersion}/${this.#measures.pick(chance)}/${byDate}`);
    }
    return [...keys].sort(compareText);
  }

  #members(measure: string, firstDay: number, chance: Chance): string[] {
    const { span, dates } = this.#plan;
    const wanted = 1 + Math.floor(exponential(chance, ROWS - 0.5));
    const days = Array.from({ length: Math.max(1, Math.min(dates, wanted >> 1)) }, () =>
      dayAfter(firstDay + chance.below(span)),
    );
    const variants = this.#rows.get(measure) ?? [];
    const isSimple = measure.startsWith(SIMPLE_MEASURE_PREFIX);
    const members = new Map<string, string>();
    // A line about few days has no more paths than those.
    for (let draw = 0; draw < 2 * wanted && members.size < wanted; draw += 1) {
      const day = days[chance.below(days.length)]!;
      const place = `${day}/${this.#paths.pick(chance)}`;
      if (members.has(place)) continue;
      const { values, shorter } = variants[chance.below(variants.length)]!;
      const build = isSimple ? SIMPLE_BUILD : buildOf(day, chance);
      members.set(place, `"${place}":{"values":[${chance.happens(OTHER_LENGTH) ? shorter : values}],${build}}`);
    }
    return [...members.values()];
  }
}

const SIMPLE_BUILD = '"buildId":"0","revision":"simple-measures-hack"';

function buildOf(day: string, chance: Chance): string {
  const time = BUILD_TIMES[chance.below(BUILD_TIMES.length)]!;
  return `"buildId":"${day}${time}","revision":"${REVISIONS[chance.below(REVISIONS.length)]!}"`;
}

/** Systems in the order of their frequency. */
const SYSTEMS: readonly (readonly [
  os: string,
  weight: number,
  application: string,
  versions: string[],
  archs: string[],
])[] = [
  ['WINNT', 70, 'Firefox', ['6.1', '5.1', '6.2', '6.0', '6.3'], ['x86', 'x86-64']],
  ['Darwin', 12, 'Firefox', ['12.5.0', '13.0.0', '11.4.2', '10.8.0'], ['x86-64', 'x86']],
  ['Linux', 10, 'Firefox', ['3.1', '3.8', '3.2', '3.5', '2.6'], ['x86', 'x86-64']],
  ['Android', 8, 'Fennec', ['16', '17', '15', '18', '10'], ['arm', 'x86']],
];

function filterPaths(): Weighted<string> {
  const paths = SYSTEMS.flatMap(([os, weight, application, versions, archs]) =>
    versions.flatMap((version, v) =>
      archs.flatMap((arch, a) =>
        (['saved_session', 'idle_daily'] as const).map((reason): [string, number] => [
          `${reason}/${application}/${os}/${version}/${arch}`,
          (weight * (reason === 'saved_session' ? 4 : 1)) / (1 + v) / (1 + a),
        ]),
      ),
    ),
  );
  return new Weighted(paths);
}

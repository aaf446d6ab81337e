/** The changes that the summaries of one folder show, all its measures together. */
import { bucketsOf } from '../../histograms/buckets.ts';
import type { RawDefinition } from '../../histograms/definition.ts';
import { dayAfter, dayNumber } from '../calendar-day.ts';
import { type By, type Change, changeId } from './change.ts';
import { changeText } from './change-text.ts';
import { MAX_OF_ONE, newestFirst } from './changes-document.ts';
import { comparableDates, type DatedCounts } from './dated-counts.ts';
import { MAX_FALSE, qValues } from './false-discovery.ts';
import { learnedPriors, type NoisePriors, type ShownNoise } from './noise-prior.ts';
import { otherBuckets, presenceOf } from './presence.ts';
import { changesOfSeries, type FoundChange, noiseOfSeries, type Series } from './series-changes.ts';
import type { Scale } from './side.ts';

/** Definitions as `histograms.json` has them. */
export type PublishedDefinitions = ReadonlyMap<string, RawDefinition>;

/** Rows of a summary, by kind of date and date: the buckets, then six numbers (docs/formats/results.md 4.2). */
export type SummaryRows = Readonly<Record<By, ReadonlyMap<string, readonly number[]>>>;

export interface FolderChanges {
  /** Newest first. */
  readonly changes: readonly Change[];
  /** How many there are; of a flood the newest are in `changes`. */
  readonly found: number;
  /** By day of submission: of the measure that most submissions have. */
  readonly submissions: Readonly<Record<string, number>>;
}

const BOTH = ['build', 'submission'] as const;
const TRAILER = 6;
/** Days of submission that silence is judged by. */
const SUBMISSION_DAYS = 45;
/** In days: a change that moves by so few, as more dates come in, is the same one. */
const SAME = { step: 3, spike: 1, drift: 28 } as const;

/** Takes the measures one by one. */
export class FolderLook {
  readonly #channelVersion: string;
  readonly #definitions: PublishedDefinitions;
  /** Of the folder before; undefined when it is gone. */
  readonly #before: PublishedDefinitions | undefined;
  readonly #seen: Record<By, ShownNoise[]> = { build: [], submission: [] };
  readonly #priors: Partial<Record<By, NoisePriors>> = {};
  readonly #found: FoundChange[] = [];
  readonly #tested = new Map<string, number>();
  readonly #builds = new Map<string, ReadonlyMap<string, number>>();
  readonly #most: Record<By, Map<string, number>> = { build: new Map(), submission: new Map() };

  constructor(channelVersion: string, definitions: PublishedDefinitions, before: PublishedDefinitions | undefined) {
    this.#channelVersion = channelVersion;
    this.#definitions = definitions;
    this.#before = before;
  }

  /** Takes the noise of a measure. Once all were taken, `add` knows what is usual in this folder. */
  learn(measure: string, rows: SummaryRows): void {
    for (const by of BOTH) for (const seen of noiseOfSeries(this.#series(measure, by, rows))) this.#seen[by].push(seen);
  }

  add(measure: string, rows: SummaryRows): void {
    for (const by of BOTH) {
      const series = this.#series(measure, by, rows);
      for (const { date, submissions } of series.dates) raise(this.#most[by], date, submissions);
      const priors = (this.#priors[by] ??= learnedPriors(this.#seen[by]));
      const { found, testedOn } = changesOfSeries(series, priors);
      for (const change of found) this.#found.push(change);
      for (const date of testedOn) this.#tested.set(family(by, date), (this.#tested.get(family(by, date)) ?? 0) + 1);
      if (by === 'build')
        this.#builds.set(measure, new Map(series.dates.map((dated) => [dated.date, dated.submissions])));
    }
  }

  #series(measure: string, by: By, rows: SummaryRows): Series {
    const dates = datedCounts(rows[by]);
    const scale = scaleOf(this.#definitions.get(measure), dates[0]?.counts.length ?? 0);
    return { channelVersion: this.#channelVersion, measure, by, scale, dates, latest: latestDate(rows.submission) };
  }

  /** @param known changes of the folder before: those that are found again keep their ids */
  end(known: readonly Change[]): FolderChanges {
    const discoveries = this.#found.map(({ by, seenOn, pValue }) => ({ family: family(by, seenOn), pValue }));
    const corrected = qValues(discoveries, this.#tested);
    const moved = this.#found.flatMap(({ seenOn, ...change }, index) => {
      const qValue = corrected[index] ?? 1;
      return qValue > MAX_FALSE ? [] : [withKnownDate({ ...change, qValue }, known)];
    });
    const unique = new Map<string, Change>();
    for (const change of [...moved, ...this.#presence(known)])
      if (!unique.has(change.id)) unique.set(change.id, change);
    const changes = [...unique.values()].toSorted(newestFirst);
    const days = [...this.#most.submission].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-SUBMISSION_DAYS);
    return { changes: changes.slice(0, MAX_OF_ONE), found: changes.length, submissions: Object.fromEntries(days) };
  }

  #presence(known: readonly Change[]): Change[] {
    const rebucketed = new Map(
      known.flatMap((change) => (change.kind === 'buckets' ? [[change.measure, change]] : [])),
    );
    const all = ripe(this.#most.build);
    const oldest = all[0]?.[0] ?? '';
    return [...this.#builds].flatMap(([measure, counts]) => {
      const earlier = rebucketed.get(measure);
      const rebucket = this.#hasOtherBuckets(measure)
        ? otherBuckets(this.#channelVersion, measure, counts)
        : earlier !== undefined && earlier.date >= oldest
          ? earlier
          : undefined;
      return rebucket ?? presenceOf(this.#channelVersion, measure, counts, all) ?? [];
    });
  }

  #hasOtherBuckets(measure: string): boolean {
    const before = this.#before?.get(measure);
    const now = this.#definitions.get(measure);
    if (before === undefined || now === undefined) return false;
    const [old, current] = [bucketsOf(before).bounds, bucketsOf(now).bounds];
    return old !== undefined && current !== undefined && old.length !== current.length;
  }
}

/** Clocks and time zones allow a build of the day after its submission, and no later one. */
function latestDate(submissions: SummaryRows['submission']): string | undefined {
  let newest: string | undefined;
  for (const day of submissions.keys()) if (newest === undefined || day > newest) newest = day;
  return newest === undefined ? undefined : dayAfter(newest);
}

function datedCounts(rows: ReadonlyMap<string, readonly number[]>): DatedCounts[] {
  return [...rows]
    .map(([date, row]) => ({
      date,
      counts: row.slice(0, -TRAILER),
      sum: row.at(-TRAILER) ?? -1,
      submissions: row.at(-1) ?? 0,
    }))
    .toSorted((a, b) => (a.date < b.date ? -1 : 1));
}

/** Where no definition fits the rows, buckets are values of their own. */
function scaleOf(definition: RawDefinition | undefined, buckets: number): Scale {
  const bounds = definition === undefined ? undefined : bucketsOf(definition).bounds;
  if (definition !== undefined && bounds?.length === buckets) return { kind: definition.kind, bounds };
  return { kind: 'enumerated', bounds: Array.from({ length: buckets }, (_, index) => index) };
}

/** Build dates that enough people have, as for a series of its own. */
function ripe(most: ReadonlyMap<string, number>): (readonly [string, number])[] {
  const all = [...most].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { dates } = comparableDates(all.map(([date, submissions]) => ({ date, submissions, counts: [1], sum: -1 })));
  return dates.map(({ date, submissions }) => [date, submissions] as const);
}

function family(by: By, date: string): string {
  return `${by}/${date}`;
}

function raise(most: Map<string, number>, date: string, submissions: number): void {
  if (submissions > (most.get(date) ?? 0)) most.set(date, submissions);
}

function withKnownDate(change: Change, known: readonly Change[]): Change {
  const { measure, kind, by, direction } = change;
  if (measure === null || !(kind === 'step' || kind === 'spike' || kind === 'drift')) return change;
  const same = known.find(
    (other) =>
      other.measure === measure &&
      other.kind === kind &&
      other.by === by &&
      other.direction === direction &&
      Math.abs((dayNumber(other.date) ?? 0) - (dayNumber(change.date) ?? 0)) <= SAME[kind],
  );
  if (same === undefined) return change;
  const dated = { ...change, measure, kind, date: same.date };
  return { ...dated, id: changeId(dated), text: changeText(dated) };
}

/** The changes that the summaries of one folder show, all its measures together. */
import { bucketsOf } from '../../histograms/buckets.ts';
import type { By, Change } from './change.ts';
import { MAX_OF_ONE, newestFirst } from './changes-document.ts';
import { comparableDates } from './dated-counts.ts';
import { MAX_FALSE, qValues } from './false-discovery.ts';
import { learnedPriors, type NoisePriors, type ShownNoise } from './noise-prior.ts';
import { family, withKnownDate } from './known-changes.ts';
import { otherBuckets, presenceOf } from './presence.ts';
import { changesOfSeries, type FoundChange, noiseOfSeries } from './series-changes.ts';
import { BOTH, type PublishedDefinitions, seriesOf, type SummaryRows } from './measure-series.ts';

export interface FolderChanges {
  /** Newest first. */
  readonly changes: readonly Change[];
  /** How many there are; of a flood the newest are in `changes`. */
  readonly found: number;
  /** By day of submission: of the measure that most submissions have. */
  readonly submissions: Readonly<Record<string, number>>;
  /** How many series were tested, by family. */
  readonly tested: ReadonlyMap<string, number>;
  /** Measures with the most submissions, most first. */
  readonly largest: readonly string[];
}

/** Measures whose largest parts are looked at as well. */
const WATCHED_MEASURES = 20;
/** Days of submission that silence is judged by. */
const SUBMISSION_DAYS = 45;
/** Takes the measures one by one. */
export class FolderLook {
  readonly #channelVersion: string;
  readonly #definitions: PublishedDefinitions;
  /** Of the folder before; undefined when it is gone. */
  readonly #before: PublishedDefinitions | undefined;
  readonly #seen: Record<By, ShownNoise[]> = { build: [], submission: [] };
  readonly #priors: Partial<Record<By, NoisePriors>> = {};
  readonly #found: FoundChange[] = [];
  readonly #totals = new Map<string, number>();
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
    for (const by of BOTH)
      for (const seen of noiseOfSeries(
        seriesOf(this.#channelVersion, this.#definitions.get(measure), { measure, by, rows }),
      ))
        this.#seen[by].push(seen);
  }

  add(measure: string, rows: SummaryRows): void {
    for (const by of BOTH) {
      const series = seriesOf(this.#channelVersion, this.#definitions.get(measure), { measure, by, rows });
      for (const { date, submissions } of series.dates) raise(this.#most[by], date, submissions);
      raise(
        this.#totals,
        measure,
        series.dates.reduce((sum, { submissions }) => sum + submissions, 0),
      );
      const priors = (this.#priors[by] ??= learnedPriors(this.#seen[by]));
      const { found, testedOn } = changesOfSeries(series, priors);
      for (const change of found) this.#found.push(change);
      for (const date of testedOn) this.#tested.set(family(by, date), (this.#tested.get(family(by, date)) ?? 0) + 1);
      if (by === 'build')
        this.#builds.set(measure, new Map(series.dates.map((dated) => [dated.date, dated.submissions])));
    }
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
    return {
      changes: changes.slice(0, MAX_OF_ONE),
      found: changes.length,
      submissions: Object.fromEntries(days),
      tested: this.#tested,
      largest: this.#largest(),
    };
  }

  #largest(): string[] {
    return [...this.#totals]
      .toSorted(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1))
      .slice(0, WATCHED_MEASURES)
      .map(([measure]) => measure);
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

/** Build dates that enough people have, as for a series of its own. */
function ripe(most: ReadonlyMap<string, number>): (readonly [string, number])[] {
  const all = [...most].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { dates } = comparableDates(all.map(([date, submissions]) => ({ date, submissions, counts: [1], sum: -1 })));
  return dates.map(({ date, submissions }) => [date, submissions] as const);
}

function raise(most: Map<string, number>, date: string, submissions: number): void {
  if (submissions > (most.get(date) ?? 0)) most.set(date, submissions);
}

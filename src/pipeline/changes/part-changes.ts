/**
 * The changes of the largest parts of one folder, and the parts where most of a change of all submissions is
 * (docs/changes.md 1).
 */
import { dayNumber } from '../calendar-day.ts';
import type { By, Change } from './change.ts';
import { partText } from './change-text.ts';
import { MAX_FALSE, qValues } from './false-discovery.ts';
import { family, SAME_DAYS, withKnownDate } from './known-changes.ts';
import { type FilteredRows, largestParts, type Part, type PartsOfIds, rowsOfParts } from './largest-parts.ts';
import { BOTH, type PublishedDefinitions, seriesOf } from './measure-series.ts';
import { learnedPriors, type ShownNoise } from './noise-prior.ts';
import { changesOfSeries, type FoundChange, noiseOfSeries, relativeOf, type Series } from './series-changes.ts';
import { sideOf } from './side.ts';

/** Most of a change is in a part that moved by so many times as much as every other. */
const MOST = 2;

interface PartSeries {
  readonly part: Part;
  readonly series: Series;
  /** Whether changes of its own are told. */
  readonly isWatched: boolean;
}

/** Takes the measures one by one; the first decides which parts are the largest. */
export class PartLook {
  readonly #channelVersion: string;
  readonly #definitions: PublishedDefinitions;
  readonly #ids: PartsOfIds;
  readonly #series: PartSeries[] = [];
  #parts: readonly Part[] | undefined;

  constructor(channelVersion: string, definitions: PublishedDefinitions, ids: PartsOfIds) {
    this.#channelVersion = channelVersion;
    this.#definitions = definitions;
    this.#ids = ids;
  }

  /** @param isWatched false: only to say where a change of all submissions is */
  add(measure: string, rows: FilteredRows, isWatched: boolean): void {
    this.#parts ??= largestParts(rows, this.#ids);
    const ofParts = rowsOfParts(measure, rows, this.#ids, this.#parts);
    for (const [place, part] of this.#parts.entries())
      for (const by of BOTH) {
        const own = ofParts[place];
        if (own === undefined) continue;
        const facts = { measure, by, rows: own, filter: part };
        const series = seriesOf(this.#channelVersion, this.#definitions.get(measure), facts);
        this.#series.push({ part, series, isWatched });
      }
  }

  /**
   * @param whole changes of all submissions
   * @param tested how many series of all submissions each family has
   * @param known changes of the folder before
   * @returns `whole` with the parts where most of it is, and the changes that the parts have of their own
   */
  end(whole: readonly Change[], tested: ReadonlyMap<string, number>, known: readonly Change[]): Change[] {
    return [...whole.map((change) => this.#placed(change)), ...this.#own(whole, tested, known)];
  }

  #own(whole: readonly Change[], tested: ReadonlyMap<string, number>, known: readonly Change[]): Change[] {
    const watched = this.#series.filter(({ isWatched }) => isWatched);
    const seen: Record<By, ShownNoise[]> = { build: [], submission: [] };
    for (const { series } of watched) seen[series.by].push(...noiseOfSeries(series));
    const priors = { build: learnedPriors(seen.build), submission: learnedPriors(seen.submission) };
    const found: FoundChange[] = [];
    // With the series of all submissions, since they are looked at in the same look.
    const all = new Map(tested);
    for (const { series } of watched) {
      const { found: ofOne, testedOn } = changesOfSeries(series, priors[series.by]);
      found.push(...ofOne);
      for (const date of testedOn) all.set(family(series.by, date), (all.get(family(series.by, date)) ?? 0) + 1);
    }
    const corrected = qValues(
      found.map(({ by, seenOn, pValue }) => ({ family: family(by, seenOn), pValue })),
      all,
    );
    return found.flatMap(({ seenOn, ...change }, index) => {
      const qValue = corrected[index] ?? 1;
      if (qValue > MAX_FALSE || whole.some((other) => explains(other, change))) return [];
      return [withKnownDate({ ...change, qValue }, known)];
    });
  }

  #placed(change: Change): Change {
    const { measure, by, kind, relative, value = null, direction } = change;
    if (!(kind === 'step' || kind === 'drift' || kind === 'spike') || relative === null) return change;
    const moves = this.#series
      .filter(({ series }) => series.measure === measure && series.by === by)
      .map(({ part, series: { dates, scale } }) => {
        const on = (wanted: readonly string[]) =>
          sideOf(
            dates.filter(({ date }) => wanted.includes(date)),
            scale,
            value,
          );
        const sides = { before: on(change.before.dates), after: on(change.after.dates) };
        return {
          part,
          size: relativeOf(sides, { name: direction === 'shape' && value === null ? 'spread' : 'location' }),
        };
      })
      .map(({ part, size }) => ({ part, size: (size ?? 0) * Math.sign(relative) }))
      .toSorted((a, b) => b.size - a.size);
    const [first, second] = moves;
    if (first === undefined || second === undefined || first.size < Math.abs(relative)) return change;
    if (moves.slice(1).some(({ size }) => Math.abs(size) * MOST > first.size)) return change;
    return { ...change, mostIn: first.part, text: `${change.text}, most in ${partText(first.part)}` };
  }
}

/** Whether a change of all submissions is the reason for one of a part. */
function explains(whole: Change, { measure, by, date }: Change): boolean {
  if (whole.measure !== measure || whole.by !== by) return false;
  const { kind } = whole;
  if (!(kind === 'step' || kind === 'drift' || kind === 'spike')) return true;
  return Math.abs((dayNumber(whole.date) ?? 0) - (dayNumber(date) ?? 0)) <= SAME_DAYS[kind];
}

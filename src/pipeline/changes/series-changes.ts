/** The changes of one measure by one kind of date. */
import { calendarWeekday } from '../calendar-day.ts';
import { type By, type Change, changeId } from './change.ts';
import { changeText } from './change-text.ts';
import { type ComparableDates, comparableDates, type DatedCounts } from './dated-counts.ts';
import type { Movement } from './movement.ts';
import { range, seenNoise } from './noise.ts';
import { DEFAULT_PRIOR, type NoisePriors, type ShownNoise } from './noise-prior.ts';
import { median } from './robust.ts';
import { type Aspect, scoredSeries, total } from './scores.ts';
import { type Scale, sideOf } from './side.ts';
import { movementsOf, SERIES_ALPHA } from './steps.ts';

export interface Series {
  readonly channelVersion: string;
  readonly measure: string;
  readonly by: By;
  readonly scale: Scale;
  /** Parts of the filter path; all submissions by default. */
  readonly filter?: readonly string[];
  /** Ascending. */
  readonly dates: readonly DatedCounts[];
  /** No date of the series can be later; undefined where that is not known. */
  readonly latest?: string | undefined;
}

/** A change of a series, before it is known how many series were looked at. */
export interface FoundChange extends Change {
  readonly pValue: number;
  /** Date that made it certain. */
  readonly seenOn: string;
}

export interface SeriesChanges {
  readonly found: readonly FoundChange[];
  /** Dates on which something could have been found. */
  readonly testedOn: readonly string[];
}

/** Dates of a series that are looked at: the newest that can be compared. */
const MAX_DATES = 90;
const AFTER = 7;
const MAX_LEFT_OUT = 10;
/** Aspects of one measure that move within so many dates of each other move for one reason. */
const NEAR = 3;
/** Shorter series would tell the others more of their first dates than of their noise. */
const MIN_FOR_OTHERS = 14;
/** With fewer dates nothing is found. */
const MIN_DATES = 6;

/** @param priors of the aspects; the default where there is none */
export function changesOfSeries(series: Series, priors: NoisePriors = new Map()): SeriesChanges {
  const { dates, leftOut } = lookedAt(series);
  if (dates.length < MIN_DATES) return { found: [], testedOn: [] };
  const found = tracksOf(dates, series.scale.kind).flatMap(({ aspect, weight, track }) =>
    movementsOf(track, priors.get(aspect.name) ?? DEFAULT_PRIOR, SERIES_ALPHA * weight).map((movement) => ({
      aspect,
      movement: { ...movement, pValue: Math.min(1, movement.pValue / weight) },
    })),
  );
  const testedOn = dates.slice(MIN_DATES - 1).map(({ date }) => date);
  const toChange = ({ aspect, movement }: Moved): FoundChange => changeOf(series, dates, leftOut, aspect, movement);
  return { found: strongest(found).map(toChange), testedOn };
}

/** How much a series moves, for the prior of the others; nothing of one that is too short to say. */
export function noiseOfSeries(series: Series): ShownNoise[] {
  const { dates } = lookedAt(series);
  if (dates.length < MIN_FOR_OTHERS) return [];
  return tracksOf(dates, series.scale.kind).map(({ aspect: { name }, track }) => ({
    aspect: name,
    seen: seenNoise({ ...track, spikes: new Set(), starts: [0] }),
  }));
}

/** Submitters can invent dates; these must not take the places of real ones. */
function lookedAt({ dates, latest }: Series): ComparableDates {
  return comparableDates(latest === undefined ? dates : dates.filter(({ date }) => date <= latest), MAX_DATES);
}

function tracksOf(dates: readonly DatedCounts[], kind: string) {
  const submissions = dates.map((dated) => dated.submissions);
  const weekdays = dates.map(({ date }) => calendarWeekday(date));
  const hits = median(dates.map((dated) => total(dated.counts) / dated.submissions));
  return scoredSeries(dates, kind).map(({ aspect, values, weight }) => ({
    ...{ aspect, weight },
    track: { values, submissions, hits, weekdays },
  }));
}

interface Moved {
  readonly aspect: Aspect;
  readonly movement: Movement;
}

/** Of aspects that move together the most certain one; location explains more than spread. */
function strongest(found: readonly Moved[]): Moved[] {
  const kept: Moved[] = [];
  const order = ({ aspect, movement }: Moved): number => movement.pValue * (aspect.name === 'spread' ? 1e3 : 1);
  for (const moved of found.toSorted((a, b) => order(a) - order(b)))
    if (kept.every(({ movement }) => Math.abs(movement.at - moved.movement.at) > NEAR)) kept.push(moved);
  return kept;
}

function changeOf(
  { channelVersion, measure, by, scale, filter = [] }: Series,
  dates: readonly DatedCounts[],
  leftOut: readonly string[],
  aspect: Aspect,
  { kind, at, seenAt, before, after, size, pValue }: Movement,
): FoundChange {
  const value = aspect.name === 'share' ? aspect.bucket : null;
  const side = (indices: readonly number[]) =>
    sideOf(
      indices.flatMap((index) => dates[index] ?? []),
      scale,
      value,
    );
  const told = kind === 'step' ? withLater(after, at, dates.length) : after;
  const sides = { before: side(before.slice(-4 * AFTER)), after: side(told) };
  const date = dates[at]?.date ?? '';
  const relative = relativeOf(sides, aspect);
  const facts = {
    ...{ channelVersion, measure, by, filter, date, kind, ...sides, relative, pValue },
    direction: aspect.name === 'location' ? (size > 0 ? 'up' : 'down') : 'shape',
    ...(value !== null && { value }),
  } as const;
  return {
    id: changeId(facts),
    ...facts,
    qValue: null,
    ...(leftOut.length > 0 && { leftOut: leftOut.slice(-MAX_LEFT_OUT) }),
    text: changeText(facts),
    seenOn: dates[seenAt]?.date ?? '',
  };
}

/** Dates that came in later tell more of a step than those that made it certain. */
function withLater(after: readonly number[], at: number, end: number): readonly number[] {
  const later = range(at, Math.min(at + AFTER, end));
  return later.length > after.length ? later : after;
}

export function relativeOf({ before, after }: Pick<Change, 'before' | 'after'>, { name }: Aspect): number | null {
  const member = name === 'spread' ? 'p95' : before.median === null ? 'share' : 'median';
  const [from, to] = [before[member], after[member]];
  return from === null || to === null || from <= 0 ? null : to / from - 1;
}

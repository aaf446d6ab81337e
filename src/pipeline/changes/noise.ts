/**
 * How much a series moves from date to date without anything having changed: estimated from the series itself, and drawn
 * towards what is usual while it is short (docs/changes.md 3).
 */
import { type NoisePrior, posteriorOf, type SeenNoise } from './noise-prior.ts';
import { normalTail } from './probability.ts';
import { mean, median, type NoiseModel, noiseOf, type Residual } from './robust.ts';

/** One series of scores as tests look at it. */
export interface Track {
  readonly values: readonly number[];
  readonly submissions: readonly number[];
  /** Of a submission, typically. */
  readonly hits: number;
  /** 0 to 6. */
  readonly weekdays: readonly number[];
  /** Dates that are spikes: they belong to no baseline. */
  readonly spikes: ReadonlySet<number>;
  /** First date of each stretch between two changes, ascending; the first is 0. */
  readonly starts: readonly number[];
}

export interface Noise {
  /** Effect of each weekday. */
  readonly weekday: readonly number[];
  /** Variance of a date with so many submissions. */
  readonly variance: (submissions: number) => number;
  /** Two-sided p-value of a difference, over what the noise may be: one that is hardly known needs a larger difference. */
  readonly tails: (difference: number, parts: VarianceParts) => number;
  /** As far as it is known. */
  readonly varianceOf: (parts: VarianceParts) => number;
}

/** The variance of a weighted mean: so many times that of the process, and so many times that of one submission. */
export interface VarianceParts {
  readonly process: number;
  readonly sampling: number;
}

/** Dates that noise is estimated from: eight weeks. */
const HISTORY = 56;
const MIN_FOR_WEEKDAYS = 14;
const HALF_WEEK = 3;
/** Before the cycle is known: weekends may differ by 5 % of the standard deviation of the values. */
const UNKNOWN_WEEKDAYS = 0.05 ** 2;
/** Bent residuals say less. */
const EFFICIENCY = 0.8;
/** In standard errors: less correlation than this is taken for chance. */
const CORRELATION_SLACK = 1.5;

/** Below so many standard errors nothing is found, whatever the noise. */
const CLEARLY_NOTHING = 2;

/** @param end first date that is no longer part of the history */
export function noiseBefore(track: Track, end: number, prior: NoisePrior): Noise {
  const { seen, effects, weekdayVariance, inRow } = shownBefore(track, end);
  const posterior = posteriorOf(prior, seen);
  let [process, sampling] = [0, 0];
  for (const one of posterior) {
    process += one.probability * one.process ** 2;
    sampling += one.probability * one.sampling;
  }
  const among = (of: number, from: number, parts: VarianceParts): number => of * parts.process + from * parts.sampling;
  return {
    weekday: effects,
    varianceOf: (parts) => among(process, sampling, parts),
    variance: (submissions) => process + sampling / submissions,
    tails: (difference, parts) => {
      const row = inRow();
      const errors = (of: number, from: number): number =>
        Math.abs(difference) / Math.sqrt(row * among(of, from, parts) + weekdayVariance);
      const usual = errors(process, sampling);
      if (usual < CLEARLY_NOTHING) return 2 * normalTail(usual);
      let pValue = 0;
      for (const one of posterior) pValue += 2 * one.probability * normalTail(errors(one.process ** 2, one.sampling));
      return pValue;
    },
  };
}

/** What the whole series shows of its noise. */
export function seenNoise(track: Track): SeenNoise {
  return shownBefore(track, track.values.length).seen;
}

interface Shown {
  readonly seen: SeenNoise;
  readonly effects: readonly number[];
  /** Of what three dates in a row owe to their weekdays, as far as it is not known. */
  readonly weekdayVariance: number;
  /** How much more the mean of dates in a row varies because neighbours resemble each other; at least 1. */
  readonly inRow: () => number;
}

function shownBefore(track: Track, end: number): Shown {
  const from = Math.max(0, end - HISTORY);
  const dates = range(from, end).filter((index) => !track.spikes.has(index));
  const { effects, variance: weekdayVariance, spent } = weekdayEffects(track, dates);
  const adjusted = (index: number): number => (track.values[index] ?? 0) - (effects[track.weekdays[index] ?? 0] ?? 0);
  const stretches = stretchesOf(track, dates);
  const lost = (stretches.length + spent) / Math.max(dates.length, 1);
  const levels = noiseOf(fromLevels(track, stretches, adjusted), Math.min(lost, 0.9));
  const submissions = dates.length === 0 ? 1 : median(dates.map((index) => track.submissions[index] ?? 1));
  const varianceOf = ({ process, sampling }: NoiseModel): number => process + sampling / submissions;
  const variance = varianceOf(levels);
  const freedom = EFFICIENCY * Math.max(0, dates.length - stretches.length - spent);
  return {
    seen: { variance, submissions, hits: track.hits, freedom },
    effects,
    weekdayVariance,
    inRow: () => {
      const neighbours = noiseOf(differences(track, stretches, adjusted), spent / Math.max(dates.length, 1));
      const alike = 1 - varianceOf(neighbours) / variance;
      return ofThreeInRow(alike - CORRELATION_SLACK / Math.sqrt(Math.max(dates.length, 1)));
    },
  };
}

/** The dates by stretch; stretches of one date say nothing about noise. */
function stretchesOf({ starts }: Track, dates: readonly number[]): number[][] {
  const stretches: number[][] = [];
  for (const [which, start] of starts.entries()) {
    const end = starts[which + 1] ?? Infinity;
    const inside = dates.filter((index) => index >= start && index < end);
    if (inside.length > 1) stretches.push(inside);
  }
  return stretches;
}

function differences(
  { submissions }: Track,
  stretches: readonly (readonly number[])[],
  adjusted: (index: number) => number,
): Residual[] {
  return stretches.flatMap((dates) =>
    dates.slice(1).map((index, before) => {
      const previous = dates[before] ?? 0;
      const sampling = 1 / (submissions[index] ?? 1) + 1 / (submissions[previous] ?? 1);
      return { square: (adjusted(index) - adjusted(previous)) ** 2, sampling, times: 2 };
    }),
  );
}

function fromLevels(
  { submissions }: Track,
  stretches: readonly (readonly number[])[],
  adjusted: (index: number) => number,
): Residual[] {
  return stretches.flatMap((dates) => {
    const level = median(dates.map(adjusted));
    return dates.map((index) => {
      const sampling = 1 / (submissions[index] ?? 1);
      return { square: (adjusted(index) - level) ** 2, sampling, times: 1 };
    });
  });
}

interface Effects {
  /** By weekday. */
  readonly effects: readonly number[];
  /** Of what three dates in a row owe to them. */
  readonly variance: number;
  /** Degrees of freedom. */
  readonly spent: number;
}

/**
 * Classical decomposition: how far each weekday is from the mean of the week around it; weekends against weekdays first,
 * then single days.
 */
function weekdayEffects({ values, weekdays }: Track, dates: readonly number[]): Effects {
  const unknown = { effects: new Array<number>(7).fill(0), variance: UNKNOWN_WEEKDAYS, spent: 0 };
  if (dates.length < MIN_FOR_WEEKDAYS) return unknown;
  const residuals = dates.map((index, place) => {
    let [sum, near] = [0, 0];
    for (
      let other = Math.max(0, place - HALF_WEEK);
      other <= Math.min(dates.length - 1, place + HALF_WEEK);
      other += 1
    ) {
      sum += values[dates[other] ?? 0] ?? 0;
      near += 1;
    }
    return (values[index] ?? 0) - sum / near;
  });
  const days = dates.map((index) => weekdays[index] ?? 0);
  const counts = new Array<number>(7).fill(0);
  for (const day of days) counts[day] = (counts[day] ?? 0) + 1;
  if (counts.some((count) => count === 1)) return unknown;
  const weekend = shrunkEffects(
    residuals,
    days.map((day) => (isWeekend(day) ? 1 : 0)),
    2,
  );
  const ofWeekend = range(0, 7).map((day) => weekend.effects[isWeekend(day) ? 1 : 0] ?? 0);
  const single = shrunkEffects(
    residuals.map((residual, place) => residual - (ofWeekend[days[place] ?? 0] ?? 0)),
    days,
    7,
  );
  return {
    effects: ofWeekend.map((effect, day) => effect + (single.effects[day] ?? 0)),
    variance: weekend.variance + single.variance / 3,
    spent: weekend.spent + single.spent,
  };
}

function isWeekend(day: number): boolean {
  return day === 0 || day === 6;
}

/**
 * Mean residual of each group. Effects that noise alone could make are shrunk (James and Stein), so a series without a
 * weekly cycle loses next to nothing.
 */
function shrunkEffects(residuals: readonly number[], groupOf: readonly number[], groups: number): Effects {
  const members = range(0, groups).map(() => [] as number[]);
  for (const [place, residual] of residuals.entries()) members[groupOf[place] ?? 0]?.push(residual);
  const raw = members.map((ofGroup) => (ofGroup.length === 0 ? 0 : trimmedMean(ofGroup)));
  const filled = members.filter((ofGroup) => ofGroup.length > 0).length;
  let [between, within] = [0, 0];
  for (const [group, ofGroup] of members.entries()) {
    const effect = raw[group] ?? 0;
    between += ofGroup.length * effect * effect;
    for (const residual of ofGroup) within += (residual - effect) ** 2;
  }
  within /= Math.max(1, residuals.length - filled);
  const kept = between === 0 ? 0 : Math.max(0, 1 - (within * Math.max(1, filled - 1)) / between);
  return {
    effects: raw.map((effect) => effect * kept),
    variance: (kept ** 2 * within * filled) / residuals.length,
    spent: kept * (filled - 1),
  };
}

/** Without the largest and the smallest, where enough are left. */
function trimmedMean(values: readonly number[]): number {
  if (values.length < 5) return mean(values);
  let [sum, least, most] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return (sum - least - most) / (values.length - 2);
}

/** Variance of the mean of three of a first-order autoregression, against that of three independent ones. */
function ofThreeInRow(correlation: number): number {
  const r = Math.min(0.8, Math.max(0, correlation));
  return 1 + (4 * r + 2 * r * r) / 3;
}

export function adjustedAt({ values, weekdays }: Track, noise: Noise, index: number): number {
  return (values[index] ?? 0) - (noise.weekday[weekdays[index] ?? 0] ?? 0);
}

export function range(from: number, end: number): number[] {
  const indices: number[] = [];
  for (let index = from; index < end; index += 1) indices.push(index);
  return indices;
}

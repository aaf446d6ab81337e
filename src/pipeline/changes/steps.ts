/**
 * Steps, spikes and drifts of one series of scores, looked for as the dates came in: each decision uses only dates up to
 * the one that made it possible (docs/changes.md 4).
 */
import { driftAt } from './drift.ts';
import type { Movement } from './movement.ts';
import { adjustedAt, type Noise, noiseBefore, range, type Track, type VarianceParts } from './noise.ts';
import type { NoisePrior } from './noise-prior.ts';
import { huberMean, median } from './robust.ts';
import { cameSlowly } from './shape.ts';

/** What a series may spend at one date; the family of the commit decides as well (`false-discovery.ts`). */
export const SERIES_ALPHA = 3e-5;
/** Smaller ones are of no use to anybody, however certain. */
const MIN_SIZE = 0.01;
/** A change has to last so many dates, and is looked for until it has lasted this long. */
export const PERSISTENCE = 3;
const LONGEST = 7;
const BASELINE = 28;
const MIN_BASELINE = 3;
/** Each date of the changed ones lies at least so far in the direction of the change. */
const EACH_OF_THEM = 0.25;
/** What the others show without the one that shows it most. */
const OTHERS_ALPHA = 0.05;
/** A second build may be odd: so many times as far from the level as usual. */
const ODD = 2;
const DRIFT_BEFORE = 18;
const WEEK = 7;
/** In dates. */
const GOES_ON = 21;
/** A second step of less than this part of the first is its rest: three dates show a level roughly. */
const REST = 1 / 2;
const SPIKE_HISTORY = 21;
/** Single builds are odd more often than their noise says, and nothing follows from it: a spike must be large and clear. */
const MIN_SPIKE = 0.08;
const SPIKE_ALPHA = 1 / 200;

/** @returns ascending by the date that made them certain */
export function movementsOf(
  series: Omit<Track, 'spikes' | 'starts'>,
  prior: NoisePrior,
  alpha = SERIES_ALPHA,
): Movement[] {
  const starts = [0];
  const spikes = new Set<number>();
  const found: Movement[] = [];
  for (let now = MIN_BASELINE + PERSISTENCE - 1; now < series.values.length; now += 1) {
    const track = { ...series, spikes, starts };
    const noise = noiseBefore(track, now - PERSISTENCE + 1, prior);
    const step = stepAt(track, noise, now, alpha);
    const movement = step === undefined ? otherAt(track, noise, now, alpha) : slowOr(step, track, noise);
    if (movement === undefined) continue;
    note(found, movement);
    if (movement.kind === 'spike') for (const index of movement.after) spikes.add(index);
    else starts.push(movement.kind === 'drift' ? now - PERSISTENCE + 1 : movement.at);
  }
  return found;
}

function otherAt(track: Track, noise: Noise, now: number, alpha: number): Movement | undefined {
  return spikeAt(track, noise, now, alpha) ?? driftAt(track, noise, now, alpha);
}

/** Two levels may be all that a test sees of a slow change. */
function slowOr(step: Movement, track: Track, noise: Noise): Movement {
  const before = step.before.slice(-DRIFT_BEFORE);
  const dates = [...before, ...step.after];
  const values = dates.map((index) => adjustedAt(track, noise, index));
  if (!cameSlowly(values, before.length)) return step;
  return { ...step, kind: 'drift', at: dates[0] ?? 0, before: dates.slice(0, WEEK), after: dates.slice(-WEEK) };
}

/** A drift that goes on is one change, and so are steps in one direction that follow each other: a drift, unless one is all. */
function note(found: Movement[], movement: Movement): void {
  const last = found.at(-1);
  if (last === undefined || !goesOn(last, movement)) {
    found.push(movement);
    return;
  }
  const isRest = movement.kind === 'step' && Math.abs(movement.size) < REST * Math.abs(last.size);
  const kind = isRest ? last.kind : 'drift';
  found[found.length - 1] = { ...last, kind, after: movement.after, size: last.size + movement.size };
}

function goesOn(last: Movement, next: Movement): boolean {
  if (last.kind === 'spike' || next.kind === 'spike' || Math.sign(last.size) !== Math.sign(next.size)) return false;
  const apart = next.kind === 'step' && last.kind === 'step' ? WEEK : GOES_ON;
  return next.seenAt - (last.after.at(-1) ?? 0) <= apart;
}

/** The level before a date, and how far the dates from there on are from it. */
interface Contrast {
  readonly before: readonly number[];
  readonly level: number;
  readonly size: number;
  readonly deviations: readonly number[];
  readonly parts: VarianceParts;
  readonly pValue: number;
}

function stepAt(track: Track, noise: Noise, now: number, alpha: number): Movement | undefined {
  let best: Movement | undefined;
  for (let length = PERSISTENCE; length <= LONGEST; length += 1) {
    const at = now - length + 1;
    const after = range(at, now + 1).filter((index) => !track.spikes.has(index));
    const contrast = contrastOf(track, noise, at, after);
    if (contrast === undefined) break;
    const { before, size, deviations, pValue } = contrast;
    if (pValue > Math.min(alpha, best?.pValue ?? 1) || Math.abs(size) < MIN_SIZE) continue;
    if (!lasts(deviations, size) || !isOfAll(track, noise, at, after, contrast)) continue;
    best = { kind: 'step', at, seenAt: now, before, after, size, pValue };
  }
  return best;
}

function lasts(deviations: readonly number[], size: number): boolean {
  const near = deviations.filter((deviation) => deviation / size < EACH_OF_THEM).length;
  return near <= (deviations.length >= 5 ? 1 : 0) && (deviations[0] ?? 0) / size >= EACH_OF_THEM;
}

/** Whether the change is still there without the date that shows it most. */
function isOfAll(
  track: Track,
  noise: Noise,
  at: number,
  after: readonly number[],
  { deviations, size }: Contrast,
): boolean {
  const most = deviations.indexOf(size > 0 ? Math.max(...deviations) : Math.min(...deviations));
  const others = contrastOf(track, noise, at, after.toSpliced(most, 1));
  if (others === undefined) return false;
  const { process, sampling } = others.parts;
  return noise.tails(others.size, { process: ODD ** 2 * process, sampling }) <= OTHERS_ALPHA;
}

/** One or two dates far from the level, with the two dates after them back at it. */
function spikeAt(track: Track, noise: Noise, now: number, alpha: number): Movement | undefined {
  for (const width of [1, 2]) {
    const at = now - width - 1;
    const after = range(at, at + width);
    if (after.some((index) => track.spikes.has(index))) continue;
    const contrast = contrastOf(track, noise, at, after);
    if (contrast === undefined) return undefined;
    const { before, size, level, deviations, pValue } = contrast;
    if (pValue > alpha * SPIKE_ALPHA || Math.abs(size) < MIN_SPIKE) continue;
    const usual = Math.max(...residualsOf(track, noise, before.slice(-SPIKE_HISTORY)).map(Math.abs));
    const isFar = deviations.every((deviation) => deviation / size > 0.5 && Math.abs(deviation) > 2 * usual);
    const isBack = range(at + width, now + 1).every((index) => (adjustedAt(track, noise, index) - level) / size < 0.3);
    if (isFar && isBack) return { kind: 'spike', at, seenAt: now, before, after, size, pValue };
  }
  return undefined;
}

function residualsOf(track: Track, noise: Noise, dates: readonly number[]): number[] {
  const adjusted = dates.map((index) => adjustedAt(track, noise, index));
  const level = median(adjusted);
  return adjusted.map((value) => value - level);
}

/** Undefined where there are too few dates before. */
function contrastOf(track: Track, noise: Noise, at: number, after: readonly number[]): Contrast | undefined {
  const start = track.starts.findLast((first) => first <= at) ?? 0;
  const before = range(Math.max(start, at - BASELINE), at).filter((index) => !track.spikes.has(index));
  if (before.length < MIN_BASELINE || after.length === 0) return undefined;
  const adjusted = before.map((index) => adjustedAt(track, noise, index));
  const now = weightedMean(track, noise, after);
  if (isNear(noise, now, median(adjusted))) return { before, ...NO_CONTRAST };
  const level = huberMean(
    adjusted,
    before.map((index) => noise.variance(track.submissions[index] ?? 1)),
  );
  const size = now.mean - level.mean;
  const was = weightedMean(track, noise, before);
  // Dates that Huber's mean bends say nothing of the level.
  const bent = before.length / level.unbent;
  const parts = { process: now.process + bent * was.process, sampling: now.sampling + bent * was.sampling };
  const deviations = after.map((index) => adjustedAt(track, noise, index) - level.mean);
  return { before, level: level.mean, size, deviations, parts, pValue: noise.tails(size, parts) };
}

const NO_CONTRAST = { level: NaN, size: 0, deviations: [], parts: { process: 0, sampling: 0 }, pValue: 1 };
/** In standard errors. */
const NEAR = 1.5;

/** Spares most dates the rest: nothing is found so near to the level. */
function isNear(noise: Noise, now: WeightedMean, level: number): boolean {
  return (now.mean - level) ** 2 < NEAR ** 2 * noise.varianceOf(now);
}

interface WeightedMean extends VarianceParts {
  readonly mean: number;
}

function weightedMean(track: Track, noise: Noise, dates: readonly number[]): WeightedMean {
  let [sum, weights, process, sampling] = [0, 0, 0, 0];
  for (const index of dates) {
    const submissions = track.submissions[index] ?? 1;
    const weight = 1 / noise.variance(submissions);
    sum += weight * adjustedAt(track, noise, index);
    weights += weight;
    process += weight * weight;
    sampling += (weight * weight) / submissions;
  }
  return { mean: sum / weights, process: process / weights ** 2, sampling: sampling / weights ** 2 };
}

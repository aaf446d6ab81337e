/**
 * What noise is usual: how much builds differ, and how far the hits of a submission resemble each other. The measures of
 * a folder tell each other (docs/changes.md 3), because the few dates of one series say little about its own noise.
 */
import type { Aspect } from './scores.ts';

/** Variance of a date: process² + sampling / submissions. */
interface Atom {
  /** Standard deviation of what builds add. */
  readonly process: number;
  /** 0: hits are independent of each other; 1: those of one submission are all alike. */
  readonly alike: number;
}

/** Probability of each of `ATOMS`. */
export type NoisePrior = Float64Array;

/** The noise of one series as its own dates show it. */
export interface SeenNoise {
  /** Variance of a date with so many submissions. */
  readonly variance: number;
  readonly submissions: number;
  /** Of a submission. */
  readonly hits: number;
  /** Degrees of freedom of the variance. */
  readonly freedom: number;
}

/** Scores have a standard deviation of 1, so that builds cannot differ by more. */
const PROCESSES = { least: 0.0025, most: 1, times: 1.15 } as const;
const ALIKE = [0, 1 / 3, 2 / 3, 1] as const;
const ATOMS: readonly Atom[] = atoms();

/** Before anything is known: builds differ by 1 % of the standard deviation of their values, give or take. */
const USUAL_PROCESS = 0.01;
/** Of Student's distribution: its tails leave room for builds that differ by 10 %. */
const USUAL_FREEDOM = 2;
export const DEFAULT_PRIOR = defaultPrior();
/** The default counts as so many measures, or as this part of them: a noise that no other measure has stays possible. */
const DEFAULT_COUNTS = { least: 10, part: 0.1 } as const;
const ROUNDS = 20;
const MIN_PROBABILITY = 1e-9;

/** What the variance of a series may be. */
export interface NoisePosterior {
  readonly probability: number;
  readonly process: number;
  /** 1: submissions are worth one independent hit. */
  readonly sampling: number;
}

export function posteriorOf(prior: NoisePrior, seen: SeenNoise): NoisePosterior[] {
  return weighed(prior, seen).flatMap((probability, index) => {
    const { process = 0, alike = 1 } = ATOMS[index] ?? {};
    return probability < MIN_PROBABILITY ? [] : [{ probability, process, sampling: samplingOf(alike, seen.hits) }];
  });
}

/**
 * The distribution of noise that makes what the measures show most likely: the EM algorithm on a grid (Laird 1978), drawn
 * towards the default.
 */
function learnedPrior(measures: readonly SeenNoise[]): NoisePrior {
  const { least, part } = DEFAULT_COUNTS;
  const counted = Math.max(least, part * measures.length);
  let prior = DEFAULT_PRIOR;
  for (let round = 0; round < ROUNDS && measures.length > 0; round += 1) {
    const sums = DEFAULT_PRIOR.map((probability) => counted * probability);
    for (const seen of measures) {
      const weights = weighed(prior, seen);
      for (let index = 0; index < sums.length; index += 1) sums[index] = (sums[index] ?? 0) + (weights[index] ?? 0);
    }
    prior = sums.map((sum) => sum / (counted + measures.length));
  }
  return prior;
}

/** Priors of the aspects that measures are looked at for. */
export type NoisePriors = ReadonlyMap<Aspect['name'], NoisePrior>;

export interface ShownNoise {
  readonly aspect: Aspect['name'];
  readonly seen: SeenNoise;
}

/** @param shown by all series of one kind of date */
export function learnedPriors(shown: readonly ShownNoise[]): NoisePriors {
  const byAspect = Map.groupBy(shown, ({ aspect }) => aspect);
  return new Map([...byAspect].map(([aspect, all]) => [aspect, learnedPrior(all.map((one) => one.seen))]));
}

/** Bayes: the variance that was seen has the distribution of a mean of squares. */
function weighed(prior: NoisePrior, { variance: seen, submissions, hits, freedom }: SeenNoise): number[] {
  const logs: number[] = [];
  let most = -Infinity;
  for (let index = 0; index < ATOMS.length; index += 1) {
    const { process = 0, alike = 1 } = ATOMS[index] ?? {};
    const variance = process ** 2 + samplingOf(alike, hits) / submissions;
    const log = Math.log(prior[index] ?? 0) - (freedom / 2) * (Math.log(variance / seen) + seen / variance);
    logs.push(log);
    if (log > most) most = log;
  }
  let sum = 0;
  for (let index = 0; index < logs.length; index += 1) {
    const weight = Math.exp((logs[index] ?? 0) - most);
    logs[index] = weight;
    sum += weight;
  }
  return logs.map((weight) => weight / sum);
}

function samplingOf(alike: number, hits: number): number {
  const independent = 1 / Math.max(1, hits);
  return independent + alike * (1 - independent);
}

function atoms(): Atom[] {
  const { least, most, times } = PROCESSES;
  const result: Atom[] = [];
  for (let process: number = least; process <= most; process *= times)
    for (const alike of ALIKE) result.push({ process, alike });
  return result;
}

function defaultPrior(): NoisePrior {
  const density = ({ process }: Atom): number =>
    process * (1 + (process / USUAL_PROCESS) ** 2 / USUAL_FREEDOM) ** (-(USUAL_FREEDOM + 1) / 2);
  const sum = ATOMS.reduce((all, atom) => all + density(atom), 0);
  return Float64Array.from(ATOMS, (atom) => density(atom) / sum);
}

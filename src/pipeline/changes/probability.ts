/** Tails of the normal distribution, and its quantile. */

/** P(Z > z); relative error below 1e-7 down to the smallest doubles (Numerical Recipes 6.2.2, Chebyshev fit of erfc). */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const tail = 0.5 * t * Math.exp(-x * x + ERFC.reduceRight((sum, term) => sum * t + term, 0));
  return z >= 0 ? tail : 1 - tail;
}

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];

/** z with P(Z < z) = p, for 0 < p < 1: Acklam's approximation with one step of Halley's method. */
export function normalQuantile(p: number): number {
  const guess = p < 0.5 ? -upperGuess(p) : upperGuess(1 - p);
  const error = (1 - normalTail(guess) - p) * Math.sqrt(2 * Math.PI) * Math.exp((guess * guess) / 2);
  return guess - error / (1 + (guess * error) / 2);
}

/** z with P(Z > z) = p, for p up to a half; absolute error below 4.5e-4 (Abramowitz and Stegun 26.2.23). */
function upperGuess(p: number): number {
  const t = Math.sqrt(-2 * Math.log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - above / below;
}

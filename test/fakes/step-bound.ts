/**
 * The share of steps that any rule can find within three dates: one that knows the shape of the values, the noise of the
 * series and the date of the step, and looks at nothing but the level (docs/changes.md 6).
 */
import { normalTail } from '../../src/pipeline/changes/probability.ts';
import { bucketShares, SLOW, TYPICAL } from './generated-series.ts';
import type { PlantedSeries } from './change-scenarios.ts';

/** Standard errors that one false alarm in 2,000 measure-weeks asks for: 28,000 dates of two series, both ways. */
const CRITICAL = 4.13;
const DATES = 3;
const BASELINE = 28;
const STEP = 1e-4;

/** Probability of finding a step of a plain series. */
export function mostPower({ spread, worth, effect, submissions, change }: PlantedSeries): number {
  const { share } = SLOW;
  const location = Math.log(TYPICAL);
  const shares = bucketShares(location, spread, share);
  const slope = (moved: readonly number[]): number[] =>
    moved.map((one, bucket) => (one - (shares[bucket] ?? 0)) / STEP);
  const byLocation = slope(bucketShares(location + STEP, spread, share));
  const bySlow = slope(bucketShares(location, spread, share + STEP));
  const fisher = (a: readonly number[], b: readonly number[]): number =>
    shares.reduce((sum, one, bucket) => sum + ((a[bucket] ?? 0) * (b[bucket] ?? 0)) / one, 0);
  const [both, ofLocation, ofSlow] = [
    fisher(byLocation, bySlow),
    fisher(byLocation, byLocation),
    fisher(bySlow, bySlow),
  ];
  const scale = (ofLocation * ofSlow - both ** 2) * submissions * worth;
  // What the date itself adds, and what its hits do not tell: of the level, of the share of slow machines, of both.
  const level = ofSlow / scale + effect ** 2;
  const slow = ofLocation / scale + SLOW.varies ** 2;
  const variance = level - (both / scale) ** 2 / slow;
  const before = Math.min(BASELINE, change.at);
  const errors = Math.abs(Math.log(1 + change.size)) / Math.sqrt(variance * (1 / DATES + 1 / before));
  return normalTail(CRITICAL - errors);
}

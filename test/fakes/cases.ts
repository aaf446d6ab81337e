import { atScale } from './at-scale.ts';

/**
 * How many made-up cases a property is tried with: all with TELEMETRY_PROPERTIES=full, as in `.ci/run`; otherwise a tenth,
 * and a fortieth in `npm test` and its folders.
 */
export function cases(full: number): number {
  if (process.env['TELEMETRY_PROPERTIES'] === 'full') return full;
  return Math.ceil(full / (atScale ? 10 : 40));
}

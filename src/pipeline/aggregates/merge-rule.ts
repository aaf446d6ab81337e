/**
 * The merge rule of two rows of one length (docs/formats/results.md 4.3): buckets and counts add, a statistic of −1 is
 * missing and yields to a recorded one, the highest build id sets the revision.
 */
import { MISSING, SUM } from './slot.ts';

/**
 * Adds the row at `offset` of `source` to `values`.
 * @param simple the row is a simple measure's: it may really have been −1, so its sum has no mark for missing
 * @returns in how many statistics only one side was recorded
 */
export function addRow(values: Float64Array, source: ArrayLike<number>, offset: number, simple: boolean): number {
  const count = values.length - 1;
  const firstStatistic = simple ? values.length - SUM + 1 : values.length - SUM;
  for (let index = 0; index < firstStatistic; index += 1) {
    values[index] = (values[index] as number) + (source[offset + index] as number);
  }
  let mixed = 0;
  for (let index = firstStatistic; index < count; index += 1) {
    const x = values[index] as number;
    const y = source[offset + index] as number;
    if (x !== MISSING && y !== MISSING) values[index] = x + y;
    else if (x !== y) {
      mixed += 1;
      if (x === MISSING) values[index] = y;
    }
  }
  values[count] = (values[count] as number) + (source[offset + count] as number);
  return mixed;
}

/** The highest build id wins; of equal ones the greater revision text, so that order does not matter. */
export function noteBuild(row: { buildId: string; revision: string }, buildId: string, revision: string): void {
  if (row.buildId === buildId) {
    if (row.revision < revision) row.revision = revision;
  } else if (row.buildId < buildId) {
    row.buildId = buildId;
    row.revision = revision;
  }
}

/**
 * Holds sums that overflowed at the largest double, so that every stored number is JSON (docs/formats/results.md 4.6).
 * @returns how many there were
 */
export function holdFinite(values: Float64Array): number {
  let held = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (Number.isFinite(value)) continue;
    values[index] = value > 0 ? Number.MAX_VALUE : value < 0 ? -Number.MAX_VALUE : 0;
    held += 1;
  }
  return held;
}

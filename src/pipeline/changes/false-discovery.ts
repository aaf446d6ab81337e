/**
 * Benjamini and Hochberg's correction (1995) for looking at all measures at once. A family is what was decided on one
 * date: all series that had this build date, or this day of submission.
 */

export interface Discovery {
  /** Of the family. */
  readonly family: string;
  readonly pValue: number;
}

/** Of the changes that are told, at most this part is expected to be none. */
export const MAX_FALSE = 0.05;

/**
 * @param tested how many series each family has; the p-values that are not given are larger than those that are
 * @returns q-values, in the order of `discoveries`
 */
export function qValues(discoveries: readonly Discovery[], tested: ReadonlyMap<string, number>): number[] {
  const result = new Array<number>(discoveries.length).fill(1);
  for (const [family, places] of Map.groupBy(discoveries.keys(), (place) => discoveries[place]?.family ?? '')) {
    const pOf = (place: number): number => discoveries[place]?.pValue ?? 1;
    const sorted = places.toSorted((a, b) => pOf(a) - pOf(b));
    const size = Math.max(tested.get(family) ?? 0, sorted.length);
    let least = 1;
    for (let rank = sorted.length; rank > 0; rank -= 1) {
      const place = sorted[rank - 1] ?? 0;
      least = Math.min(least, (pOf(place) * size) / rank);
      result[place] = least;
    }
  }
  return result;
}

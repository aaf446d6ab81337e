/**
 * Which measures that no definition knows are published (docs/formats/published.md 5.11). Submitters choose names, and each
 * costs two files of every later folder: honest data has few such measures, so a flood of them is left out whole.
 */

/** Whether a definition knows the measure: `later` while its definitions cannot be had. */
export type Known = 'yes' | 'no' | 'later';

export interface UnknownMeasure {
  readonly measure: string;
  readonly known: 'no' | 'later';
  /** How many submissions have it, in all days together. */
  readonly submissions: number;
}

/** Below this, a measure is rare: somebody may have made it up. */
const RARE_SUBMISSIONS = 10;

interface UnknownLimits {
  /** With more rare measures than this, none of them is published. */
  readonly rare: number;
  /** Of the others, those with most submissions. */
  readonly all: number;
}

/** Browsers define about 1,200 measures, which are all unknown while definitions cannot be had. */
const LIMITS: Readonly<Record<'no' | 'later', UnknownLimits>> = {
  no: { rare: 100, all: 1000 },
  later: { rare: 2000, all: 5000 },
};

/** The unknown measures of one channel/version. */
export class UnknownMeasures {
  readonly #measures: UnknownMeasure[] = [];
  readonly #rare = { no: 0, later: 0 };

  /** @returns false when it is certain by now that the measure is left out */
  note(measure: UnknownMeasure): boolean {
    this.#measures.push(measure);
    if (!isRare(measure)) return true;
    this.#rare[measure.known] += 1;
    return this.#rare[measure.known] <= LIMITS[measure.known].rare;
  }

  /** Those that are left out. */
  leftOut(): ReadonlySet<string> {
    return new Set((['no', 'later'] as const).flatMap((known) => this.#leftOutOf(known)));
  }

  #leftOutOf(known: 'no' | 'later'): string[] {
    const all = this.#measures.filter((measure) => measure.known === known);
    const { rare, all: most } = LIMITS[known];
    const flood = this.#rare[known] > rare ? all.filter(isRare) : [];
    const rest = all.filter((measure) => flood.length === 0 || !isRare(measure));
    const ranked = rest.toSorted((a, b) => b.submissions - a.submissions || (a.measure < b.measure ? -1 : 1));
    return [...flood, ...ranked.slice(most)].map(({ measure }) => measure);
  }
}

function isRare({ submissions }: UnknownMeasure): boolean {
  return submissions < RARE_SUBMISSIONS;
}

/** What is wrong with a folder of the original, counted by reason and measure: no broken measure stops the others. */

/**
 * True: a reason why something of the original is not in its base. False: something noted although all its rows are.
 * Clients lose nothing that they could not show anyway.
 */
const KEPT_OUT = {
  bad_measure_name: true,
  missing_file: true,
  bad_gzip: true,
  too_large: true,
  bad_json: true,
  bad_row: true,
  bad_date: true,
  unknown_filter: true,
  no_rows: true,
  no_revision: false,
  bad_revision: false,
  duplicate_row: false,
  clamped_sum: false,
  other_length: false,
  foreign_file: false,
} as const;

type AdoptionReason = keyof typeof KEPT_OUT;

export interface AdoptionFault {
  readonly reason: AdoptionReason;
  /** Measure, or name of a file; cut off at 255 characters. */
  readonly what: string;
  /** Rows, or 1 for something that is wrong as a whole. */
  readonly count: number;
}

/** The reason of that name; undefined for any other text. */
export function adoptionReason(text: string): AdoptionReason | undefined {
  return Object.hasOwn(KEPT_OUT, text) ? (text as AdoptionReason) : undefined;
}

/** True when something of the original is missing in the base. */
export function isKeptOut({ reason }: AdoptionFault): boolean {
  return KEPT_OUT[reason];
}

export class FaultCounts {
  readonly #faults = new Map<string, AdoptionFault>();

  add(reason: AdoptionReason, what: string, count = 1): void {
    const name = what.slice(0, 255);
    const key = `${reason} ${name}`;
    this.#faults.set(key, { reason, what: name, count: count + (this.#faults.get(key)?.count ?? 0) });
  }

  /** By reason and thing, in the order in which they were found. */
  list(): AdoptionFault[] {
    return [...this.#faults.values()];
  }
}

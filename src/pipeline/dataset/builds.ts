/** `builds.json`: build id → revision, of all rows that a snapshot shows (docs/formats/published.md 5.14). */
import { COUNT, SIMPLE_MEASURE_BUILD_ID, type Slot } from '../aggregates/slot.ts';
import { dayAfter } from '../calendar-day.ts';
import type { ShownMeasure } from './measure-rows.ts';

export const BUILDS_NAME = 'builds.json';

/** Newest builds that are kept: 27 a day of a year. Submitters can invent build ids. */
const MAX_BUILDS = 10_000;
/**
 * Revisions of one build that are counted; honest builds have one. Another one takes the place of the weakest, and its count
 * too, so that one of more than an eighth of the submissions is never lost, whatever comes before it.
 */
const MAX_REVISIONS = 8;

interface Tally {
  submissions: number;
}

type Row = Pick<Slot, 'buildId' | 'revision' | 'byDate' | 'date' | 'values'>;

/** Rows are noted in any order. */
export class Builds {
  /** Build id → revision → rows that name it. */
  readonly #builds = new Map<string, Map<string, Tally>>();
  readonly #max: number;
  #newestSubmission = '';
  #isComplete = true;

  constructor(max = MAX_BUILDS) {
    this.#max = max;
  }

  /** Notes all rows of a measure. */
  add({ slots }: Pick<ShownMeasure, 'slots'>): void {
    // Days of submission first: they tell which builds are of the future.
    for (const byDate of ['by-submission-date', 'by-build-date'] as const)
      for (const row of slots[byDate]) this.note(row);
  }

  note({ buildId, revision, byDate, date, values }: Row): void {
    if (byDate === 'by-submission-date' && date > this.#newestSubmission) this.#newestSubmission = date;
    if (revision === '' || buildId === '' || buildId === SIMPLE_MEASURE_BUILD_ID) return;
    let revisions = this.#builds.get(buildId);
    if (revisions === undefined) {
      this.#builds.set(buildId, (revisions = new Map<string, Tally>()));
      // Seldom, so that a flood of builds costs no more than to sort each once or twice.
      if (this.#builds.size === 2 * this.#max) this.#dropExcess();
    }
    const submissions = values.at(-COUNT) ?? 0;
    const tally = revisions.get(revision);
    if (tally !== undefined) tally.submissions += submissions;
    else revisions.set(revision, { submissions: submissions + placeIn(revisions) });
  }

  /** Ascending by build id. */
  toJson(): string {
    this.#dropExcess();
    const builds = [...this.#builds]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([buildId, revisions]) => `${JSON.stringify(buildId)}:${JSON.stringify(mostFrequent(revisions))}`);
    return `{"format":1,"complete":${this.#isComplete},"builds":{${builds.join(',')}}}`;
  }

  /** Builds of the future first, then the oldest. Clocks and time zones allow a build of the day after its submission. */
  #dropExcess(): void {
    const excess = this.#builds.size - this.#max;
    if (excess <= 0) return;
    this.#isComplete = false;
    const latest = this.#newestSubmission === '' ? undefined : dayAfter(this.#newestSubmission);
    const isReal = (buildId: string): boolean => latest === undefined || buildId.slice(0, 8) <= latest;
    const ids = [...this.#builds.keys()].toSorted();
    const real = ids.filter(isReal);
    const future = ids.filter((buildId) => !isReal(buildId)).toReversed();
    for (const buildId of [...future, ...real].slice(0, excess)) this.#builds.delete(buildId);
  }
}

/** Makes room for one more. @returns what the one that left had, or 0 */
function placeIn(revisions: Map<string, Tally>): number {
  if (revisions.size < MAX_REVISIONS) return 0;
  let [weakest, least] = ['', Number.POSITIVE_INFINITY];
  for (const [revision, { submissions }] of revisions)
    if (submissions < least) [weakest, least] = [revision, submissions];
  revisions.delete(weakest);
  return least;
}

/** That of most submissions; of equally many the greatest text, as in the merge rule. */
function mostFrequent(revisions: ReadonlyMap<string, Tally>): string {
  let [best, most] = ['', -1];
  for (const [revision, { submissions }] of revisions) {
    if (submissions > most || (submissions === most && revision > best)) [best, most] = [revision, submissions];
  }
  return best;
}

/**
 * The limit of measures of a channel/version and day (docs/formats/results.md 4.8): whatever names are made up, a day costs
 * no more than that. Those that most submissions have stay.
 */
import type { PartSlot } from './part-line.ts';
import { type ByDate, COUNT, type Slot } from './slot.ts';

/** Eight times what browsers define. */
const MAX_MEASURES = 10_000;
/** Counts of submissions up to here are told apart. */
const MAX_TOLD_APART = 100_000;

type PartSlots = AsyncIterable<PartSlot> | Iterable<PartSlot>;

/** First every slot is noted, in slot order; then, when there is an excess, the slots that stay are taken out of all. */
export class DayMeasures {
  readonly #max: number;
  /** How many measures have so many submissions; without the one that is being noted. */
  readonly #counts = new Map<number, number>();
  #measures = 0;
  #measure = '';
  #sums = noSubmissions();

  /** @param max most measures */
  constructor(max = MAX_MEASURES) {
    this.#max = max;
  }

  /** Measures over the limit. */
  get excess(): number {
    return Math.max(0, this.#measures - this.#max);
  }

  note({ slot }: PartSlot): void {
    if (slot.measure !== this.#measure) {
      this.#close();
      this.#measures += 1;
      this.#measure = slot.measure;
    }
    addSubmissions(this.#sums, slot);
  }

  #close(): void {
    if (this.#measure === '') return;
    const submissions = submissionsOf(this.#sums);
    this.#counts.set(submissions, (this.#counts.get(submissions) ?? 0) + 1);
    this.#measure = '';
    this.#sums = noSubmissions();
  }

  /** The slots of the measures that stay: of equally many submissions, the first by name. */
  async *keeping(slots: PartSlots): AsyncGenerator<PartSlot> {
    this.#close();
    const { least, ofLeast } = this.#threshold();
    let roomOfLeast = ofLeast;
    for await (const group of byMeasure(slots)) {
      const sums = noSubmissions();
      for (const { slot } of group) addSubmissions(sums, slot);
      const submissions = submissionsOf(sums);
      if (submissions < least) continue;
      if (submissions === least) {
        if (roomOfLeast === 0) continue;
        roomOfLeast -= 1;
      }
      yield* group;
    }
  }

  /** The fewest submissions of a measure that stays, and how many of those with so few do. */
  #threshold(): { least: number; ofLeast: number } {
    let room = this.#max;
    for (const [least, measures] of [...this.#counts].toSorted(([a], [b]) => b - a)) {
      if (measures >= room) return { least, ofLeast: room };
      room -= measures;
    }
    return { least: 0, ofLeast: room };
  }
}

async function* byMeasure(slots: PartSlots): AsyncGenerator<PartSlot[]> {
  let group: PartSlot[] = [];
  for await (const item of slots) {
    if (group[0] !== undefined && group[0].slot.measure !== item.slot.measure) {
      yield group;
      group = [];
    }
    group.push(item);
  }
  if (group.length > 0) yield group;
}

/** A submission is counted under one or both by-dates. */
type Submissions = Record<ByDate, number>;

function noSubmissions(): Submissions {
  return { 'by-build-date': 0, 'by-submission-date': 0 };
}

function addSubmissions(sums: Submissions, { byDate, values }: Slot): void {
  sums[byDate] += values.at(-COUNT) ?? 0;
}

function submissionsOf(sums: Submissions): number {
  return Math.min(MAX_TOLD_APART, Math.max(...Object.values(sums)));
}

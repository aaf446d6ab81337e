/**
 * The limit of measures of a channel/version and day (docs/formats/results.md 4.8): whatever names are made up, a day costs
 * no more than that. Those that readers see already stay, then those that most submissions have.
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
  readonly #published: ReadonlySet<string>;
  /** How many measures have a rank; without the one that is being noted. */
  readonly #counts = new Map<number, number>();
  #measures = 0;
  #measure = '';
  #sums = noSubmissions();

  /**
   * @param published measures that are in the data set: a flood of names of one day takes the place of none of them
   * @param max most measures
   */
  constructor(published: Iterable<string> = [], max = MAX_MEASURES) {
    this.#published = new Set(published);
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
    const rank = this.#rank(this.#measure, this.#sums);
    this.#counts.set(rank, (this.#counts.get(rank) ?? 0) + 1);
    this.#measure = '';
    this.#sums = noSubmissions();
  }

  #rank(measure: string, sums: Submissions): number {
    return submissionsOf(sums) + (this.#published.has(measure) ? MAX_TOLD_APART + 1 : 0);
  }

  /** The slots of the measures that stay: of equal rank, the first by name. */
  async *keeping(slots: PartSlots): AsyncGenerator<PartSlot> {
    this.#close();
    const { least, ofLeast } = this.#threshold();
    let roomOfLeast = ofLeast;
    for await (const group of byMeasure(slots)) {
      const sums = noSubmissions();
      for (const { slot } of group) addSubmissions(sums, slot);
      const rank = this.#rank(group[0]?.slot.measure ?? '', sums);
      if (rank < least) continue;
      if (rank === least) {
        if (roomOfLeast === 0) continue;
        roomOfLeast -= 1;
      }
      yield* group;
    }
  }

  /** The lowest rank of a measure that stays, and how many of those of that rank do. */
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

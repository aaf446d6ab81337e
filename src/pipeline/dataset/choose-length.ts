/**
 * Which row length of a measure the data set shows. Rows of other lengths stay in the segments
 * (docs/formats/results.md 4.3).
 */
import { type ByDate, COUNT, type Slot } from '../aggregates/slot.ts';

export interface ChosenLength {
  /** Numbers in a row without the filter id. */
  readonly length: number;
  /** Highest build id among the slots of this length. */
  readonly buildId: string;
  /** That build's revision; empty when its submissions named none. */
  readonly revision: string;
  /**
   * Revision of the newest build that named one: its definitions describe the measure
   * (docs/formats/submissions.md 3.4).
   */
  readonly definitionRevision: string;
  /** What other lengths hold, counter `length_mismatch`. */
  readonly leftOut: { readonly slots: number; readonly submissions: number };
}

interface Tally {
  readonly length: number;
  slots: number;
  /** A submission is counted under one or both by-dates, so neither sum nor one of them alone is their number. */
  readonly submissions: Record<ByDate, number>;
  buildId: string;
  revision: string;
  definitionBuildId: string;
  definitionRevision: string;
}

/**
 * Chooses over all slots of a measure, both by-dates together: the length of the highest build id (compared as text);
 * ties go to the length with the larger total count, then to the longer one. The order of the slots has no influence.
 * @throws Error when there are no slots
 */
export function chooseLength(slots: Iterable<Slot>): ChosenLength {
  const tallies = new Map<number, Tally>();
  for (const slot of slots) {
    const tally = tallies.get(slot.values.length) ?? emptyTally(slot.values.length);
    tallies.set(tally.length, tally);
    add(tally, slot);
  }
  const [chosen, ...others] = [...tallies.values()].toSorted(byPreference);
  if (chosen === undefined) throw new Error('a measure without slots has no row length');
  const { length, buildId, revision, definitionRevision } = chosen;
  return { length, buildId, revision, definitionRevision, leftOut: leftOutBy(others) };
}

function emptyTally(length: number): Tally {
  const submissions = { 'by-build-date': 0, 'by-submission-date': 0 };
  return { length, slots: 0, submissions, buildId: '', revision: '', definitionBuildId: '', definitionRevision: '' };
}

function add(tally: Tally, slot: Slot): void {
  const { buildId, revision } = slot;
  tally.slots += 1;
  tally.submissions[slot.byDate] += slot.values.at(-COUNT) ?? 0;
  // One build id with two revisions: the greater text, so that the order of the slots does not matter.
  if (isNewer(buildId, revision, tally.buildId, tally.revision)) {
    tally.buildId = buildId;
    tally.revision = revision;
  }
  if (revision !== '' && isNewer(buildId, revision, tally.definitionBuildId, tally.definitionRevision)) {
    tally.definitionBuildId = buildId;
    tally.definitionRevision = revision;
  }
}

function isNewer(buildId: string, revision: string, thanBuildId: string, thanRevision: string): boolean {
  return buildId > thanBuildId || (buildId === thanBuildId && revision > thanRevision);
}

function byPreference(a: Tally, b: Tally): number {
  if (a.buildId !== b.buildId) return a.buildId > b.buildId ? -1 : 1;
  return total(b) - total(a) || b.length - a.length;
}

function total({ submissions }: Tally): number {
  return submissions['by-build-date'] + submissions['by-submission-date'];
}

// Every submission is counted by build date and most by submission date as well: the larger sum is their number.
function leftOutBy(others: readonly Tally[]): ChosenLength['leftOut'] {
  const sum = (pick: (tally: Tally) => number): number => others.reduce((result, tally) => result + pick(tally), 0);
  return {
    slots: sum((tally) => tally.slots),
    submissions: Math.max(
      sum((tally) => tally.submissions['by-build-date']),
      sum((tally) => tally.submissions['by-submission-date']),
    ),
  };
}

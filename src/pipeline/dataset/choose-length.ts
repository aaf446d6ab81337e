/**
 * Which row length of a measure the data set shows. Rows of other lengths stay in the segments
 * (docs/formats/results.md 4.3).
 */
import { type ByDate, COUNT, type Slot } from '../aggregates/slot.ts';
import { dayAfter, isCalendarDay } from '../calendar-day.ts';
import { compareText } from '../text-order.ts';

export interface ChosenLength {
  /** Numbers in a row without the filter id. */
  readonly length: number;
  /** Highest build id among the slots of this length. */
  readonly buildId: string;
  /** That build's revision; empty when its submissions named none. */
  readonly revision: string;
  /**
   * Whose definitions describe the measure, the first one that has it (docs/formats/published.md 5.4): the revision that
   * most submissions of the newest builds name, then those of the most submissions of all, at most three.
   */
  readonly definitionRevisions: readonly string[];
  /** All that have the measure, of whatever length. */
  readonly submissions: number;
  /** What other lengths hold, counter `length_mismatch`. */
  readonly leftOut: LeftOut;
}

interface LeftOut {
  readonly slots: number;
  readonly submissions: number;
  /** Those of the newest day on which the measure was submitted: what grows, and not what once was. */
  readonly newest: number;
}

interface Tally {
  readonly length: number;
  slots: number;
  /** A submission is counted under one or both by-dates, so neither sum nor one of them alone is their number. */
  readonly submissions: Record<ByDate, number>;
  /** Of the newest submission date. */
  newest: number;
  /** By build date. */
  readonly votes: Map<string, Vote>;
  buildId: string;
  revision: string;
  /** By revision. */
  readonly named: Map<string, NamedRevision>;
  /** The one that the last slot had: most have the same. */
  lastNamed: NamedRevision | undefined;
}

interface Vote {
  submissions: number;
  /** By revision. */
  readonly named: Map<string, NamedRevision>;
  lastNamed: NamedRevision | undefined;
}

interface NamedRevision {
  readonly revision: string;
  buildId: string;
  submissions: number;
}

const MAX_REVISIONS = 3;

/** The newest builds decide that together have this share of the submissions, and at least so many of them. */
const DECIDING_SHARE = 0.02;
const DECIDING_SUBMISSIONS = 100;

/**
 * Chooses over all slots of a measure: of the newest builds that together have 2 % of the submissions, and at least 100,
 * the length that most of their submissions have. Ties go to the length with the highest build id (compared as text), then
 * to that with the larger total count, then to the longer one. A build later than the day after the newest submission is
 * no real one and has no say while there are others, nor have rows without a build, even beside such builds alone. The order of the slots has no
 * influence.
 * @throws Error when there are no slots
 */
export function chooseLength(slots: readonly Slot[]): ChosenLength {
  const newestDay = newestSubmission(slots);
  const latest = newestDay === '' ? undefined : dayAfter(newestDay);
  const decides = deciding(slots, latest);
  const tallies = new Map<number, Tally>();
  let tally: Tally | undefined;
  for (const slot of slots) {
    const { length } = slot.values;
    if (tally?.length !== length) {
      tally = tallies.get(length) ?? emptyTally(length);
      tallies.set(length, tally);
    }
    add(tally, slot, decides(slot), newestDay);
  }
  const dates = decidingDates([...tallies.values()]);
  const recent = new Map([...tallies].map(([of, { votes }]) => [of, votesOf(votes, dates)]));
  const preferred = [...tallies.values()].toSorted(
    (a, b) => (recent.get(b.length) ?? 0) - (recent.get(a.length) ?? 0) || byPreference(a, b),
  );
  const [chosen, ...others] = preferred;
  if (chosen === undefined) throw new Error('a measure without slots has no row length');
  const { length, buildId, revision, votes, named } = chosen;
  const { submissions } = sumOf(preferred);
  const definitionRevisions = describing(namedOf(votes, dates), [...named.values()]);
  return { length, buildId, revision, definitionRevisions, submissions, leftOut: sumOf(others) };
}

/** The newest submission date; empty when all builds are too old for one. */
function newestSubmission(slots: readonly Slot[]): string {
  let newest = '';
  for (const { byDate, date } of slots) {
    // Most are the same text, which is told without comparing characters.
    if (byDate === 'by-submission-date' && date !== newest && date > newest) newest = date;
  }
  return newest;
}

/** Which slots have a say: those of real builds; when there are none, those that name a build at all; else every one. */
function deciding(slots: readonly Slot[], latest: string | undefined): (slot: Slot) => boolean {
  const isReal = (slot: Slot): boolean => isKnown(slot, latest);
  return [isReal, hasBuild].find((isSuch) => slots.some(isSuch)) ?? (() => true);
}

function hasBuild({ buildId }: Slot): boolean {
  return buildId !== '' && buildId !== '0';
}

/** Clocks and time zones allow a build of the day after its submission, which is `latest`. */
function isKnown(slot: Slot, latest: string | undefined): boolean {
  const { byDate, date, buildId } = slot;
  if (!hasBuild(slot)) return false;
  return !isLaterBuild(buildId, latest) && !(byDate === 'by-build-date' && isLater(date, latest));
}

function isLaterBuild(buildId: string, latest: string | undefined): boolean {
  // A build id that begins with a day is above it, and below those of the next day.
  return latest !== undefined && buildId > latest && isLater(buildId.slice(0, 8), latest);
}

// The text order of days is their order in time, and telling it costs little for each slot.
function isLater(day: string, latest: string | undefined): boolean {
  return latest !== undefined && day > latest && isCalendarDay(day);
}

function emptyTally(length: number): Tally {
  return {
    length,
    slots: 0,
    newest: 0,
    submissions: { 'by-build-date': 0, 'by-submission-date': 0 },
    votes: new Map(),
    ...{ buildId: '', revision: '', named: new Map(), lastNamed: undefined },
  };
}

function add(tally: Tally, slot: Slot, decides: boolean, newestDay: string): void {
  const { buildId, revision, byDate, date } = slot;
  const submissions = slot.values.at(-COUNT) ?? 0;
  tally.slots += 1;
  tally.submissions[byDate] += submissions;
  if (byDate === 'by-submission-date' && date === newestDay) tally.newest += submissions;
  if (!decides) return;
  const vote = byDate === 'by-build-date' ? voteOf(tally, date) : undefined;
  if (vote !== undefined) vote.submissions += submissions;
  // One build id with two revisions: the greater text, so that the order of the slots does not matter.
  if (isNewer(buildId, revision, tally.buildId, tally.revision)) {
    tally.buildId = buildId;
    tally.revision = revision;
  }
  if (revision === '') return;
  tally.lastNamed = addNamed(tally.named, tally.lastNamed, slot);
  if (vote !== undefined) vote.lastNamed = addNamed(vote.named, vote.lastNamed, slot);
}

function voteOf({ votes }: Tally, date: string): Vote {
  let vote = votes.get(date);
  if (vote === undefined) {
    vote = { submissions: 0, named: new Map(), lastNamed: undefined };
    votes.set(date, vote);
  }
  return vote;
}

/** @param last what the slot before was added to: most slots have the same revision */
function addNamed(all: Map<string, NamedRevision>, last: NamedRevision | undefined, slot: Slot): NamedRevision {
  const { buildId, revision } = slot;
  const submissions = slot.values.at(-COUNT) ?? 0;
  let named = last;
  if (named?.revision !== revision) {
    named = all.get(revision) ?? { revision, buildId: '', submissions: 0 };
    all.set(revision, named);
  }
  if (buildId > named.buildId) named.buildId = buildId;
  named.submissions += submissions;
  return named;
}

/** Those that the newest builds name, then those of all; the ones of most submissions first, of equals the newest. */
function describing(recent: readonly NamedRevision[], all: readonly NamedRevision[]): string[] {
  const byBulk = (a: NamedRevision, b: NamedRevision): number =>
    b.submissions - a.submissions || compareText(b.buildId, a.buildId) || compareText(b.revision, a.revision);
  const [first] = recent.toSorted(byBulk);
  const most = all.filter(({ revision }) => revision !== first?.revision).toSorted(byBulk);
  return [...(first === undefined ? [] : [first]), ...most].slice(0, MAX_REVISIONS).map(({ revision }) => revision);
}

/** The newest build dates that together have enough submissions to decide. */
function decidingDates(tallies: readonly Tally[]): ReadonlySet<string> {
  const dates = new Map<string, number>();
  let total = 0;
  for (const { votes } of tallies) {
    for (const [date, { submissions }] of votes) {
      dates.set(date, (dates.get(date) ?? 0) + submissions);
      total += submissions;
    }
  }
  const enough = Math.max(DECIDING_SUBMISSIONS, total * DECIDING_SHARE);
  const deciding = new Set<string>();
  let sum = 0;
  for (const [date, submissions] of [...dates].toSorted(([a], [b]) => (a > b ? -1 : 1))) {
    deciding.add(date);
    sum += submissions;
    if (sum >= enough) break;
  }
  return deciding;
}

function votesOf(votes: Tally['votes'], dates: ReadonlySet<string>): number {
  let sum = 0;
  for (const [date, { submissions }] of votes) if (dates.has(date)) sum += submissions;
  return sum;
}

/** What submissions of the dates name, put together by revision. */
function namedOf(votes: Tally['votes'], dates: ReadonlySet<string>): NamedRevision[] {
  const together = new Map<string, NamedRevision>();
  for (const [date, { named }] of votes) {
    if (!dates.has(date)) continue;
    for (const { revision, buildId, submissions } of named.values()) {
      const one = together.get(revision) ?? { revision, buildId: '', submissions: 0 };
      if (buildId > one.buildId) one.buildId = buildId;
      one.submissions += submissions;
      together.set(revision, one);
    }
  }
  return [...together.values()];
}

function isNewer(buildId: string, revision: string, thanBuildId: string, thanRevision: string): boolean {
  return buildId === thanBuildId ? revision > thanRevision : buildId > thanBuildId;
}

function byPreference(a: Tally, b: Tally): number {
  if (a.buildId !== b.buildId) return a.buildId > b.buildId ? -1 : 1;
  return total(b) - total(a) || b.length - a.length;
}

function total({ submissions }: Tally): number {
  return submissions['by-build-date'] + submissions['by-submission-date'];
}

// Every submission is counted by build date and most by submission date as well: the larger sum is their number.
function sumOf(tallies: readonly Tally[]): ChosenLength['leftOut'] {
  const sum = (pick: (tally: Tally) => number): number => tallies.reduce((result, tally) => result + pick(tally), 0);
  return {
    slots: sum((tally) => tally.slots),
    submissions: Math.max(
      sum((tally) => tally.submissions['by-build-date']),
      sum((tally) => tally.submissions['by-submission-date']),
    ),
    newest: sum((tally) => tally.newest),
  };
}

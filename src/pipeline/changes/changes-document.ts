/** `changes.json`: the changes of all channel/versions, and what the next look at them goes on from. */
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';
import type { Change, Side } from './change.ts';

export interface ChangesDocument {
  /** Of the commit that it is about. */
  readonly at: string;
  readonly seq: number;
  /** Newest first. */
  readonly changes: readonly Change[];
  /** Changes that were found beyond these. */
  readonly leftOut: number;
  readonly skipped: readonly SkippedFolder[];
  /** By channel/version. */
  readonly looked: ReadonlyMap<string, LookedAt>;
}

export interface SkippedFolder {
  readonly channelVersion: string;
  readonly folder: string;
  readonly reason: string;
}

/** What a folder showed. */
export interface LookedAt {
  readonly folder: string;
  /** How many changes it has, those that are left out included. */
  readonly found: number;
  /** By day of submission: of the measure that most submissions have. */
  readonly submissions: ReadonlyMap<string, number>;
}

/** About a megabyte of text. */
const MAX_CHANGES = 1000;
/** Of one channel/version: a change of everything must not hide the others. */
export const MAX_OF_ONE = 300;
const KINDS = ['step', 'drift', 'spike', 'appeared', 'vanished', 'silence', 'buckets'] as const;
const DAY = /^\d{8}$/;
const DIRECTIONS = ['up', 'down', 'shape'] as const;

/** The newest changes that there is room for; silences are never left out for others. */
export function limited(changes: readonly Change[], silent: readonly Change[]): Change[] {
  const most = changes.toSorted(newestFirst).slice(0, Math.max(0, MAX_CHANGES - silent.length));
  return [...silent, ...most].toSorted(newestFirst).slice(0, MAX_CHANGES);
}

/** Of one date the surest first; the id decides, so that equal data give equal texts. */
export function newestFirst(a: Change, b: Change): number {
  if (a.date !== b.date) return a.date < b.date ? 1 : -1;
  const [p, q] = [a.pValue ?? 0, b.pValue ?? 0];
  return p - q || (a.id < b.id ? -1 : 1);
}

export function serialiseChanges({ at, seq, changes, leftOut, skipped, looked }: ChangesDocument): string {
  const folders = [...looked].map(
    ([name, { folder, found, submissions }]) =>
      [name, { folder, found, submissions: Object.fromEntries(submissions) }] as const,
  );
  return JSON.stringify({
    format: 1,
    at,
    seq,
    changes,
    leftOut,
    skipped,
    channelVersions: Object.fromEntries(folders),
  });
}

/** Null for a text that this release did not write: everything is looked at again then. */
export function readChanges(text: string): ChangesDocument | null {
  try {
    const root = StoredJson.document(text, 'bad_changes', 'changes.json');
    return {
      at: root.member('at').instant(),
      seq: root.member('seq').count(),
      changes: root.member('changes').list(readChange),
      leftOut: root.member('leftOut').count(),
      skipped: root.member('skipped').list((skipped) => ({
        channelVersion: skipped.member('channelVersion').text(),
        folder: skipped.member('folder').text(),
        reason: skipped.member('reason').text(),
      })),
      looked: new Map(
        root
          .member('channelVersions')
          .entries()
          .map(([name, looked]) => [
            name,
            {
              folder: looked.member('folder').text(),
              found: looked.member('found').count(),
              submissions: readDays(looked.member('submissions')),
            },
          ]),
      ),
    };
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

function readChange(stored: StoredJson): Change {
  const value = stored.optional('value');
  const leftOut = stored.optional('leftOut');
  const mostIn = stored.optional('mostIn');
  const number = (name: string): number | null => stored.member(name).nullOr(finite);
  return {
    id: stored.member('id').text(),
    channelVersion: stored.member('channelVersion').text(),
    measure: stored.member('measure').nullOr((measure) => measure.text()),
    by: oneOf(stored.member('by'), ['build', 'submission']),
    date: day(stored.member('date')),
    filter: stored.member('filter').list((part) => part.text()),
    kind: oneOf(stored.member('kind'), KINDS),
    direction: stored.member('direction').nullOr((direction) => oneOf(direction, DIRECTIONS)),
    before: readSide(stored.member('before')),
    after: readSide(stored.member('after')),
    relative: number('relative'),
    pValue: number('pValue'),
    qValue: number('qValue'),
    ...(value !== undefined && { value: value.count() }),
    ...(leftOut !== undefined && { leftOut: leftOut.list(day) }),
    ...(mostIn !== undefined && { mostIn: mostIn.list((part) => part.text()) }),
    text: stored.member('text').text(),
  };
}

function readSide(stored: StoredJson): Side {
  const number = (name: string): number | null => stored.member(name).nullOr(finite);
  return {
    dates: readDates(stored.member('dates')),
    submissions: finite(stored.member('submissions')),
    count: finite(stored.member('count')),
    mean: number('mean'),
    median: number('median'),
    p95: number('p95'),
    share: number('share'),
  };
}

function day(stored: StoredJson): string {
  return stored.text(DAY);
}

/** Checked as a whole: a thousand channel/versions have many days, and each value of its own costs time. */
function readDays(stored: StoredJson): ReadonlyMap<string, number> {
  const days = Object.entries(stored.value ?? {}) as [string, unknown][];
  const isDay = ([name, count]: [string, unknown]): boolean => DAY.test(name) && Number.isSafeInteger(count);
  return days.every(isDay) ? new Map(days as [string, number][]) : stored.fail('days with counts');
}

function readDates(stored: StoredJson): readonly string[] {
  const { value } = stored;
  const isDate = (date: unknown): boolean => typeof date === 'string' && DAY.test(date);
  return Array.isArray(value) && value.every(isDate) ? (value as string[]) : stored.fail('a list of dates');
}

function finite(stored: StoredJson): number {
  return typeof stored.value === 'number' ? stored.value : stored.fail('a number');
}

function oneOf<T extends string>(stored: StoredJson, known: readonly T[]): T {
  return known.find((one) => one === stored.value) ?? stored.fail(`one of ${known.join(', ')}`);
}

/**
 * Files that a day's run must not take: a file of another submission day would be counted by that day as well
 * (docs/formats/input-bucket.md 1.5).
 */
import { InvalidDataError } from '../invalid-data.ts';
import { submissionDateOf } from './key.ts';

/** So many other days are named in the error. */
const DAYS_NAMED = 5;

/** The other days of a run's files, with a file of each. */
export class OtherDays {
  readonly #day: string;
  readonly #found = new Map<string, string>();

  constructor(day: string) {
    this.#day = day;
  }

  /** Whether a file is of another day; notes it. */
  has(key: string): boolean {
    const day = submissionDateOf(key);
    if (day === this.#day) return false;
    if (!this.isFull && !this.#found.has(day)) this.#found.set(day, key);
    return true;
  }

  /** More would not be named. */
  get isFull(): boolean {
    return this.#found.size >= DAYS_NAMED;
  }

  /** @throws InvalidDataError `other_days` when a file was of another day */
  refuse(): void {
    if (this.#found.size === 0) return;
    const others = [...this.#found].map(([day, key]) => `${day === '' ? 'no day' : day} (such as ${key})`);
    throw new InvalidDataError(
      'other_days',
      `The filter of ${this.#day} admits files of ${others.join(', ')}, which those days would count as well: let its submission_date be ${this.#day} only, as "DATE" in a template does`,
    );
  }
}

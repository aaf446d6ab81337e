/**
 * How many channel/versions a day may have. Whoever sends submissions names channel and version, and each pair becomes a
 * folder: a day of invented ones must not become a bill, or a history that Temporal ends.
 */
import { InvalidDataError } from '../invalid-data.ts';

/**
 * A day of all releases that anybody uses has some 200. At 1,000 a run has 6,000 events of the 51,200 that Temporal allows
 * (docs/operating.md 21), so no deployment needs another value.
 */
export const MAX_CHANNEL_VERSIONS = 1000;

/** Names that are held in order to describe what is wrong. */
const MAX_HELD = 20_000;
const MAX_NAMED = 10;
const SHOWN_CHARACTERS = 60;

/** Counts the channel/versions of a day and what each has of it, such as input files. */
export class ChannelVersionCount {
  readonly #counts = new Map<string, number>();
  readonly #things: string;

  /** @param things what is counted, in plural, for the error: `files` */
  constructor(things: string) {
    this.#things = things;
  }

  /** @throws InvalidDataError `too_many_channel_versions`: at once where there are so many that the day may be endless */
  note(channelVersion: string): void {
    this.#counts.set(channelVersion, (this.#counts.get(channelVersion) ?? 0) + 1);
    if (this.#counts.size >= MAX_HELD) this.check();
  }

  /** @throws InvalidDataError `too_many_channel_versions`, naming the largest and the smallest */
  check(): void {
    const { size } = this.#counts;
    if (size <= MAX_CHANNEL_VERSIONS) return;
    const most = [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    throw new InvalidDataError(
      'too_many_channel_versions',
      `The day has ${size >= MAX_HELD ? `${MAX_HELD} or more` : size} channel/versions, more than ${MAX_CHANNEL_VERSIONS}; most ${this.#things}: ${this.#named(most.slice(0, MAX_NAMED))}; fewest: ${this.#named(most.slice(-MAX_NAMED))}; say in the filter which channels and versions count, such as "allowed_values": {"min_major": 20, "max_major": 60} for appVersion`,
    );
  }

  #named(counted: readonly (readonly [name: string, count: number])[]): string {
    return counted.map(([name, count]) => `${name.slice(0, SHOWN_CHARACTERS)} (${count})`).join(', ');
  }
}

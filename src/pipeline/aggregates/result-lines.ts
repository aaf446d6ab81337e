/**
 * Writes `result.txt` (docs/formats/results.md 4.1, 4.6): sorted lines, one per measure and by-date, numbers as the
 * shortest text that reads back the same.
 */
import type { PartSlot } from './part-line.ts';
import type { Slot } from './slot.ts';

/**
 * A line is cut, and its key repeated, once it has this many characters: a fourth of the bytes that a reader takes, since a
 * character may have three bytes and one more aggregate follows.
 */
const MAX_LINE_CHARACTERS = 4 << 20;

/**
 * Turns slots in slot order into lines without LF. A path with one length is written as the original did, one with
 * several as a list of aggregates, so that no contribution is lost before the published length is chosen.
 */
export function* resultLines(slots: Iterable<PartSlot>): Generator<string> {
  const writer = new ResultLineWriter();
  for (const { channelVersion, slot } of slots) {
    const line = writer.add(channelVersion, slot);
    if (line !== undefined) yield line;
  }
  const last = writer.end();
  if (last !== undefined) yield last;
}

/** The same, one slot at a time: for streams. */
export class ResultLineWriter {
  #key = '';
  #members: string[] = [];
  #path = '';
  #aggregates: string[] = [];
  /** Characters of the line, about. */
  #characters = 0;

  /** @returns the finished line before this slot, when the slot begins a new one */
  add(channelVersion: string, slot: Slot): string | undefined {
    const key = `${channelVersion}/${slot.measure}/${slot.byDate}`;
    const path = `${slot.date}/${slot.path}`;
    const isNext = key !== this.#key || this.#characters > MAX_LINE_CHARACTERS;
    const line = isNext ? this.end() : undefined;
    this.#key = key;
    if (path !== this.#path) {
      this.#closePath();
      this.#path = path;
    }
    const aggregate = aggregateJson(slot);
    this.#aggregates.push(aggregate);
    this.#characters += aggregate.length + path.length;
    return line;
  }

  /** @returns the last line, if there is one */
  end(): string | undefined {
    this.#closePath();
    const line = this.#members.length === 0 ? undefined : `${this.#key}\t{${this.#members.join(',')}}`;
    this.#members = [];
    this.#characters = 0;
    this.#key = '';
    this.#path = '';
    return line;
  }

  #closePath(): void {
    const [first, ...others] = this.#aggregates;
    if (first === undefined) return;
    const value = others.length === 0 ? first : `[${this.#aggregates.join(',')}]`;
    this.#members.push(`${JSON.stringify(this.#path)}:${value}`);
    this.#aggregates = [];
  }
}

function aggregateJson({ values, buildId, revision }: Slot): string {
  return `{"values":[${values.join(',')}],"buildId":"${buildId}","revision":${JSON.stringify(revision)}}`;
}

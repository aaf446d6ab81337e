/**
 * Reads `result.txt` (docs/formats/results.md 4.1): lines `channel/major/measure/by-date TAB {path: aggregate, …}`.
 *
 * A parser of its own and not JSON.parse: it goes over the bytes once, puts numbers straight into one arena and makes no
 * objects per aggregate. What it accepts is JSON all the same, plus,
 * per path, a list of aggregates of different lengths, which is how this project keeps them all.
 *
 * A result counts whole or not at all, so lines are staged: `takeRows` hands on their rows.
 *
 * Merging reads most lines in `src/kernels/merge`, and by this parser what is written in any other way. It is the
 * reference: tests compare the two.
 */
import { isCalendarDay } from '../calendar-day.ts';
import { RESERVED_OPTIONS } from '../dataset/filter-tree.ts';
import { isChannelVersion } from '../dataset/folder-name.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { JsonBytes } from '../json-bytes.ts';
import { isMeasureName } from '../safe-segment.ts';
import { clampStatistics, isResultRow, MAX_PATH, MAX_REVISION, MAX_ROW } from './row-limits.ts';
import { BY_DATES, type ByDate, TRAILER } from './slot.ts';

const BUILD_ID = /^(?:0|[0-9]{8,14})$/;

/** Members of an aggregate that were seen, as bits. */
const VALUES = 1;
const BUILD = 2;
const REVISION = 4;
const ALL = VALUES | BUILD | REVISION;

const VALUES_FIRST = Buffer.from('{"values":');
/** Bounds the memory for verdicts; a real data set has far fewer paths. */
const MAX_REMEMBERED = 50_000;

/** Why aggregates were dropped from a result that is otherwise good, counted. */
export type DropCounts = Record<string, number>;

export interface LineKey {
  readonly channelVersion: string;
  readonly measure: string;
  readonly byDate: ByDate;
}

/** Where `parseRest` begins: before the object of a line, behind the value of one of its members, or behind the object. */
export type RestOfLine = 'object' | 'after value' | 'after object';

/** A row that was staged; its values are a view. */
export interface StagedRow {
  /** `date/reason/app/os/osversion/arch` */
  readonly path: string;
  readonly values: Float64Array;
  readonly buildId: string;
  readonly revision: string;
}

interface AggregateEnd {
  readonly bytes: Uint8Array;
  readonly buildId: string;
  readonly revision: string;
}

/** How many known ends are compared; most differ within their first bytes. */
const MAX_ENDS = 12;
/** Longer ones are not kept: they are not repeated. */
const MAX_END_BYTES = 1024;

export class ResultParser {
  #stagedDrops: DropCounts = {};
  #arena = new Float64Array(1 << 16);
  #used = 0;
  /** Per row: path, build id, revision; and offset and length in the arena. */
  readonly #texts: string[] = [];
  readonly #places: number[] = [];
  /** Verdicts on paths and keys already seen. */
  readonly #paths = new Map<string, string>();
  readonly #keys = new Map<string, LineKey>();
  readonly #json = new JsonBytes();
  // Of the aggregate being read.
  #start = 0;
  #fault = '';
  #buildId = '';
  #revision = '';
  #seen = 0;
  #valuesAgain = false;
  /** What followed the values of good aggregates, and its meaning; the last one used is first. */
  readonly #ends: AggregateEnd[] = [];

  /**
   * Stages one line, and tells its key.
   * @param bytes the line without its LF is at [start, end)
   * @throws InvalidDataError when the whole result must be rejected: `no_tab`, `bad_result_key`, `bad_json`
   */
  parseLine(bytes: Uint8Array, start: number, end: number): LineKey {
    const tab = bytes.indexOf(0x09, start);
    if (tab < 0 || tab >= end) throw new InvalidDataError('no_tab', 'A line of the result has no TAB');
    const json = this.#json;
    const key = this.#lineKey(json.text(bytes, start, tab));
    this.parseRest(bytes, tab + 1, end, 'object');
    return key;
  }

  /**
   * Stages the rows of a line from [start, end) on, wherever in it that is.
   * @throws InvalidDataError `bad_json`
   */
  parseRest(bytes: Uint8Array, start: number, end: number, where: RestOfLine): void {
    const json = this.#json;
    json.open(bytes, start, end);
    if (where === 'object') {
      if (json.peek() !== JsonBytes.OBJECT) throw json.error('the part after TAB is no object');
      json.members(this.#onPath);
    } else if (where === 'after value') {
      json.moreMembers(this.#onPath);
    }
    json.close();
  }

  /** Hands on each row that is staged. */
  takeRows(take: (row: StagedRow) => void): void {
    for (let row = 0; 3 * row < this.#texts.length; row += 1) {
      const offset = this.#places[2 * row] ?? 0;
      take({
        path: this.#texts[3 * row] ?? '',
        values: this.#arena.subarray(offset, offset + (this.#places[2 * row + 1] ?? 0)),
        buildId: this.#texts[3 * row + 1] ?? '',
        revision: this.#texts[3 * row + 2] ?? '',
      });
    }
  }

  /** What was left out of the staged lines. */
  get stagedDrops(): DropCounts {
    return { ...this.#stagedDrops };
  }

  /** Empties the stage. */
  discard(): void {
    this.#texts.length = 0;
    this.#places.length = 0;
    this.#used = 0;
    this.#stagedDrops = {};
  }

  readonly #onPath = (path: string): void => {
    const fault = this.#pathFault(path);
    const json = this.#json;
    if (json.peek() === JsonBytes.ARRAY) {
      json.elements(() => {
        this.#readAggregate(path, fault);
      });
    } else {
      this.#readAggregate(path, fault);
    }
  };

  #readAggregate(path: string, pathFault: string): void {
    const json = this.#json;
    if (json.peek() !== JsonBytes.OBJECT) {
      json.skip();
      this.#drop(pathFault || 'bad_aggregate');
      return;
    }
    this.#start = this.#used;
    this.#fault = pathFault;
    this.#seen = 0;
    this.#valuesAgain = false;
    this.#readMembers();
    const length = this.#used - this.#start;
    const fault = this.#fault || this.#wholeFault(length);
    if (fault === '') {
      // The original wrote sums that overflowed; the buckets beside them are good.
      const clamped = clampStatistics(this.#arena, this.#used);
      if (clamped > 0) this.#drop('clamped_sum', clamped);
      this.#texts.push(path, this.#buildId, this.#revision);
      this.#places.push(this.#start, length);
    } else {
      this.#used = this.#start;
      this.#drop(fault);
    }
  }

  /** Nearly every aggregate begins with its values and ends in bytes seen before: a result names few builds. */
  #readMembers(): void {
    const json = this.#json;
    if (!json.take(VALUES_FIRST)) {
      json.members(this.#onMember);
      return;
    }
    this.#seen = VALUES;
    this.#readValues();
    if (this.#takeKnownEnd()) return;
    const end = json.mark();
    json.moreMembers(this.#onMember);
    if (this.#seen === ALL && this.#fault === '' && !this.#valuesAgain) {
      if (json.mark() - end > MAX_END_BYTES) return;
      this.#ends.unshift({ bytes: json.since(end), buildId: this.#buildId, revision: this.#revision });
      this.#ends.length = Math.min(this.#ends.length, MAX_ENDS);
    }
  }

  #takeKnownEnd(): boolean {
    for (let index = 0; index < this.#ends.length; index += 1) {
      const end = this.#ends[index] as AggregateEnd;
      if (!this.#json.take(end.bytes)) continue;
      if (index > 0) {
        this.#ends[index] = this.#ends[0] as AggregateEnd;
        this.#ends[0] = end;
      }
      this.#seen = ALL;
      this.#buildId = end.buildId;
      this.#revision = end.revision;
      return true;
    }
    return false;
  }

  readonly #onMember = (name: string): void => {
    const json = this.#json;
    if (name === 'values') {
      this.#valuesAgain = (this.#seen & VALUES) !== 0;
      this.#seen |= VALUES;
      this.#readValues();
    } else if (name === 'buildId' || name === 'revision') {
      if (json.peek() !== JsonBytes.STRING) {
        json.skip();
        this.#fault ||= name === 'buildId' ? 'bad_build_id' : 'bad_revision';
        return;
      }
      const text = json.string();
      if (name === 'buildId') {
        this.#seen |= BUILD;
        this.#buildId = text;
        if (!BUILD_ID.test(text)) this.#fault ||= 'bad_build_id';
      } else {
        this.#seen |= REVISION;
        this.#revision = text;
        if (text.length > MAX_REVISION) this.#fault ||= 'bad_revision';
      }
    } else {
      json.skip();
    }
  };

  #readValues(): void {
    const json = this.#json;
    if (json.peek() !== JsonBytes.ARRAY) {
      json.skip();
      this.#fault ||= 'bad_values';
      return;
    }
    this.#used = this.#start;
    if (this.#arena.length < this.#used + MAX_ROW + 1) {
      const larger = new Float64Array(2 * this.#arena.length);
      larger.set(this.#arena.subarray(0, this.#used));
      this.#arena = larger;
    }
    const outcome = json.numbers(this.#arena, this.#used, MAX_ROW);
    if (typeof outcome === 'number') this.#used += outcome;
    else this.#fault ||= outcome;
  }

  #wholeFault(length: number): string {
    if ((this.#seen & VALUES) === 0) return 'bad_values';
    if ((this.#seen & BUILD) === 0) return 'bad_build_id';
    if ((this.#seen & REVISION) === 0) return 'bad_revision';
    if (length === 0) return 'empty_aggregate';
    if (length < TRAILER + 1) return 'bad_values';
    return isResultRow(this.#arena, this.#start, this.#used) ? '' : 'bad_values';
  }

  #pathFault(path: string): string {
    if (path.length > MAX_PATH) return 'bad_path';
    let fault = this.#paths.get(path);
    if (fault === undefined) {
      fault = pathFault(path);
      if (this.#paths.size >= MAX_REMEMBERED) this.#paths.clear();
      this.#paths.set(path, fault);
    }
    return fault;
  }

  #lineKey(text: string): LineKey {
    let key = this.#keys.get(text);
    if (key === undefined) {
      key = parseKey(text);
      if (this.#keys.size >= MAX_REMEMBERED) this.#keys.clear();
      this.#keys.set(text, key);
    }
    return key;
  }

  #drop(reason: string, count = 1): void {
    this.#stagedDrops[reason] = (this.#stagedDrops[reason] ?? 0) + count;
  }
}

/** `date/reason/app/os/osversion/arch`, no part empty, and no name that the filter tree reserves. */
export function pathFault(path: string): '' | 'bad_path' | 'bad_date' {
  const parts = path.split('/');
  if (parts.length !== 6 || /[\x00-\x1f\x7f]/.test(path)) return 'bad_path';
  if (parts.some((part) => part === '' || RESERVED_OPTIONS.has(part))) return 'bad_path';
  return isCalendarDay(parts[0] ?? '') ? '' : 'bad_date';
}

/** @throws InvalidDataError `bad_result_key` */
export function parseKey(text: string): LineKey {
  const [channel = '', major = '', measure = '', byDate = '', ...more] = text.split('/');
  const index = BY_DATES.indexOf(byDate as (typeof BY_DATES)[number]);
  const channelVersion = `${channel}/${major}`;
  if (more.length > 0 || !isChannelVersion(channelVersion) || !isMeasureName(measure) || index < 0) {
    throw new InvalidDataError(
      'bad_result_key',
      `Not channel/major/measure/by-date: ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
  return { channelVersion, measure, byDate: BY_DATES[index as 0 | 1] };
}

/**
 * One submission: a line `<id> TAB <json>` of a submission file, and the fields of it that count
 * (docs/formats/submissions.md 3.1, 3.4).
 *
 * The sums read what browsers write; the reader goes over the bytes of any other record, or of the part of it that they cannot
 * read. Neither makes objects of the histograms: these lines are 50 KB of numbers each, and that would cost more than all the
 * rest of the aggregation. Nothing of a record is counted before its last byte was found good, so a reader is filled by `read`
 * and then asked.
 */
import { MAX_REVISION } from '../aggregates/row-limits.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { JsonBytes } from '../json-bytes.ts';
import { INFO_NAMES, type InfoName, type SubmissionSums } from './sums.ts';

/** Payload versions with the classic shape; others hold nothing this pipeline could read. */
const READ_PAYLOADS: ReadonlySet<unknown> = new Set([undefined, 2, 5]);

const TAB = 0x09;
/** Histograms, and simple measurements, of one submission; browsers have about a thousand of the former. */
const MAX_NAMES = 4000;
/** How often `histograms` may come in one submission: the sums keep the names of all of them. */
const MAX_OBJECTS = 8;

type Scalar = string | number | null | undefined;

function isInfo(name: string): name is InfoName {
  return (INFO_NAMES as readonly string[]).includes(name);
}

export class SubmissionReader {
  os = '';
  osVersion: string | number = '';
  arch = '';
  /** Undefined when the submission names none. */
  revision: string | undefined;

  /** Takes the histograms and simple measurements. */
  readonly #sums: SubmissionSums;
  readonly #numbers: Float64Array;
  #histograms = 0;
  #objects = 0;
  #simple = 0;
  #simpleGroup = '';
  readonly #json = new JsonBytes();
  #ver: Scalar;
  #hasInfo = false;
  #info: { [Name in InfoName]?: Scalar } = {};

  /**
   * @param sums takes the histograms and simple measurements of each record that is read
   * @param maxHistogram longest array taken, in numbers
   */
  constructor(sums: SubmissionSums, maxHistogram: number) {
    this.#sums = sums;
    this.#numbers = new Float64Array(maxHistogram);
  }

  /**
   * Reads the line at [start, end), without its LF.
   * @returns '' or why it is no submission: `empty_line`, `no_tab`. Not thrown: a small file may hold millions of such lines
   * @throws InvalidDataError with the reason that is counted: `bad_json`, `no_info`, `bad_os` …
   */
  read(bytes: Uint8Array, start: number, end: number): '' | 'empty_line' | 'no_tab' {
    // `indexOf` would look beyond the line: without end in a block of lines that have no TAB.
    let tab = start;
    while (tab < end && bytes[tab] !== TAB) tab += 1;
    if (tab === end) return start === end ? 'empty_line' : 'no_tab';
    const json = this.#json;
    this.#reset();
    json.open(bytes, tab + 1, end);
    const behind = this.#sums.readSubmission(bytes, tab + 1);
    if (behind > 0) this.#readValues(behind);
    else this.#readMembers();
    json.close();
    this.#check();
    return '';
  }

  #reset(): void {
    this.#ver = undefined;
    this.#hasInfo = false;
    this.#info = {};
    this.#objects = 0;
  }

  #clearHistograms(): void {
    this.#histograms = 0;
    this.#sums.beginHistograms();
  }

  #clearSimple(): void {
    this.#simple = 0;
    this.#sums.beginSimple();
  }

  #check(): void {
    if (!READ_PAYLOADS.has(this.#ver))
      throw new InvalidDataError('unsupported_ver', 'The payload version is neither 2 nor 5');
    if (!this.#hasInfo) throw new InvalidDataError('no_info', 'info is missing or no object');
    const { OS: os, version, arch, revision } = this.#info;
    if (typeof os !== 'string') throw new InvalidDataError('bad_os', 'info.OS is no text');
    if (typeof version !== 'string' && !(typeof version === 'number' && Number.isFinite(version))) {
      throw new InvalidDataError('bad_os_version', 'info.version is neither text nor number');
    }
    if (typeof arch !== 'string') throw new InvalidDataError('bad_arch', 'info.arch is no text');
    if (revision !== undefined && typeof revision !== 'string')
      throw new InvalidDataError('bad_revision', 'info.revision is no text');
    if (revision !== undefined && revision.length > MAX_REVISION)
      throw new InvalidDataError('bad_revision', `info.revision has more than ${MAX_REVISION} characters`);
    this.os = os;
    this.osVersion = version;
    this.arch = arch;
    this.revision = revision;
  }

  /** Of a submission that the sums have read. */
  #readValues(behind: number): void {
    const json = this.#json;
    const ver = this.#sums.valueAt('ver');
    if (ver !== undefined) {
      json.reset(ver);
      this.#ver = this.#scalar();
    }
    this.#hasInfo = this.#sums.valueAt('info') !== undefined;
    if (this.#hasInfo) this.#readInfoValues();
    json.reset(behind);
  }

  #readInfoValues(): void {
    for (const name of INFO_NAMES) {
      const at = this.#sums.valueAt(name);
      if (at === undefined) continue;
      this.#json.reset(at);
      this.#info[name] = this.#scalar();
    }
  }

  #readMembers(): void {
    const json = this.#json;
    this.#clearHistograms();
    this.#clearSimple();
    if (json.peek() !== JsonBytes.OBJECT) throw json.error('the record is no object');
    json.members(this.#onMember);
  }

  // When a member comes twice, the last one counts, as with any JSON parser.
  readonly #onMember = (name: string): void => {
    const json = this.#json;
    const isObject = json.peek() === JsonBytes.OBJECT;
    if (name === 'histograms') {
      this.#countObject();
      this.#clearHistograms();
      if (isObject) this.#readHistograms();
      else json.skip();
    } else if (name === 'simpleMeasurements') {
      this.#clearSimple();
      if (isObject) this.#readSimple();
      else json.skip();
    } else if (name === 'info') {
      this.#hasInfo = isObject;
      this.#info = {};
      if (isObject) this.#readInfo();
      else json.skip();
    } else if (name === 'ver') {
      this.#ver = this.#scalar();
    } else {
      json.skip();
    }
  };

  #readInfo(): void {
    const json = this.#json;
    const behind = this.#sums.readInfo(json.bytes, json.mark());
    if (behind === 0) {
      json.members(this.#onInfo);
      return;
    }
    this.#readInfoValues();
    json.reset(behind);
  }

  readonly #onInfo = (name: string): void => {
    if (isInfo(name)) this.#info[name] = this.#scalar();
    else this.#json.skip();
  };

  #readHistograms(): void {
    const json = this.#json;
    const behind = this.#sums.readHistograms(json.bytes, json.mark());
    if (behind > 0) {
      json.reset(behind);
      return;
    }
    this.#clearHistograms();
    json.members(this.#onHistogram);
  }

  readonly #onHistogram = (name: string): void => {
    const json = this.#json;
    this.#countName(this.#histograms);
    let length = 0;
    if (json.peek() === JsonBytes.ARRAY) {
      const outcome = json.numbers(this.#numbers, 0, this.#numbers.length);
      if (typeof outcome === 'number') length = outcome;
    } else {
      json.skip();
    }
    this.#histograms += 1;
    this.#sums.noteHistogram(name, this.#numbers, length);
  };

  #readSimple(): void {
    const json = this.#json;
    const behind = this.#sums.readSimple(json.bytes, json.mark());
    if (behind > 0) {
      json.reset(behind);
      return;
    }
    this.#clearSimple();
    json.members(this.#onSimple);
  }

  readonly #onSimple = (name: string): void => {
    const json = this.#json;
    if (json.peek() === JsonBytes.OBJECT) {
      this.#simpleGroup = name;
      json.members(this.#onSimpleOfGroup);
    } else {
      this.#simpleValue(name, undefined);
    }
  };

  readonly #onSimpleOfGroup = (sub: string): void => {
    this.#simpleValue(this.#simpleGroup, sub);
  };

  #simpleValue(name: string, sub: string | undefined): void {
    const value = this.#scalar();
    if (typeof value !== 'number') return;
    this.#countName(this.#simple);
    this.#simple += 1;
    this.#sums.noteSimple(name, sub, value);
  }

  #countObject(): void {
    this.#objects += 1;
    if (this.#objects > MAX_OBJECTS)
      throw new InvalidDataError('too_many_measures', `The submission has histograms more than ${MAX_OBJECTS} times`);
  }

  #countName(before: number): void {
    if (before >= MAX_NAMES)
      throw new InvalidDataError('too_many_measures', `The submission has more than ${MAX_NAMES} measures`);
  }

  /** A text or number; null for anything else, which is skipped. */
  #scalar(): Scalar {
    const json = this.#json;
    const first = json.peek();
    if (first === JsonBytes.STRING) return json.string();
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return json.number();
    json.skip();
    return null;
  }
}

/**
 * Reads JSON that this system stored earlier. Every deviation from the expected shape is damage: it is reported with its
 * place and never repaired by a guess.
 */
import { InvalidDataError, type InvalidDataReason } from './invalid-data.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';

/** One value of a stored document, with the place it has there. */
export class StoredJson {
  readonly value: unknown;
  readonly #reason: InvalidDataReason;
  readonly #place: string;

  private constructor(value: unknown, reason: InvalidDataReason, place: string) {
    this.value = value;
    this.#reason = reason;
    this.#place = place;
  }

  /**
   * @param document name of the document for error messages, such as `versions.json`
   * @throws InvalidDataError with `reason`, here and in all members
   */
  static parse(text: string, reason: InvalidDataReason, document: string): StoredJson {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new InvalidDataError(reason, `${document} is not JSON`);
    }
    if (isTooDeep(value)) throw new InvalidDataError(reason, `${document} is nested deeper than ${MAX_NESTING} levels`);
    return new StoredJson(value, reason, document);
  }

  /**
   * The same for a document of the private bucket, which may say in `format` how it is written. This release writes and
   * reads the first format, which says nothing.
   */
  static document(text: string, reason: InvalidDataReason, document: string): StoredJson {
    const root = StoredJson.parse(text, reason, document);
    const format = root.optional('format')?.value ?? 1;
    if (format !== 1)
      throw new InvalidDataError(reason, `${document} has format ${JSON.stringify(format)}, of another release`);
    return root;
  }

  /** Throws for this value: `expected` completes the sentence "… should be". */
  fail(expected: string): never {
    throw new InvalidDataError(this.#reason, `${this.#place} should be ${expected}`);
  }

  /** The members of an object, in stored order (texts that are integers first, as JSON.parse puts them). */
  entries(): [name: string, value: StoredJson][] {
    return Object.entries(this.#object()).map(([name, value]) => [name, this.#inner(value, name)]);
  }

  /** A required member of an object. */
  member(name: string): StoredJson {
    return this.optional(name) ?? this.#inner(undefined, name).fail('present');
  }

  /** A member of an object; undefined when absent. */
  optional(name: string): StoredJson | undefined {
    const object = this.#object();
    return Object.hasOwn(object, name) ? this.#inner(object[name], name) : undefined;
  }

  items(): StoredJson[] {
    if (!Array.isArray(this.value)) this.fail('a list');
    return this.value.map((item: unknown, index) => this.#inner(item, String(index)));
  }

  /** A text that matches `pattern`; without one, any text but the empty one. */
  text(pattern?: RegExp): string {
    if (typeof this.value === 'string' && (pattern === undefined ? this.value !== '' : pattern.test(this.value)))
      return this.value;
    this.fail(pattern === undefined ? 'a text' : `a text like ${String(pattern)}`);
  }

  /** A text that `accepts` takes; `expected` names such a text in the error. */
  textThat(accepts: (text: string) => boolean, expected: string): string {
    const text = this.text();
    return accepts(text) ? text : this.fail(expected);
  }

  /** A text that may be empty. */
  anyText(): string {
    if (typeof this.value !== 'string') this.fail('a text');
    return this.value;
  }

  /** An instant, ISO 8601 in UTC, that exists. */
  instant(): string {
    const instant = this.text(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    return Number.isFinite(Date.parse(instant)) ? instant : this.fail('an instant');
  }

  /** An integer of 0 to 2^53−1. */
  count(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 0) this.fail('a count');
    return this.value as number;
  }

  /** A list, each item as `read` makes of it. */
  list<T>(read: (item: StoredJson) => T): T[] {
    return this.items().map(read);
  }

  /** An object whose members are counts. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.entries().map(([name, value]) => [name, value.count()]));
  }

  /** null, or what `read` makes of the value. */
  nullOr<T>(read: (value: StoredJson) => T): T | null {
    return this.value === null ? null : read(this);
  }

  #object(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) this.fail('an object');
    return this.value as Readonly<Record<string, unknown>>;
  }

  #inner(value: unknown, name: string): StoredJson {
    return new StoredJson(value, this.#reason, `${this.#place} → ${name.slice(0, 100)}`);
  }
}

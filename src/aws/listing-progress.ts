/** Whether the pages of one listing go forward: what a page has listed must not come again, or the listing never ends. */

/** So many keys in ascending order are no accident: the store sorts. */
const SORTED_KEYS = 12;

/** Notes one level's pages; its memory is the same for a listing of any length. */
export class ListingProgress {
  readonly #tokens = new Repetition();
  readonly #firsts = new Repetition();
  /** Of the objects; folders are a sequence of their own. */
  #last: string | undefined;
  #ascending = 0;
  #isUnsorted = false;

  /** @returns why the page is wrong; undefined when it is not */
  faultOfKeys(keys: readonly string[], folders: readonly string[]): string | undefined {
    const first = keys[0] ?? folders[0];
    if (first !== undefined && this.#firsts.isKnown(first)) return `lists ${first} again`;
    const wrong = keys.find((key, index) => !this.#mayFollow(key, index === 0));
    return wrong === undefined ? undefined : `lists ${wrong} again, or out of order`;
  }

  #mayFollow(key: string, isFirst: boolean): boolean {
    const order = this.#last === undefined ? 1 : compareBytes(key, this.#last);
    if (order === 0 || (order < 0 && isFirst && this.#sorts)) return false;
    if (order < 0) this.#isUnsorted = true;
    else if (!isFirst) this.#ascending += 1;
    this.#last = key;
    return true;
  }

  /** Whether the token of a page has led to an earlier page. */
  isKnownToken(token: string): boolean {
    return this.#tokens.isKnown(token);
  }

  // S3 sorts by bytes, but for directory buckets; of those nothing can be said of two pages.
  get #sorts(): boolean {
    return !this.#isUnsorted && this.#ascending >= SORTED_KEYS;
  }
}

/**
 * Finds that texts go in a circle of any length. It keeps one of them, in turn the first, second, fourth, … (Brent), so
 * it finds a circle some turns after it began.
 */
class Repetition {
  #kept: string | undefined;
  #seen = 0;
  #keepAt = 1;

  isKnown(text: string): boolean {
    if (text === this.#kept) return true;
    this.#seen += 1;
    if (this.#seen === this.#keepAt) {
      this.#kept = text;
      this.#keepAt *= 2;
    }
    return false;
  }
}

/** Code units agree with bytes below U+D800, and are quicker. */
function compareBytes(a: string, b: string): number {
  return a === b ? 0 : a > b ? 1 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

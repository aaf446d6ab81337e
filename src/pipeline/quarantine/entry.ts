/** What a quarantine object holds, and how one is named by the beginning of its SHA. */
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';

export interface QuarantineEntry {
  /** `done_message`, `result` or `adopted_measure`. */
  readonly what: string;
  /** Short machine name of the broken rule. */
  readonly reason: string;
  /** For people: what is wrong with what. */
  readonly message: string;
  /** The refused message body, or the address of the refused object. */
  readonly content: string;
}

const MIN_PREFIX = 6;
const PREFIX = new RegExp(`^[0-9a-f]{${MIN_PREFIX},64}$`);

/** @throws InvalidDataError `bad_entry` */
export function parseQuarantineEntry(text: string): QuarantineEntry {
  const root = StoredJson.document(text, 'bad_entry', 'quarantine object');
  const member = (name: string): string => root.member(name).anyText();
  return { what: member('what'), reason: member('reason'), message: member('message'), content: member('content') };
}

/**
 * The beginning of a SHA as a person gives it, in lower case.
 * @throws InvalidDataError `bad_sha`
 */
export function checkedShaPrefix(given: string): string {
  const prefix = given.toLowerCase();
  if (PREFIX.test(prefix)) return prefix;
  throw new InvalidDataError(
    'bad_sha',
    `${given}: give at least the first ${MIN_PREFIX} digits of the SHA, as "telemetry quarantine list" shows it`,
  );
}

/**
 * The one SHA that begins like this.
 * @throws InvalidDataError `unknown_sha`, `ambiguous_sha`
 */
export function onlySha(prefix: string, found: readonly string[]): string {
  const [sha, ...others] = found;
  if (sha === undefined) throw new InvalidDataError('unknown_sha', `Nothing in the quarantine begins with ${prefix}`);
  if (others.length > 0) {
    const named = found.slice(0, 5).map((each) => each.slice(0, prefix.length + 6));
    throw new InvalidDataError(
      'ambiguous_sha',
      `${found.length} begin with ${prefix}: ${named.join(', ')}; give more digits`,
    );
  }
  return sha;
}

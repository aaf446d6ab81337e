/**
 * The filter document: which values of the six dimensions of an input key are wanted
 * (docs/formats/input-bucket.md 1.3).
 */
import { InvalidDataError } from '../invalid-data.ts';
import { isTooDeep, MAX_NESTING } from '../nesting.ts';

/** A filter travels through the history of its run. */
const MAX_FILTER_CHARACTERS = 64 << 10;
const SHOWN_CHARACTERS = 100;

/** The dimensions of an input key, in key order. */
export const DIMENSIONS = [
  'reason',
  'appName',
  'appUpdateChannel',
  'appVersion',
  'appBuildID',
  'submission_date',
] as const;

export type AllowedValues = string | readonly string[] | TextRange | MajorRange;

export interface TextRange {
  readonly min?: string;
  readonly max?: string;
}

/** Versions by the number before the first dot, which is what the data set keeps of them. */
export interface MajorRange {
  readonly min_major?: number;
  readonly max_major?: number;
}

/** A validated filter document; plain JSON, so that it can be stored in a plan and shown to people. */
export interface Filter {
  readonly version: 1;
  readonly dimensions: readonly { readonly field_name: string; readonly allowed_values: AllowedValues }[];
}

/** The writer's rule for values in keys: every character outside `A-Z a-z 0-9 _ / .` becomes one `_`. */
export function sanitise(value: string): string {
  return value.replaceAll(/[^A-Za-z0-9_/.]/gu, '_');
}

/**
 * Checks a parsed document and returns it as a filter.
 * @throws InvalidDataError `invalid_filter`, naming the dimension and what to write instead
 */
export function parseFilter(document: unknown): Filter {
  if (!isObject(document)) throw invalid('the document must be a JSON object');
  if (isTooDeep(document)) throw invalid(`the document is nested deeper than ${MAX_NESTING} levels`);
  if (JSON.stringify(document).length > MAX_FILTER_CHARACTERS)
    throw invalid(`the document has more than ${MAX_FILTER_CHARACTERS} characters; use ranges instead of long lists`);
  rejectUnknownKeys(document, ['version', 'dimensions'], 'the document');
  if (document['version'] !== 1) throw invalid('"version" must be 1');
  const dimensions = document['dimensions'];
  if (!Array.isArray(dimensions) || dimensions.length !== DIMENSIONS.length) {
    const found = Array.isArray(dimensions) ? `${dimensions.length} entries` : 'no list';
    throw invalid(
      `"dimensions" must list exactly ${DIMENSIONS.length} dimensions (${DIMENSIONS.join(', ')}); found ${found}`,
    );
  }
  return { version: 1, dimensions: DIMENSIONS.map((name, index) => parseDimension(dimensions[index], name, index)) };
}

/** Whether a dimension admits a value; `level` counts from 0 in key order. Comparison is on text, never numeric. */
export function compileFilter(filter: Filter): (level: number, value: string) => boolean {
  const tests = filter.dimensions.map(({ allowed_values }) => compileValues(allowed_values));
  return (level, value) => tests[level]?.(value) ?? false;
}

function compileValues(allowed: AllowedValues): (value: string) => boolean {
  if (allowed === '*') return () => true;
  if (typeof allowed === 'string') {
    const only = sanitise(allowed);
    return (value) => value === only;
  }
  if (isList(allowed)) {
    const set = new Set(allowed.map(sanitise));
    return (value) => set.has(value);
  }
  if (isMajorRange(allowed)) return admitsMajor(allowed);
  const { min, max } = allowed;
  return (value) => (min === undefined || value >= min) && (max === undefined || value <= max);
}

const MAX_MAJOR = 9999;
const MAJOR = /^(0|[1-9]\d{0,3})(?:\.|$)/;

function admitsMajor({ min_major: min = 0, max_major: max = Infinity }: MajorRange): (value: string) => boolean {
  return (value) => {
    const major = Number(MAJOR.exec(value)?.[1] ?? NaN);
    return major >= min && major <= max;
  };
}

function parseDimension(entry: unknown, name: string, index: number): Filter['dimensions'][number] {
  const place = `dimension ${index + 1} (${name})`;
  if (!isObject(entry)) throw invalid(`${place} must be an object with "field_name" and "allowed_values"`);
  rejectUnknownKeys(entry, ['field_name', 'allowed_values'], place);
  if (entry['field_name'] !== name) {
    throw invalid(`${place}: "field_name" must be "${name}", found ${shown(entry['field_name'])}`);
  }
  return { field_name: name, allowed_values: parseAllowed(entry['allowed_values'], place) };
}

function parseAllowed(allowed: unknown, place: string): AllowedValues {
  if (typeof allowed === 'string') {
    if (allowed === '') throw invalid(`${place}: an empty text admits nothing; use "*" for all`);
    return allowed;
  }
  if (Array.isArray(allowed)) return parseList(allowed, place);
  if (isObject(allowed)) return isMajorRange(allowed) ? parseMajors(allowed, place) : parseRange(allowed, place);
  throw invalid(
    `${place}: "allowed_values" must be "*", a text, a list of texts, {"min","max"} or {"min_major","max_major"}; found ${shown(allowed)}`,
  );
}

function parseList(list: readonly unknown[], place: string): readonly string[] {
  if (list.length === 0) throw invalid(`${place}: the list is empty and would admit nothing`);
  for (const value of list) {
    if (typeof value !== 'string' || value === '') {
      throw invalid(`${place}: every list element must be a text, found ${shown(value)}`);
    }
    if (value === '*')
      throw invalid(`${place}: "*" in a list is no wildcard; use the string form "allowed_values": "*"`);
  }
  return list as readonly string[];
}

function parseRange(range: Record<string, unknown>, place: string): TextRange {
  const bounds = parseBounds(range, ['min', 'max'], place, (bound, side) => {
    if (typeof bound !== 'string') throw invalid(`${place}: "${side}" must be a text, found ${shown(bound)}`);
    if (sanitise(bound) !== bound)
      throw invalid(`${place}: "${side}" has a character that no stored value can have: ${shown(bound)}`);
    return bound;
  });
  if (bounds.min !== undefined && bounds.max !== undefined && bounds.min > bounds.max) {
    throw invalid(`${place}: empty range, "min" ${bounds.min} is greater than "max" ${bounds.max}`);
  }
  return bounds;
}

function parseMajors(range: Record<string, unknown>, place: string): MajorRange {
  const bounds = parseBounds(range, ['min_major', 'max_major'], place, (bound, side) => {
    if (typeof bound === 'number' && Number.isInteger(bound) && bound >= 0 && bound <= MAX_MAJOR) return bound;
    throw invalid(`${place}: "${side}" must be a whole number from 0 to ${MAX_MAJOR}, found ${shown(bound)}`);
  });
  const { min_major: min = 0, max_major: max = MAX_MAJOR } = bounds;
  if (min > max) throw invalid(`${place}: empty range, "min_major" ${min} is greater than "max_major" ${max}`);
  return bounds;
}

/** The sides of a range that are given. */
function parseBounds<Side extends string, Bound>(
  range: Record<string, unknown>,
  sides: readonly Side[],
  place: string,
  read: (bound: unknown, side: Side) => Bound,
): { [Given in Side]?: Bound } {
  rejectUnknownKeys(range, sides, place);
  const bounds: { [Given in Side]?: Bound } = {};
  for (const side of sides) if (range[side] !== undefined) bounds[side] = read(range[side], side);
  return bounds;
}

function rejectUnknownKeys(object: Record<string, unknown>, known: readonly string[], place: string): void {
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    throw invalid(
      `${place} has unknown members: ${unknown.join(', ').slice(0, SHOWN_CHARACTERS)} (known: ${known.join(', ')})`,
    );
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, SHOWN_CHARACTERS);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMajorRange(value: object): value is MajorRange {
  return 'min_major' in value || 'max_major' in value;
}

function isList(value: AllowedValues): value is readonly string[] {
  return Array.isArray(value);
}

function invalid(message: string): InvalidDataError {
  return new InvalidDataError('invalid_filter', `Filter: ${message}`);
}

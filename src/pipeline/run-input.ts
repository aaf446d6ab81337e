/** Inputs of the workflows: plain JSON objects in which every member has a default, checked before anything else happens. */
import { InvalidDataError } from './invalid-data.ts';

export interface Patience {
  /** After this time without a result a task's output is looked for, and the task is sent again. */
  readonly stragglerSeconds: number;
  /** After this time the run goes on without what is missing. */
  readonly giveUpSeconds: number;
  /** How often tasks are sent again at most. */
  readonly maxResends: number;
}

export interface DailyAnalysisInput extends Partial<Patience> {
  /** `YYYYMMDD`; default: the day before the scheduled start. */
  readonly day?: string;
  /** A filter document instead of the configured template. */
  readonly filter?: unknown;
  readonly allowFuture?: boolean;
  /** Analyse more than the worker's settings take for meant. */
  readonly allowLargePlan?: boolean;
}

export interface InvestigationInput extends Partial<Patience> {
  readonly name?: string;
  readonly day?: string;
  readonly filter?: unknown;
  /** Input keys instead of a filter. */
  readonly keys?: readonly string[];
  /** Key, in the analysis bucket, of a text with one input key a line. */
  readonly keyList?: string;
  /** As of a daily analysis. */
  readonly allowLargePlan?: boolean;
}

export interface AggregationInput {
  /** A round is published when so many results wait … */
  readonly roundResults?: number;
  /** … or when one waits and the last publish is so long ago. Defaults: the worker's settings. */
  readonly roundSeconds?: number;
  /** What a run hands to the one that continues it; not for people. */
  readonly carried?: { readonly publishedAt: number; readonly rounds: number; readonly results: number };
}

/** The source is no part of it: whoever may start workflows could publish anything from anywhere. */
export interface WebsiteUpdateInput {
  /** Publish although many of the site's objects will be deleted. */
  readonly force?: boolean;
  /** Find out what would be written, and write nothing. */
  readonly dryRun?: boolean;
}

export interface GarbageCollectionInput {
  /** Find out what would be removed, and remove nothing. */
  readonly dryRun?: boolean;
  /** Remove also when more than half of the folders would go. */
  readonly force?: boolean;
  /** Objects that one run removes at most. */
  readonly maxDeletions?: number;
}

const DEFAULT_PATIENCE: Patience = { stragglerSeconds: 8 * 3600, giveUpSeconds: 20 * 3600, maxResends: 2 };

/** How many keys an input may carry; longer lists belong into an object, see `keyList`. */
const MAX_KEYS = 100;

/** A round's results and all their file names are looked at in memory. */
export const MAX_ROUND_RESULTS = 5000;

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be a text');
const boolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const object: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : 'must be a filter document (an object)';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const count: Check = (value) => (isCount(value) ? undefined : 'must be a whole number, 0 or more');
const keys: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.length <= MAX_KEYS && value.every((key) => typeof key === 'string')
    ? undefined
    : `must be a list of 1 to ${MAX_KEYS} input keys; store a longer list in the analysis bucket and name it in "keyList"`;

const positive: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : 'must be a whole number greater than 0';
const roundResults: Check = (value) =>
  positive(value) ?? ((value as number) <= MAX_ROUND_RESULTS ? undefined : `must be at most ${MAX_ROUND_RESULTS}`);
const carried: Check = (value) =>
  object(value) === undefined &&
  ['publishedAt', 'rounds', 'results'].every((name) => isCount((Object(value) as Record<string, unknown>)[name]))
    ? undefined
    : 'is set by the run before; leave it out';

const PATIENCE_CHECKS = { stragglerSeconds: count, giveUpSeconds: count, maxResends: count };

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseDailyAnalysisInput(input: unknown): DailyAnalysisInput & Patience {
  const checked = check('dailyAnalysis', input, {
    day: text,
    filter: object,
    allowFuture: boolean,
    allowLargePlan: boolean,
    ...PATIENCE_CHECKS,
  });
  return patient('dailyAnalysis', { ...DEFAULT_PATIENCE, ...checked });
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseInvestigationInput(
  input: unknown,
  namePattern: RegExp,
): InvestigationInput & Patience & { readonly name: string } {
  const name: Check = (value) =>
    typeof value === 'string' && namePattern.test(value)
      ? undefined
      : 'must be 1 to 32 of a-z 0-9 -, beginning and ending with a letter or digit';
  const checked = check(
    'investigation',
    input,
    { name, day: text, filter: object, keys, keyList: text, allowLargePlan: boolean, ...PATIENCE_CHECKS },
    ['name'],
  );
  const sources = ['filter', 'keys', 'keyList'].filter((member) => checked[member] !== undefined);
  if (sources.length > 1) throw invalid('investigation', [`give only one of ${sources.join(', ')}`]);
  if (sources.length === 0 && checked['day'] === undefined) {
    throw invalid('investigation', [
      'say what to analyse: "day" (with the configured filter), "filter", "keys" or "keyList"',
    ]);
  }
  if (
    checked['filter'] !== undefined &&
    checked['day'] === undefined &&
    JSON.stringify(checked['filter']).includes('DATE')
  ) {
    throw invalid('investigation', ['"day" is missing, which the DATE in "filter" stands for']);
  }
  return patient('investigation', { ...DEFAULT_PATIENCE, ...checked } as InvestigationInput &
    Patience & { name: string });
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseAggregationInput(input: unknown): AggregationInput {
  return check('continuousAggregation', input, { roundResults, roundSeconds: positive, carried });
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseWebsiteUpdateInput(input: unknown): Required<WebsiteUpdateInput> {
  return { force: false, dryRun: false, ...check('websiteUpdate', input, { force: boolean, dryRun: boolean }) };
}

const MAX_DELETIONS = 20_000;

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseGarbageCollectionInput(input: unknown): Required<GarbageCollectionInput> {
  const checks = { dryRun: boolean, force: boolean, maxDeletions: positive };
  return { dryRun: false, force: false, maxDeletions: MAX_DELETIONS, ...check('garbageCollection', input, checks) };
}

/** Every look for stragglers is a piece of the run's history, which is limited. */
const MAX_LOOKS = 100;

function patient<Input extends Patience>(workflow: string, input: Input): Input {
  if (input.stragglerSeconds * MAX_LOOKS >= input.giveUpSeconds) return input;
  throw invalid(workflow, [
    `"stragglerSeconds" ${input.stragglerSeconds} would look for stragglers more than ${MAX_LOOKS} times within "giveUpSeconds" ${input.giveUpSeconds}; make it larger`,
  ]);
}

function check(
  workflow: string,
  input: unknown,
  checks: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
): Record<string, unknown> {
  if (input !== undefined && input !== null && object(input) !== undefined)
    throw invalid(workflow, ['the input must be one JSON object']);
  const members = Object.fromEntries(
    Object.entries((input ?? {}) as Record<string, unknown>).filter(
      ([, value]) => value !== undefined && value !== null,
    ),
  );
  const problems = Object.entries(members).flatMap(([member, value]) => {
    const test = Object.hasOwn(checks, member) ? checks[member] : undefined;
    if (test === undefined) return [`"${member}" is not known (known: ${Object.keys(checks).join(', ')})`];
    const problem = test(value);
    return problem === undefined ? [] : [`"${member}" ${problem}, found ${JSON.stringify(value).slice(0, 100)}`];
  });
  for (const member of required) if (members[member] === undefined) problems.push(`"${member}" is missing`);
  if (problems.length > 0) throw invalid(workflow, problems);
  return members;
}

function invalid(workflow: string, problems: readonly string[]): InvalidDataError {
  return new InvalidDataError('invalid_input', `Input of ${workflow}: ${problems.join('; ')}`);
}

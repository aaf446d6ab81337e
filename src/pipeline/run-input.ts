/** Inputs of the workflows: plain JSON objects in which every member has a default, checked before anything else happens. */
import { z } from 'zod';
import { isCalendarDay } from './calendar-day.ts';
import { isTemplate } from './filter/template.ts';
import { InvalidDataError } from './invalid-data.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';
import { isObjectKey, MAX_KEY_BYTES } from './object-key.ts';

/** How many keys an input may carry; longer lists belong into an object, see `keyList`. */
const MAX_KEYS = 100;

/** A round's results and all their file names are held in memory. */
export const MAX_ROUND_RESULTS = 5000;

/** What an error names: all of it goes through the history. */
const MAX_PROBLEMS = 10;
const SHOWN_CHARACTERS = 100;

const DAY = 'must be a calendar day, written YYYYMMDD, such as 20131029';
// Before anything is done with it: the day becomes a search attribute, a key and part of alerts.
const day = z.string(DAY).refine(isCalendarDay, DAY);
const key = z
  .string('must be a key')
  .refine(isObjectKey, `must be a key of 1 to ${MAX_KEY_BYTES} bytes without control characters`);
const flag = z.boolean('must be true or false');
const filterDocument = z
  .unknown()
  .refine((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'must be a filter document (an object)',
  });
const count = wholeNumber(0, 'must be a whole number, 0 or more');
const positive = wholeNumber(1, 'must be a whole number greater than 0');
const KEYS = `must be a list of 1 to ${MAX_KEYS} input keys without control characters; store a longer list in the analysis bucket and name it in "keyList"`;

function wholeNumber(least: number, message: string): z.ZodInt {
  return z.int(message).min(least, message);
}

/** Less than the 7 days for which nothing is garbage (docs/protocol.md 7). */
const MAX_GIVE_UP_SECONDS = 5 * 86_400;
const GIVE_UP = `must be at most ${MAX_GIVE_UP_SECONDS}, five days`;

const patienceMembers = {
  /** After this time without a result a task's output is looked for, and the task is sent again. */
  stragglerSeconds: count.default(8 * 3600),
  /** After this time the run goes on without what is missing. */
  giveUpSeconds: count.max(MAX_GIVE_UP_SECONDS, GIVE_UP).default(20 * 3600),
  /** How often tasks are sent again, at most. */
  maxResends: count.default(2),
};

const dailyAnalysis = z.strictObject({
  /** `YYYYMMDD`; default: the day before the scheduled start. */
  day: day.exactOptional(),
  /** A filter document instead of the configured template. */
  filter: filterDocument.exactOptional(),
  allowFuture: flag.exactOptional(),
  /** Analyse more than the worker's settings allow by default. */
  allowLargePlan: flag.exactOptional(),
  /** Replace the day also when this run has less than the data set. */
  replaceAnyway: flag.exactOptional(),
  ...patienceMembers,
});

const investigation = z.strictObject({
  name: z.string(),
  day: day.exactOptional(),
  filter: filterDocument.exactOptional(),
  /** Input keys instead of a filter. */
  keys: z.array(z.string(KEYS).refine(isObjectKey, KEYS), KEYS).min(1, KEYS).max(MAX_KEYS, KEYS).exactOptional(),
  /** Key, in the analysis bucket, of a text with one input key a line. */
  keyList: key.exactOptional(),
  /** Analyse more than the worker's settings allow by default. */
  allowLargePlan: flag.exactOptional(),
  ...patienceMembers,
});

const CARRIED = 'is set by the run before; leave it out';

const continuousAggregation = z.strictObject({
  /** A round is published when this number of results waits … */
  roundResults: positive.max(MAX_ROUND_RESULTS, `must be at most ${MAX_ROUND_RESULTS}`).exactOptional(),
  /** … or when one waits and the last publish is this long ago. Defaults: the worker's settings. */
  roundSeconds: positive.exactOptional(),
  /** What a run passes to the one that continues it; not for people. */
  carried: z.object({ publishedAt: count, rounds: count, results: count }, CARRIED).exactOptional(),
});

/** Without a source: otherwise whoever may start workflows could publish anything from anywhere. */
const websiteUpdate = z.strictObject({
  /** Publish although many of the site's objects will be deleted. */
  force: flag.default(false),
  /** Find out what would be written, and write nothing. */
  dryRun: flag.default(false),
});

const garbageCollection = z.strictObject({
  /** Find out what would be removed, and remove nothing. */
  dryRun: flag.default(false),
  /** Remove also when more than half of the folders would go. */
  force: flag.default(false),
  /** Objects that one run removes at most. */
  maxDeletions: positive.default(20_000),
});

export type DailyAnalysisInput = z.input<typeof dailyAnalysis>;
export type InvestigationInput = Partial<z.input<typeof investigation>>;
export type AggregationInput = z.input<typeof continuousAggregation>;
export type WebsiteUpdateInput = z.input<typeof websiteUpdate>;
export type GarbageCollectionInput = z.input<typeof garbageCollection>;

export type CheckedWebsiteUpdate = z.output<typeof websiteUpdate>;
export type CheckedGarbageCollection = z.output<typeof garbageCollection>;

/** How long a run waits for its results, and what it does then. */
export type Patience = Pick<z.output<typeof dailyAnalysis>, keyof typeof patienceMembers>;

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseDailyAnalysisInput(input: unknown): z.output<typeof dailyAnalysis> {
  return patient('dailyAnalysis', parsed('dailyAnalysis', dailyAnalysis, input));
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseInvestigationInput(input: unknown, namePattern: RegExp): z.output<typeof investigation> {
  const NAME = 'must be 1 to 32 of a-z 0-9 -, beginning and ending with a letter or digit';
  const schema = investigation.extend({ name: z.string(NAME).regex(namePattern, NAME) });
  const checked = parsed('investigation', schema, input);
  const { filter, day } = checked;
  const sources = (['filter', 'keys', 'keyList'] as const).filter((member) => checked[member] !== undefined);
  if (sources.length > 1) throw invalid('investigation', [`give only one of ${sources.join(', ')}`]);
  if (sources.length === 0 && day === undefined)
    throw invalid('investigation', [
      'say what to analyse: "day" (with the configured filter), "filter", "keys" or "keyList"',
    ]);
  if (filter !== undefined && day === undefined && isTemplate(JSON.stringify(filter)))
    throw invalid('investigation', ['"day" is missing, which replaces DATE in "filter"']);
  return patient('investigation', checked);
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseAggregationInput(input: unknown): AggregationInput {
  return parsed('continuousAggregation', continuousAggregation, input);
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseWebsiteUpdateInput(input: unknown): CheckedWebsiteUpdate {
  return parsed('websiteUpdate', websiteUpdate, input);
}

/** @throws InvalidDataError `invalid_input` naming every member that is wrong */
export function parseGarbageCollectionInput(input: unknown): CheckedGarbageCollection {
  return parsed('garbageCollection', garbageCollection, input);
}

/** Whether a run's input allows a plan of any size, as `planTasks` takes it. */
export function largePlan({ allowLargePlan }: { readonly allowLargePlan?: boolean }): { allowLargePlan?: true } {
  return allowLargePlan === true ? { allowLargePlan } : {};
}

/** Every look for stragglers adds to the run's history, which is limited. */
const MAX_LOOKS = 100;

function patient<Input extends Patience>(workflow: string, input: Input): Input {
  if (input.stragglerSeconds * MAX_LOOKS >= input.giveUpSeconds) return input;
  throw invalid(workflow, [
    `"stragglerSeconds" ${input.stragglerSeconds} would look for stragglers more than ${MAX_LOOKS} times within "giveUpSeconds" ${input.giveUpSeconds}; make it larger`,
  ]);
}

/** Members that are null are absent: the `temporal` CLI and the Web UI make it easy to send them. */
function parsed<Shape extends z.ZodRawShape>(
  workflow: string,
  schema: z.ZodObject<Shape>,
  input: unknown,
): z.output<z.ZodObject<Shape>> {
  if (input !== undefined && input !== null && (typeof input !== 'object' || Array.isArray(input)))
    throw invalid(workflow, ['the input must be one JSON object']);
  if (isTooDeep(input)) throw invalid(workflow, [`the input is nested deeper than ${MAX_NESTING} levels`]);
  const members = Object.fromEntries(
    Object.entries(input ?? {}).filter(([, value]) => value !== undefined && value !== null),
  );
  const result = schema.safeParse(members);
  if (result.success) return result.data;
  const known = Object.keys(schema.shape).join(', ');
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  const wrong = new Map(result.error.issues.map(({ path: [member = ''], message }) => [String(member), message]));
  const problems = Object.entries(members).flatMap(([member, value]) => {
    const name = member.slice(0, SHOWN_CHARACTERS);
    if (unknown.includes(member)) return [`"${name}" is not known (known: ${known})`];
    const message = wrong.get(member);
    const found = JSON.stringify(value).slice(0, SHOWN_CHARACTERS);
    return message === undefined ? [] : [`"${name}" ${message}, found ${found}`];
  });
  const missing = [...wrong.keys()].filter((member) => member !== '' && !Object.hasOwn(members, member));
  throw invalid(workflow, [...problems, ...missing.map((member) => `"${member}" is missing`)]);
}

function invalid(workflow: string, problems: readonly string[]): InvalidDataError {
  const more = problems.length > MAX_PROBLEMS ? [`and ${problems.length - MAX_PROBLEMS} more`] : [];
  const named = [...problems.slice(0, MAX_PROBLEMS), ...more];
  return new InvalidDataError('invalid_input', `Input of ${workflow}: ${named.join('; ')}`);
}

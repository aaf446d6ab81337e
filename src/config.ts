/** All settings, their units and defaults. The only module that reads the environment; `.env.example` lists the same variables. */
import { availableParallelism, tmpdir } from 'node:os';
import { z } from 'zod';
import { BRANCH_NAME, repositoryProblem } from './pipeline/website/repository.ts';
import { overlap, placeName } from './pipeline/website/target.ts';

const MIB = 1024 * 1024;

const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name: 3 to 63 of a-z 0-9 . -');
const queueName = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be an SQS queue name: 1 to 80 of A-Z a-z 0-9 _ -');
const prefix = z.string().regex(/^(?:[A-Za-z0-9_.-]+\/)*$/, 'must be empty or end in a slash');
const positive = (unit: string) =>
  z.coerce
    .number(`must be a number: ${unit}`)
    .int('must be a whole number')
    .positive('must be greater than 0')
    .meta({ unit });

/** Every variable; the text of `describe` is what `.env.example` says of it. */
export const environmentSchema = z.object({
  AWS_REGION: z.string().min(1).default('us-west-2').describe('Region of buckets and queues.'),
  AWS_ENDPOINT_URL_S3: z.url().optional().describe("Object store other than AWS's, such as http://127.0.0.1:8333."),
  AWS_ENDPOINT_URL_SQS: z.url().optional().describe("SQS service other than AWS's."),
  TELEMETRY_INPUT_BUCKET: bucketName
    .default('telemetry-published-v2')
    .describe('Bucket of compressed submission files.'),
  TELEMETRY_ANALYSIS_BUCKET: bucketName
    .default('telemetry-analysis')
    .describe('Private bucket: task output and state.'),
  TELEMETRY_PUBLISHED_BUCKET: bucketName.default('telemetry-dashboard').describe('Public bucket of the data set.'),
  TELEMETRY_PUBLISHED_PREFIX: prefix.default('v7/').describe('Prefix of the data set in the public bucket.'),
  TELEMETRY_TASK_QUEUE: queueName
    .default('telemetry-analysis-tasks')
    .describe('SQS task queue: analysis tasks for the workers.'),
  TELEMETRY_DONE_QUEUE: queueName
    .default('telemetry-analysis-done')
    .describe('SQS done queue: what the workers report.'),
  TELEMETRY_WORKER_TASK_QUEUE: z
    .string()
    .min(1)
    .default('telemetry')
    .describe('Temporal worker task queue of workflows and activities.'),
  TELEMETRY_FILTER_TEMPLATE: z
    .string()
    .min(1)
    .default('filter.json.in')
    .describe('Filter template, a file in which DATE stands for the day.'),
  TELEMETRY_DEFINITIONS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of histogram definitions, <repo path>/<revision>/Histograms.json; without it all definitions are derived and flagged.',
    ),
  TELEMETRY_REVISION_HOSTS: z
    .string()
    .default('hg.mozilla.org,hg-edge.mozilla.org')
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .describe('Hosts whose revision URLs are looked up, separated by commas.'),
  TELEMETRY_OWNER: z.string().min(1).default('telemetry-alerts@localhost').describe('Owner named in analysis tasks.'),
  TELEMETRY_JOB_BUNDLE: z
    .string()
    .default('')
    .describe('Key of the job bundle for spot workers; our own analysis worker needs none.'),
  TELEMETRY_WEBSITE_REPOSITORY: z
    .string()
    .refine((url) => repositoryProblem(url) === undefined, { error: ({ input }) => repositoryProblem(String(input)) })
    .optional()
    .describe('Git repository of the website, published daily; without it and without a folder no website is.'),
  TELEMETRY_WEBSITE_BRANCH: z
    .string()
    .regex(BRANCH_NAME, 'must be the name of a git branch')
    .default('master')
    .describe('Branch of that repository.'),
  TELEMETRY_WEBSITE_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the website, on every machine with a Temporal worker, instead of a repository.'),
  TELEMETRY_WEBSITE_BUCKET: bucketName
    .default('telemetry.mozilla.org')
    .describe('Public bucket of the website; whatever is not in the source is deleted from it.'),
  TELEMETRY_WEBSITE_PREFIX: prefix
    .max(100, 'must have at most 100 characters')
    .default('')
    .describe('Prefix of the website in its bucket; keys outside it are never touched.'),
  TELEMETRY_WEBSITE_REGION: z
    .string()
    .min(1)
    .optional()
    .describe("Region of the website's bucket; without it that of all others."),
  TELEMETRY_WEBSITE_MIN_FILES: positive('files').default(1).describe('A website with fewer files is not published.'),
  TELEMETRY_WEBSITE_MAX_DELETED_PERCENT: positive('percent')
    .max(100, 'must be at most 100')
    .default(50)
    .describe("A website that would delete more of the site's objects is not published, unless forced."),
  TELEMETRY_MAX_TASK_FILES: positive('files')
    .default(200)
    .describe('An analysis task closes once it holds more files than this.'),
  TELEMETRY_MAX_TASK_BYTES: positive('bytes')
    .default(400 * MIB)
    .describe('Bytes of input in an analysis task.'),
  TELEMETRY_CHUNK_TASKS: positive('tasks')
    .max(1000, 'must be at most 1000')
    .default(100)
    .describe('Analysis tasks whose results are merged together.'),
  TELEMETRY_MAX_RESULT_BYTES: positive('bytes')
    .default(512 * MIB)
    .describe('A larger result.txt is refused.'),
  TELEMETRY_MAX_LINE_BYTES: positive('bytes')
    .default(16 * MIB)
    .describe('Longer lines of submissions are left out; a result with one is refused.'),
  TELEMETRY_MAX_DECODED_BYTES: positive('bytes')
    .default(8192 * MIB)
    .describe('A submission file that decodes to more is quarantined.'),
  TELEMETRY_MAX_DECODE_RATIO: positive('ratio')
    .default(500)
    .describe('The same for decoded bytes per stored byte, from 64 MiB on.'),
  TELEMETRY_MAX_TABLE_BYTES: positive('bytes')
    .default(160 * MIB)
    .describe('Size of a merge in memory before it is spilled to disk, per thread.'),
  TELEMETRY_LINUX_VERSION: z
    .enum(['first3', 'majorMinor'])
    .default('first3')
    .describe(
      'How Linux kernel versions are cut: first3 as the original, majorMinor without its mix-up of 3.1 and 3.11.',
    ),
  TELEMETRY_FALLBACK_REVISION: z.string().optional().describe('Revision of submissions that name none.'),
  TELEMETRY_STRICT_BUILD_ID: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe('true: build ids must have all 14 digits.'),
  TELEMETRY_THREADS: positive('threads')
    .default(availableParallelism())
    .describe('Worker threads for parsing, merging and rendering; default: one per core.'),
  TELEMETRY_ANALYSIS_TASKS_AT_ONCE: positive('tasks')
    .default(availableParallelism())
    .describe('Analysis tasks that one analysis worker runs at a time; default: one per core.'),
  TELEMETRY_TASK_VISIBILITY_SECONDS: positive('seconds')
    .default(1800)
    .describe('Visibility of a received analysis task; extended while it is worked on.'),
  TELEMETRY_DONE_VISIBILITY_SECONDS: positive('seconds')
    .default(300)
    .describe('Visibility of a received done message, until its receipt is written.'),
  TELEMETRY_WORK_DIRECTORY: z.string().min(1).default(tmpdir()).describe('Folder for temporary files.'),
  TELEMETRY_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe log lines written.'),
  BUILD_ID: z.string().optional().describe('Version of a deployed worker; switches Worker Versioning on.'),
  TEMPORAL_CLI: z.string().optional().describe('The temporal binary; else PATH, else fetched.'),
  TEMPORAL_TEST_SERVER: z.string().optional().describe('The time-skipping test server; else PATH, else fetched.'),
  WEED: z.string().optional().describe('The SeaweedFS binary of the embedded stack; else PATH, else fetched.'),
});

export type Config = Readonly<z.output<typeof environmentSchema>>;

/** Settings that a person must correct; the text lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and checks all settings; an empty variable counts as absent.
 * @throws ConfigError naming every variable that is wrong
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(present);
  const problems = parsed.success
    ? crossProblems(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(
      `The configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.map((problem) => `  ${problem}`).join('\n')}\nSee .env.example for every variable.`,
    );
  }
  return Object.freeze(parsed.data);
}

function crossProblems(config: Config): string[] {
  const problems: string[] = [];
  if (config.TELEMETRY_TASK_QUEUE === config.TELEMETRY_DONE_QUEUE) {
    problems.push('TELEMETRY_DONE_QUEUE: must differ from TELEMETRY_TASK_QUEUE');
  }
  if (config.TELEMETRY_PUBLISHED_BUCKET === config.TELEMETRY_ANALYSIS_BUCKET) {
    problems.push('TELEMETRY_PUBLISHED_BUCKET: must differ from TELEMETRY_ANALYSIS_BUCKET, whose state is private');
  }
  return [...problems, ...websiteProblems(config)];
}

/** The site is synchronised, deletions included: no place with anything else in it may be the target. */
function websiteProblems(config: Config): string[] {
  const site = { bucket: config.TELEMETRY_WEBSITE_BUCKET, prefix: config.TELEMETRY_WEBSITE_PREFIX };
  const published = { bucket: config.TELEMETRY_PUBLISHED_BUCKET, prefix: config.TELEMETRY_PUBLISHED_PREFIX };
  const others = ['TELEMETRY_INPUT_BUCKET', 'TELEMETRY_ANALYSIS_BUCKET'] as const;
  return [
    ...others
      .filter((name) => config[name] === site.bucket)
      .map((name) => `TELEMETRY_WEBSITE_BUCKET: must differ from ${name}`),
    ...(overlap(site, published)
      ? [`TELEMETRY_WEBSITE_PREFIX: ${placeName(site)} must lie apart from the data set in ${placeName(published)}`]
      : []),
    ...(config.TELEMETRY_WEBSITE_REPOSITORY !== undefined && config.TELEMETRY_WEBSITE_FOLDER !== undefined
      ? ['TELEMETRY_WEBSITE_FOLDER: give either a folder or TELEMETRY_WEBSITE_REPOSITORY']
      : []),
  ];
}

/** What counts in a submission. */
export function submissionRules(config: Config) {
  return {
    linuxVersion: config.TELEMETRY_LINUX_VERSION,
    fallbackRevision: config.TELEMETRY_FALLBACK_REVISION ?? null,
    strictBuildId: config.TELEMETRY_STRICT_BUILD_ID,
    maxHistogramLength: MAX_HISTOGRAM_LENGTH,
  };
}

/** How far a submission file is followed. */
export function submissionLimits(config: Config) {
  return {
    maxDecodedBytes: config.TELEMETRY_MAX_DECODED_BYTES,
    maxRatio: config.TELEMETRY_MAX_DECODE_RATIO,
    maxDecoderBytes: MAX_DECODER_BYTES,
    maxLineBytes: config.TELEMETRY_MAX_LINE_BYTES,
  };
}

/** 1,000 buckets and five statistics. */
const MAX_HISTOGRAM_LENGTH = 1005;
/** LZMA's default preset needs 9 MiB, its highest 65. */
const MAX_DECODER_BYTES = 128 << 20;

/** The process's environment as it stands. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** Puts variables, such as those of an embedded stack, over what the process was started with. */
export function useEnvironment(variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables);
}

/** Temporal address, namespace and TLS from the same profiles and variables that the `temporal` CLI uses. */
export async function temporalConnectConfig() {
  // Loaded here: commands on local files do without Temporal's packages.
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  return loadClientConnectConfig();
}

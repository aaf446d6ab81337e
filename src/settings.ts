/** Every setting: its variable, unit, default, and what it means. `.env.example` lists the same ones. */
import { availableParallelism, tmpdir } from 'node:os';
import { z } from 'zod';
import { parseFailpoints } from './failpoints.ts';
import { MAX_REVISION } from './pipeline/aggregates/row-limits.ts';
import { MAX_ROUND_RESULTS } from './pipeline/run-input.ts';
import { DEFAULT_THREADS } from './threads/threads-wanted.ts';
import { BRANCH_NAME, repositoryProblem } from './website/rules/repository.ts';

const MIB = 1024 * 1024;

const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name: 3 to 63 of a-z 0-9 . -');
const queueName = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be an SQS queue name: 1 to 80 of A-Z a-z 0-9 _ -');
const prefix = z.string().regex(/^(?:[A-Za-z0-9_.-]+\/)*$/, 'must be empty or end in a slash');
const deliveryDelay = z.coerce
  .number('must be a number of seconds')
  .int('must be a whole number')
  .min(0, 'must not be negative')
  .max(900, 'must be at most 900, the longest that SQS knows')
  .meta({ unit: 'seconds' });
const address = z.url({ protocol: /^https?$/, error: 'must be an address that begins with http:// or https://' });
const positive = (unit: string) =>
  z.coerce
    .number(unit === 'percent' ? 'must be a number, in percent' : `must be a number of ${unit}`)
    .int('must be a whole number')
    .positive('must be greater than 0')
    .meta({ unit });

const mailAddress = z.string().regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, 'must be a mail address without name or brackets');
function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

function isHistogramServer(text: string): boolean {
  return text === 'in-process' || (/^https?:\/\/[^/?#]+\/*$/.test(text) && URL.canParse(text));
}

/** The text of `describe` is what `.env.example` says about a variable; values of `secret` ones are never shown. */
export const environmentSchema = z.object({
  AWS_REGION: z.string().min(1).default('us-west-2').describe('Region of buckets and queues.'),
  AWS_ENDPOINT_URL_S3: address.optional().describe("Object store other than AWS's, such as http://127.0.0.1:8333."),
  AWS_ENDPOINT_URL_SQS: address.optional().describe("SQS service other than AWS's."),
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
  TELEMETRY_TASK_DELAY_SECONDS: deliveryDelay
    .default(15)
    .describe('Delivery delay that "telemetry setup" gives the task queue.'),
  TELEMETRY_DONE_DELAY_SECONDS: deliveryDelay
    .default(120)
    .describe('The same for the done queue: time for a result to become visible in slow object stores.'),
  TELEMETRY_WORKER_TASK_QUEUE: z
    .string()
    .min(1)
    .default('telemetry')
    .describe('Temporal worker task queue of workflows and activities.'),
  TELEMETRY_FILTER_TEMPLATE: z
    .string()
    .min(1)
    .default('filter.json.in')
    .describe('Filter template: a file in which DATE is replaced by the day.'),
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
  TELEMETRY_REVISION_REPOS: z
    .string()
    .refine(isPattern, 'must be a regular expression')
    .default('[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*')
    .transform((text) => new RegExp(`^(?:${text})$`))
    .describe('Regular expression that a whole repository path must match to be looked up.'),
  TELEMETRY_REVISION_MIN_DIGITS: positive('digits')
    .min(6, 'must be at least 6')
    .max(40, 'must be at most 40')
    .default(12)
    .describe('Shorter revision ids are refused.'),
  TELEMETRY_HISTOGRAM_SERVER: z
    .string()
    .refine(isHistogramServer, 'must be in-process or an http address')
    .optional()
    .describe(
      'Where the publish stage looks up revisions that TELEMETRY_DEFINITIONS lacks: the address of a histogram server such as http://127.0.0.1:9898, or in-process.',
    ),
  TELEMETRY_HISTOGRAM_UPSTREAM: z
    .string()
    .min(1)
    .default('https://hg.mozilla.org/{repo}/raw-file/{revision}/toolkit/components/telemetry/Histograms.json')
    .describe('Where the histogram server fetches Histograms.json; none: it serves what it has.'),
  TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe('true: the upstream may be plain http and have a private address; metadata addresses stay refused.'),
  TELEMETRY_HISTOGRAM_UPSTREAM_SECONDS: positive('seconds')
    .max(300, 'must be at most 300')
    .default(30)
    .describe('Time for fetching one revision, repeated tries included.'),
  TELEMETRY_HISTOGRAM_CACHE: z
    .string()
    .min(1)
    .default('.local/histogram-cache')
    .describe('Folder in which fetched revisions are kept.'),
  TELEMETRY_HISTOGRAM_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address that the histogram server listens on.'),
  TELEMETRY_HISTOGRAM_PORT: z.coerce
    .number('must be a port')
    .int('must be a whole number')
    .min(0, 'must be a port')
    .max(65_535, 'must be a port')
    .default(9898)
    .describe('Port of the histogram server; 0: any free one.'),
  TELEMETRY_OWNER: z.string().min(1).default('telemetry-alerts@localhost').describe('Owner named in analysis tasks.'),
  TELEMETRY_JOB_BUNDLE: z
    .string()
    .default('')
    .describe('Key of the job bundle for spot workers; our own analysis worker needs none.'),
  TELEMETRY_FOREIGN_RESULTS: z
    .enum(['quarantine', 'adopt'])
    .default('quarantine')
    .describe(
      'Done messages of runs that other launchers planned: adopt keeps their results for continuous aggregation ("telemetry aggregate").',
    ),
  TELEMETRY_ROUND_RESULTS: positive('results')
    .max(MAX_ROUND_RESULTS, `must be at most ${MAX_ROUND_RESULTS}`)
    .default(1000)
    .describe('A round of continuous aggregation is published when this many results wait.'),
  TELEMETRY_WEBSITE_REPOSITORY: z
    .string()
    .refine((url) => repositoryProblem(url) === undefined, { error: ({ input }) => repositoryProblem(String(input)) })
    .optional()
    .describe(
      'Git repository of the website, published daily; with neither repository nor folder, the built-in site is published.',
    ),
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
  TELEMETRY_WEBSITE_BUILT_IN: z
    .enum(['true', 'false'])
    .default('true')
    .transform((value) => value === 'true')
    .describe('false: with neither repository nor folder, no website is published.'),
  TELEMETRY_DATASET_ADDRESS: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .refine((url) => /^[^?#]*\/$/.test(url), 'must end in a slash and have no query')
    .optional()
    .describe(
      'Address at which browsers reach the bucket of the data set, for the built-in site; default: that of the object store.',
    ),
  TELEMETRY_WEBSITE_BUCKET: bucketName
    .default('telemetry.mozilla.org')
    .describe('Public bucket of the website; objects that are not in the source are deleted from it.'),
  TELEMETRY_WEBSITE_PREFIX: prefix
    .max(100, 'must have at most 100 characters')
    .default('')
    .describe('Prefix of the website in its bucket; keys outside it are never touched.'),
  TELEMETRY_WEBSITE_REGION: z
    .string()
    .min(1)
    .optional()
    .describe("Region of the website's bucket; default: that of all other buckets."),
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
  TELEMETRY_MAX_PLAN_TASKS: positive('tasks')
    .max(999_999, 'must be at most 999999')
    .default(20_000)
    .describe('A run with more analysis tasks is refused, unless its input allows a large plan.'),
  TELEMETRY_MAX_PLAN_BYTES: positive('bytes')
    .default(8 * 1024 * 1024 * MIB)
    .describe('The same for bytes of input.'),
  TELEMETRY_PUBLISH_PARQUET: z
    .enum(['true', 'false'])
    .default('true')
    .transform((value) => value === 'true')
    .describe('false: folders are published without aggregates.parquet, the table for analysts.'),
  TELEMETRY_CHUNK_TASKS: positive('tasks')
    .max(1000, 'must be at most 1000')
    .default(100)
    .describe('Analysis tasks whose results are merged at once.'),
  TELEMETRY_SEAL_AFTER_DAYS: positive('days')
    .default(10)
    .describe(
      'Days of a channel/version that were published longer ago are folded into one object, so that publishing does not grow with the history.',
    ),
  TELEMETRY_KEEP_SEGMENT_DAYS: positive('days')
    .default(35)
    .describe('A day can be analysed again for so long after its publication; then it is merged with others for good.'),
  TELEMETRY_QUARANTINE_PER_HOUR: positive('messages')
    .default(1000)
    .describe('Bad done messages that go to quarantine in an hour; the rest stay on the queue, and an alert is sent.'),
  TELEMETRY_MAX_RESULT_BYTES: positive('bytes')
    .default(512 * MIB)
    .describe('A larger result.txt is refused.'),
  TELEMETRY_LINUX_VERSION: z
    .enum(['first3', 'majorMinor'])
    .default('first3')
    .describe(
      'How Linux kernel versions are cut: first3 as the original, majorMinor without its mix-up of 3.1 and 3.11.',
    ),
  TELEMETRY_FALLBACK_REVISION: z
    .string()
    .max(MAX_REVISION, `must have at most ${MAX_REVISION} characters`)
    .optional()
    .describe('Revision of submissions that name none.'),
  TELEMETRY_STRICT_BUILD_ID: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe('true: build ids must have all 14 digits.'),
  TELEMETRY_THREADS: positive('threads')
    .default(DEFAULT_THREADS)
    .describe('Worker threads for parsing, merging and rendering; default: one per core.'),
  TELEMETRY_ANALYSIS_TASKS_AT_ONCE: positive('tasks')
    .default(availableParallelism())
    .describe('Analysis tasks that one analysis worker runs at a time; default: one per core.'),
  TELEMETRY_TASK_VISIBILITY_SECONDS: positive('seconds')
    .default(120)
    .describe(
      'Time after which a task of an analysis worker that was killed comes again; extended while it is worked on.',
    ),
  TELEMETRY_DONE_VISIBILITY_SECONDS: positive('seconds')
    .default(300)
    .describe('Visibility of a received done message, until its receipt is written.'),
  TELEMETRY_ALIVE_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File that an analysis worker writes every few seconds while SQS answers it, for health checks.'),
  TELEMETRY_WORK_DIRECTORY: z.string().min(1).default(tmpdir()).describe('Folder for temporary files.'),
  TELEMETRY_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe log lines written.'),
  TELEMETRY_ALERT_SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/\S+$/, 'must be smtp://[user:password@]host[:port] or smtps://…')
    .optional()
    .meta({ secret: true })
    .describe('Mail server for alerts, smtp://user:password@host:587; needs sender and recipients as well.'),
  TELEMETRY_ALERT_FROM: mailAddress.optional().describe('Sender of alert mails.'),
  TELEMETRY_ALERT_TO: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .pipe(z.array(mailAddress))
    .optional()
    .describe('Recipients of alert mails, separated by commas.'),
  TELEMETRY_ALERT_WEBHOOK_URL: z
    .url({ protocol: /^https$/, error: 'must be an https address' })
    .or(z.url({ protocol: /^http$/, hostname: /^(?:127\.0\.0\.1|localhost)$/ }))
    .optional()
    .meta({ secret: true })
    .describe('Address that alerts are posted to as JSON; https, plain http only on this machine.'),
  TELEMETRY_ALERT_WEBHOOK_SECRET: z
    .string()
    .min(16, 'must have at least 16 characters')
    .optional()
    .meta({ secret: true })
    .describe('Key of the HMAC-SHA256 signature of these requests.'),
  TELEMETRY_ALERT_SNS_TOPIC: z
    .string()
    .regex(/^arn:[a-z0-9-]+:sns:[^:\s]+:\d+:\S+$/, 'must be the ARN of an SNS topic')
    .optional()
    .describe('SNS topic for alerts.'),
  TELEMETRY_ALERT_CHANGES: z
    .enum(['off', 'on'])
    .default('off')
    .describe(
      'Whether alerts tell of new changes in the data, too. Channel/versions that fall silent are always told.',
    ),
  TELEMETRY_DEAD_MAN_URL: z
    .url({ protocol: /^https$/, error: 'must be an https address' })
    .or(z.url({ protocol: /^http$/, hostname: /^(?:127\.0\.0\.1|localhost)$/ }))
    .optional()
    .meta({ secret: true })
    .describe(
      "Address of a dead man's switch, requested after every verified commit; it raises the alarm when requests stop.",
    ),
  TELEMETRY_WEB_UI: z
    .url()
    .optional()
    .describe('Address of the Temporal Web UI, for links in alerts and on the built-in site.'),
  TELEMETRY_METRICS_ADDRESS: z
    .string()
    .regex(/^\S+:\d{1,5}$/, 'must be host:port')
    .optional()
    .describe('Where the Temporal worker serves /metrics to Prometheus, such as 127.0.0.1:9464.'),
  TELEMETRY_WORKFLOW_BUNDLE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Workflow code made by "telemetry bundle-workflows"; without it a worker bundles the sources as they are, and keeps that in .local/cache.',
    ),
  TELEMETRY_WATCH_RUN_DAYS: positive('days')
    .default(7)
    .describe('How many days "check" reports a failed run that no later run has fixed.'),
  TELEMETRY_SHUTDOWN_GRACE_SECONDS: positive('seconds')
    .max(600)
    .default(20)
    .describe('How long a stopping worker lets running activities finish; after twice that time it exits.'),
  FAILPOINTS: z
    .string()
    .default('')
    .transform((text, context) => {
      try {
        return parseFailpoints(text);
      } catch (error) {
        context.addIssue((error as Error).message);
        return z.NEVER;
      }
    })
    .describe('Faults for tests, <point>=<action>[@pass];…: a worker breaks at the named points (src/failpoints.ts).'),
  BUILD_ID: z.string().optional().describe('Version of a deployed worker; switches Worker Versioning on.'),
});

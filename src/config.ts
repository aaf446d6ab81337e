/** Reads the settings and checks them against each other. */
import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { upstreamTemplateProblem } from './histograms/upstream-url.ts';
import { environment } from './environment.ts';
import { overlap, placeName } from './website/rules/target.ts';
import { environmentSchema } from './settings.ts';

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
  const wrong = parsed.success
    ? crossProblems(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const problems = [...misspelt(Object.keys(present)), ...wrong];
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(
      `The configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.map((problem) => `  ${problem}`).join('\n')}\nSee .env.example for every variable.`,
    );
  }
  return Object.freeze(parsed.data);
}

/** Letters that a misspelt name differs in. */
const MAX_TYPOS = 2;

/** Variables that would be ignored though a setting was meant. Other tools' own ones differ in more than a letter or two. */
function misspelt(names: readonly string[]): string[] {
  const known = Object.keys(environmentSchema.shape);
  return names
    .filter((name) => name.startsWith('TELEMETRY_') && !known.includes(name))
    .flatMap((name) => {
      const meant = closest(name, known);
      return distance(name, meant) <= MAX_TYPOS ? [`${name}: no such setting; ${meant} is one`] : [];
    });
}

function crossProblems(config: Config): string[] {
  const problems: string[] = [];
  if (config.TELEMETRY_TASK_QUEUE === config.TELEMETRY_DONE_QUEUE) {
    problems.push('TELEMETRY_DONE_QUEUE: must differ from TELEMETRY_TASK_QUEUE');
  }
  if (config.TELEMETRY_PUBLISHED_BUCKET === config.TELEMETRY_ANALYSIS_BUCKET) {
    problems.push('TELEMETRY_PUBLISHED_BUCKET: must differ from TELEMETRY_ANALYSIS_BUCKET, whose state is private');
  }
  if (config.TELEMETRY_KEEP_SEGMENT_DAYS < config.TELEMETRY_SEAL_AFTER_DAYS) {
    problems.push('TELEMETRY_KEEP_SEGMENT_DAYS: must not be less than TELEMETRY_SEAL_AFTER_DAYS');
  }
  const mail = [config.TELEMETRY_ALERT_SMTP_URL, config.TELEMETRY_ALERT_FROM, config.TELEMETRY_ALERT_TO?.[0]];
  if (mail.some((part) => part !== undefined) && mail.some((part) => part === undefined)) {
    problems.push('TELEMETRY_ALERT_SMTP_URL, TELEMETRY_ALERT_FROM and TELEMETRY_ALERT_TO: give all three or none');
  }
  if (config.TELEMETRY_ALERT_WEBHOOK_SECRET !== undefined && config.TELEMETRY_ALERT_WEBHOOK_URL === undefined) {
    problems.push('TELEMETRY_ALERT_WEBHOOK_SECRET: is of no use without TELEMETRY_ALERT_WEBHOOK_URL');
  }
  const { TELEMETRY_HISTOGRAM_UPSTREAM: upstream, TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE: isPrivate } = config;
  const problem = upstream === 'none' ? undefined : upstreamTemplateProblem(upstream, isPrivate);
  if (problem !== undefined) problems.push(`TELEMETRY_HISTOGRAM_UPSTREAM: ${problem}`);
  return [...problems, ...websiteProblems(config)];
}

/** The site is synchronised, deletions included, so the target must hold nothing else. */
function websiteProblems(config: Config): string[] {
  const site = { bucket: config.TELEMETRY_WEBSITE_BUCKET, prefix: config.TELEMETRY_WEBSITE_PREFIX };
  const published = { bucket: config.TELEMETRY_PUBLISHED_BUCKET, prefix: config.TELEMETRY_PUBLISHED_PREFIX };
  const others = ['TELEMETRY_INPUT_BUCKET', 'TELEMETRY_ANALYSIS_BUCKET'] as const;
  return [
    ...others
      .filter((name) => config[name] === site.bucket)
      .map((name) => `TELEMETRY_WEBSITE_BUCKET: must differ from ${name}`),
    ...(overlap(site, published)
      ? [`TELEMETRY_WEBSITE_PREFIX: ${placeName(site)} must be apart from the data set in ${placeName(published)}`]
      : []),
    ...(config.TELEMETRY_WEBSITE_REPOSITORY !== undefined && config.TELEMETRY_WEBSITE_FOLDER !== undefined
      ? ['TELEMETRY_WEBSITE_FOLDER: give either a folder or TELEMETRY_WEBSITE_REPOSITORY']
      : []),
  ];
}

/** Values of this configuration that must appear in no log, mail or history: those of secret settings, and the telling parts of URLs. */
export function secretValues(config: Config): string[] {
  const secret = Object.entries(environmentSchema.shape).filter(([, setting]) => setting.meta()?.['secret'] === true);
  const values = secret.map(([name]) => config[name as keyof Config]).filter((value) => typeof value === 'string');
  const { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, TEMPORAL_API_KEY } = environment();
  return [
    ...values,
    ...values.flatMap(tellingParts),
    AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN,
    TEMPORAL_API_KEY,
  ].filter((value): value is string => value !== undefined && value !== '');
}

/**
 * Secret parts of a URL: the password, and the service's token, which may be the path. Errors may quote these alone.
 */
function tellingParts(text: string): string[] {
  const url = URL.parse(text);
  if (url === null) return [];
  const { password, pathname, search } = url;
  return [password, decoded(password), ...(pathname.length > 1 ? [pathname] : []), search];
}

function decoded(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

/**
 * Temporal address, namespace and TLS from the same profiles and variables that the `temporal` CLI uses.
 * @throws ConfigError when they cannot be read
 */
export async function temporalConnectConfig() {
  // Loaded here: commands on local files do without Temporal's packages.
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  try {
    return loadClientConnectConfig();
  } catch (error) {
    const file = environment()['TEMPORAL_CONFIG_FILE'] ?? 'the one of the "temporal" CLI';
    throw new ConfigError(
      `Temporal's profiles cannot be read (${(error as Error).message}): correct TEMPORAL_PROFILE or the configuration file, ${file}`,
    );
  }
}

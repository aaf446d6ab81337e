/** `website publish`: the daily website update by hand, or of another source without Temporal. */
import { setInterval } from 'node:timers';
import { publishSite, type WebsiteProgress } from '../website/publication.ts';
import type { WebsiteSource } from '../activities/ports.ts';
import { PassingError } from '../ports.ts';
import { connectPorts } from '../composition.ts';
import type { Config } from '../config.ts';
import { environment } from '../environment.ts';
import { JOBS } from '../jobs.ts';
import { dayOf } from '../pipeline/calendar-day.ts';
import { reasons } from '../pipeline/dataset/run-report.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { BRANCH_NAME, repositoryProblem } from '../website/rules/repository.ts';
import { placeName } from '../website/rules/target.ts';
import { gitRepository } from '../website/git-repository.ts';
import { localFolder } from '../website/local-folder.ts';
import type { WebsiteUpdateResult } from '../workflows/website-update.ts';
import { CommandError } from './command-error.ts';
import { interruptible } from './interruptible.ts';
import { followRun, startRun } from './follow-run.ts';
import { withTemporalClient } from './temporal-client.ts';
import { print, say, showStatus, table } from './terminal.ts';

export interface PublishWebsiteOptions {
  /** A folder instead of the configured source. */
  readonly source?: string | undefined;
  /** A repository instead of the configured source. */
  readonly repository?: string | undefined;
  readonly branch?: string | undefined;
  readonly force?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * The configured source is published by a run of `websiteUpdate`, on a worker. A source given as an option is published
 * by this process: a workflow takes no source, or whoever may start workflows could publish anything.
 */
export async function publishWebsite(config: Config, options: PublishWebsiteOptions): Promise<void> {
  const source = namedSource(config, options);
  const input = { force: options.force === true, dryRun: options.dryRun === true };
  const result = await (source === null ? runUpdate(config, input) : publishHere(config, source, input));
  print(options.json === true ? JSON.stringify(result) : describeWebsiteUpdate(result));
}

interface UpdateInput {
  readonly force: boolean;
  readonly dryRun: boolean;
}

async function runUpdate(config: Config, input: UpdateInput): Promise<WebsiteUpdateResult> {
  return withTemporalClient(async (client) => {
    const handle = await startRun(client, {
      workflowType: 'websiteUpdate',
      workflowId: JOBS.websiteUpdate.workflowId(dayOf(new Date())),
      workerTaskQueue: config.TELEMETRY_WORKER_TASK_QUEUE,
      input,
      summary: 'Website update, started by hand',
    });
    say(`started ${handle.workflowId}`);
    return followRun<WebsiteUpdateResult>(handle, 'website');
  });
}

const LOOK_EVERY_MS = 500;

async function publishHere(config: Config, source: WebsiteSource, input: UpdateInput): Promise<WebsiteUpdateResult> {
  const { ports, close } = connectPorts(config);
  const site = placeName({ bucket: ports.website.site.bucket, prefix: ports.website.prefix });
  const progress: WebsiteProgress = { step: 'fetching', uploaded: 0, deleted: 0 };
  const show = (): void => {
    const { step, uploaded, deleted } = progress;
    showStatus(`website: ${step}${uploaded + deleted > 0 ? ` (${uploaded} uploaded, ${deleted} deleted)` : ''}`);
  };
  const timer = setInterval(show, LOOK_EVERY_MS);
  show();
  try {
    const website = { ...ports.website, source };
    const publication = await interruptible('interrupted: the site may be half updated; publish it again', (signal) =>
      publishSite({ ...ports, website }, input, progress, signal),
    );
    return { ...publication, site, source: source.name };
  } catch (error) {
    if (error instanceof InvalidDataError) throw new CommandError(error.message, { cause: error, exitCode: 2 });
    if (error instanceof PassingError) throw new CommandError(`${error.message}. Try again.`, { cause: error });
    throw error;
  } finally {
    clearInterval(timer);
    await close();
  }
}

/** The source that the options name; null for the configured one. */
function namedSource(config: Config, { source, repository, branch }: PublishWebsiteOptions): WebsiteSource | null {
  const wrong = (message: string): CommandError => new CommandError(message, { exitCode: 2 });
  if (source !== undefined && repository !== undefined) throw wrong('give either --source or --repository');
  if (branch !== undefined && repository === undefined) throw wrong('--branch needs --repository');
  if (source !== undefined) return localFolder(source);
  if (repository === undefined) return null;
  const problem = repositoryProblem(repository);
  if (problem !== undefined) throw wrong(`--repository ${problem}`);
  if (branch !== undefined && !BRANCH_NAME.test(branch)) throw wrong('--branch must be the name of a git branch');
  return gitRepository({
    url: repository,
    branch: branch ?? config.TELEMETRY_WEBSITE_BRANCH,
    environment: environment(),
  });
}

function describeWebsiteUpdate(result: WebsiteUpdateResult): string {
  if (result.outcome === 'not-configured')
    return 'no website is published: TELEMETRY_WEBSITE_BUILT_IN is false for the worker, and neither TELEMETRY_WEBSITE_REPOSITORY nor TELEMETRY_WEBSITE_FOLDER is set; name a source with --source or --repository';
  const { outcome, source, revision, site, uploaded, deleted, unchanged, skipped, memoryDamage } = result;
  return table([
    ['outcome', outcome === 'planned' ? 'planned: nothing was written' : outcome],
    ['source', source],
    ['revision', revision],
    ['site', site],
    ['uploaded', counted(uploaded, result.firstUploaded)],
    ['deleted', counted(deleted, result.firstDeleted)],
    ['unchanged', String(unchanged)],
    ['skipped', reasons(skipped) || 'none'],
    ...(memoryDamage === null ? [] : [['warning', `everything was uploaded again: ${memoryDamage}`]]),
  ]);
}

/** `3: a, b, …` */
function counted(count: number, first: readonly string[]): string {
  if (count === 0) return '0';
  return `${count}: ${first.join(', ')}${count > first.length ? ', …' : ''}`;
}

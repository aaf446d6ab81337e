import { log, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { WebsitePublication } from '../website/publication.ts';
import { JOBS } from '../jobs.ts';
import { type CheckedWebsiteUpdate, parseWebsiteUpdateInput, type WebsiteUpdateInput } from '../pipeline/run-input.ts';
import { activityOptions } from './activity-options.ts';
import { alerting } from './alerting.ts';
import { checkedInput } from './checked-input.ts';
import { RunProgress } from './run-progress.ts';

const { describeWebsite } = proxyActivities<Activities>(activityOptions.quick);
const { publishWebsite } = proxyActivities<Activities>(activityOptions.scan);

export type WebsiteUpdateResult =
  | { readonly outcome: 'not-configured'; readonly site: string }
  | (WebsitePublication & { readonly site: string; readonly source: string });

/** Publishes the newest files of the configured website; an unchanged one costs no write. */
export async function websiteUpdate(raw?: WebsiteUpdateInput): Promise<WebsiteUpdateResult> {
  const input = checkedInput(() => parseWebsiteUpdateInput(raw));
  const progress = new RunProgress(`website update${input.dryRun ? ' (dry run)' : ''}${input.force ? ', forced' : ''}`);

  const { name, about } = JOBS.websiteUpdate;
  return alerting({ job: name, about, progress, work: () => update(input, progress) });
}

async function update(input: CheckedWebsiteUpdate, progress: RunProgress): Promise<WebsiteUpdateResult> {
  progress.update('reading the settings');
  const { source, site } = await describeWebsite();
  if (source === null) {
    // The schedule exists in every deployment, with or without a website.
    progress.update('no website source is configured');
    return { outcome: 'not-configured', site };
  }

  progress.update('fetching and comparing', { source, site: `\`${site}\`` });
  const publication = await publishWebsite(input);
  const { outcome, revision, uploaded, deleted, unchanged } = publication;
  progress.update(outcome, {
    revision: `\`${revision}\``,
    files: `${uploaded} uploaded, ${deleted} deleted, ${unchanged} unchanged`,
  });
  log.info('website update ended', { outcome, revision, uploaded, deleted, unchanged });
  return { ...publication, site, source };
}

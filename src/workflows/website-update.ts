import { log, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { WebsitePublication } from '../activities/website-publication.ts';
import { parseWebsiteUpdateInput, type WebsiteUpdateInput } from '../pipeline/run-input.ts';
import { activityOptions } from './activity-options.ts';
import { alerting } from './alerting.ts';
import { checkedInput } from './checked-input.ts';
import { RunStory } from './story.ts';

const { describeWebsite } = proxyActivities<Activities>(activityOptions.quick);
const { publishWebsite } = proxyActivities<Activities>(activityOptions.scan);

export type WebsiteUpdateResult =
  | { readonly outcome: 'not-configured'; readonly site: string }
  | (WebsitePublication & { readonly site: string; readonly source: string });

/** Publishes the newest files of the configured website; the site follows its source, and an unchanged one costs no write. */
export async function websiteUpdate(raw?: WebsiteUpdateInput): Promise<WebsiteUpdateResult> {
  const input = checkedInput(() => parseWebsiteUpdateInput(raw));
  const story = new RunStory(`website update${input.dryRun ? ' (dry run)' : ''}${input.force ? ', forced' : ''}`);

  return alerting({ job: 'website-update', about: 'website', story, work: () => update(input, story) });
}

async function update(input: Required<WebsiteUpdateInput>, story: RunStory): Promise<WebsiteUpdateResult> {
  story.tell('reading the settings');
  const { source, site } = await describeWebsite();
  if (source === null) {
    // A schedule that exists where no website is wanted is no failure.
    story.tell('no website source is configured');
    return { outcome: 'not-configured', site };
  }

  story.tell('fetching and comparing', { source, site: `\`${site}\`` });
  const publication = await publishWebsite(input);
  const { outcome, revision, uploaded, deleted, unchanged } = publication;
  story.tell(outcome, {
    revision: `\`${revision}\``,
    files: `${uploaded} uploaded, ${deleted} deleted, ${unchanged} unchanged`,
  });
  log.info('website update ended', { outcome, revision, uploaded, deleted, unchanged });
  return { ...publication, site, source };
}

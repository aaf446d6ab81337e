/** The website: what its settings say, and one fetch and publication of it. */
import { cancellationSignal, log } from '@temporalio/activity';
import { placeName } from '../website/rules/target.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';
import { publishSite, type WebsiteProgress, type WebsitePublication } from '../website/publication.ts';

export interface WebsiteSettings {
  /** Source, as shown to people; null when none is configured. */
  readonly source: string | null;
  readonly site: string;
}

export function createWebsiteActivities(ports: Pick<ActivityPorts, 'analysis' | 'published' | 'website' | 'settings'>) {
  const { website } = ports;
  return {
    /** What the worker's configuration says; workflows and their clients know neither source nor site. */
    async describeWebsite(): Promise<WebsiteSettings> {
      return {
        source: website.source?.name ?? null,
        site: placeName({ bucket: website.site.bucket, prefix: website.prefix }),
      };
    },

    /**
     * Fetches the newest revision and publishes what differs. One activity, because the files are on this worker. A
     * repeated attempt fetches again, writes again what the failed one wrote, and counts only its own deletions.
     * @throws ApplicationFailure WebsiteSourceMissing, WebsiteRefused (nothing was written; a person must decide)
     */
    async publishWebsite(input: { readonly force: boolean; readonly dryRun: boolean }): Promise<WebsitePublication> {
      const progress: WebsiteProgress = { step: 'fetching', uploaded: 0, deleted: 0 };
      return heartbeating(
        () => progress,
        async () => {
          const publication = await publishSite(ports, input, progress, cancellationSignal());
          const { outcome, revision, uploaded, deleted, unchanged, memoryDamage } = publication;
          if (memoryDamage !== null) log.warn('memory of the last website update is damaged', { memoryDamage });
          log.info('website compared with its site', { outcome, revision, uploaded, deleted, unchanged });
          return publication;
        },
      );
    },
  };
}

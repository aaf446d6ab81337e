/** What the built site is told when it is published: addresses in `config.json`, and what its pages may connect to. */
import { InvalidDataError } from '../../pipeline/invalid-data.ts';

export interface SiteAddresses {
  /** Of the data set's bucket, as browsers reach it; ends in a slash. */
  readonly dataset: string;
  /** Of every key of the data set. */
  readonly prefix: string;
  /** Of Temporal's Web UI; null when there is none to link to. */
  readonly webUi: string | null;
  readonly namespace: string;
}

/** The text of `config.json`. */
export function siteConfig({ dataset, prefix, webUi, namespace }: SiteAddresses): string {
  return `${JSON.stringify({ format: 1, dataset, prefix, webUi, namespace })}\n`;
}

/** The origin of the data set, for the policy of the pages. */
export function connectSourceOf(dataset: string): string {
  return new URL(dataset).origin;
}

const CONNECT = "connect-src 'self'";

/**
 * A built page whose policy allows it to read the data set.
 * @throws InvalidDataError `website_source` for a page without a policy, which this project never builds
 */
export function renderPage(html: string, connectSource: string): string {
  const parts = html.split(CONNECT);
  if (parts.length !== 2)
    throw new InvalidDataError(
      'website_source',
      'The built site has a page without the policy that it needs: build it again with npm run website:build',
    );
  return parts.join(`${CONNECT} ${connectSource}`);
}

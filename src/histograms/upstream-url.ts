/** Where a revision's Histograms.json is: a configured address with placeholders, never the URL of the request. */
import type { Revision } from './revision-url.ts';

/** A revision, and the URL that named it. */
export interface NamedRevision extends Revision {
  readonly url: string;
}

/** Scheme and host are fixed text: a revision must not decide which host is contacted. */
const FIXED_ORIGIN = /^https?:\/\/[^/?#{}@\s\\]+\/[^\s\\]*$/;

/**
 * What is wrong with an address, in words.
 * @param allowHttp plain http is for mirrors of one's own
 */
export function upstreamTemplateProblem(template: string, allowHttp: boolean): string | undefined {
  if (!FIXED_ORIGIN.test(template) || !URL.canParse(template)) {
    return 'must be an https:// address whose host is fixed text, without user name';
  }
  if (!/\{revision\}|\{url\}/.test(template)) return 'must contain {revision}';
  if (template.startsWith('http://') && !allowHttp) {
    return 'must be https unless TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE=true';
  }
  return undefined;
}

/** The address with `{repo}`, `{revision}` and `{url}` (the revision URL, percent-encoded) filled in. */
export function upstreamUrl(template: string, { repo, revision, url }: NamedRevision): URL {
  const values: Readonly<Record<string, string>> = { repo, revision, url: encodeURIComponent(url) };
  return new URL(template.replace(/\{(repo|revision|url)\}/g, (_, name: string) => values[name] ?? ''));
}

/**
 * The revision URLs that submissions carry, and what may be fetched because of them
 * (docs/formats/histogram-server.md 6.3).
 */

export interface Revision {
  /** Path of the repository on the host, such as `releases/mozilla-aurora`. */
  readonly repo: string;
  /** Hexadecimal change set id. */
  readonly revision: string;
}

export interface RevisionFault {
  readonly fault: 'not_a_revision_url' | 'host_not_allowed' | 'bad_repo_path' | 'repo_not_allowed' | 'bad_revision_id';
}

export interface RevisionRules {
  /** Host names in lower case. The URL is untrusted and decides what we ask for, so no other host is accepted. */
  readonly hosts: readonly string[];
  /** Shorter ids are refused: they may later name another change set. */
  readonly minHexDigits?: number;
  /** Anchored pattern of the repository paths that may be asked for, among those that are safe as a path. */
  readonly repos?: RegExp;
}

const MIN_HEX_DIGITS = 12;
const MAX_HEX_DIGITS = 40;
// Greedy path: the last `/rev/` counts.
const GRAMMAR = /^https?:\/\/([^/]+)\/(.+)\/rev\/([0-9a-f]+)\/?$/;
const REPO_PATH = /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/;

/** Takes a revision URL apart. `repo` is safe as a relative path: no empty, `.` or `..` parts. */
export function parseRevisionUrl(url: string, rules: RevisionRules): Revision | RevisionFault {
  const [, host, repo, revision] = GRAMMAR.exec(url) ?? [];
  if (host === undefined || repo === undefined || revision === undefined) return { fault: 'not_a_revision_url' };
  if (!rules.hosts.includes(host.toLowerCase())) return { fault: 'host_not_allowed' };
  if (!isSafePath(repo)) return { fault: 'bad_repo_path' };
  if (rules.repos?.test(repo) === false) return { fault: 'repo_not_allowed' };
  const minDigits = rules.minHexDigits ?? MIN_HEX_DIGITS;
  if (revision.length < minDigits || revision.length > MAX_HEX_DIGITS) return { fault: 'bad_revision_id' };
  return { repo, revision };
}

function isSafePath(repo: string): boolean {
  return REPO_PATH.test(repo) && !repo.split('/').some((part) => part === '.' || part === '..');
}

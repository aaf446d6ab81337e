/** Addresses of git repositories: which ones are allowed, and how they are shown to people. */

/**
 * What the URL of a repository must look like; undefined when it does. Plain http and git could be altered in transit.
 */
export function repositoryProblem(url: string): string | undefined {
  return protocolOf(url) === undefined ? 'must be https://…, ssh://…, user@host:path or file:///…' : undefined;
}

/** The only protocol that git may use for this URL, redirects included; undefined for a URL that is not fetched from. */
export function protocolOf(url: string): 'https' | 'ssh' | 'file' | undefined {
  const [, scheme] = /^(https|ssh|file):\/\/[^\s-]\S*$/.exec(url) ?? [];
  if (scheme !== undefined) return scheme as 'https' | 'ssh' | 'file';
  return /^[A-Za-z0-9_.][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s:-]\S*$/.test(url) ? 'ssh' : undefined;
}

export const BRANCH_NAME = /^(?!.*(?:\.\.|\/\/|@\{|\.lock$|[/.]$))[A-Za-z0-9_][A-Za-z0-9_./@-]{0,199}$/;

export interface RepositoryLogin {
  readonly username: string;
  readonly password: string;
}

/**
 * The address without its credentials, and these. Only https has any: the user of an ssh address is no secret.
 */
export function takeCredentials(url: string): { readonly url: string; readonly login: RepositoryLogin | null } {
  const [, before, userInfo, after] = /^(https:\/\/)([^\s/]*)@(.*)$/.exec(url) ?? [];
  if (before === undefined || userInfo === undefined || after === undefined) return { url, login: null };
  const [username = '', ...password] = userInfo.split(':');
  return { url: before + after, login: { username: decoded(username), password: decoded(password.join(':')) } };
}

/** Lines end a credential in git's protocol. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll(/[\0\r\n]/g, '');
  } catch {
    return part;
  }
}

/** A text, such as what git printed, without the credentials and queries of its URLs, and without control characters. */
export function withoutCredentials(text: string): string {
  return text
    .replaceAll(/(\w+:\/\/)[^\s/]*@/g, '$1')
    .replaceAll(/(\w+:\/\/[^\s?']*)\?[^\s']*/g, '$1')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
}

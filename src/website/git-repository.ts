/** A branch of a git repository as the website's source: one commit, without history, tags, submodules and hooks. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebsiteSource } from '../activities/ports.ts';
import { PassingError } from '../ports.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { sizeGuard } from './rules/guards.ts';
import { protocolOf, type RepositoryLogin, takeCredentials, withoutCredentials } from './rules/repository.ts';
import { runProgram } from '../run-program.ts';
import { readSourceFiles } from './source-files.ts';

export interface Repository {
  readonly url: string;
  readonly branch: string;
  /** Of this process; git gets only the part that it needs to reach the repository. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A dashboard's repository takes seconds; a fetch that takes longer than this hangs. */
const FETCH_DEADLINE_MS = 10 * 60_000;
const FETCHED = 'refs/heads/website';
const SHOWN_CHARACTERS = 500;

export function gitRepository({ url: address, branch, environment }: Repository): WebsiteSource {
  const name = `${withoutCredentials(address)} branch ${branch}`;
  // Everybody on the machine sees the arguments of a program, and git passes the address on to others.
  const { url, login } = takeCredentials(address);
  return {
    name,
    fetch: async (work, signal) => {
      const repository = join(work, 'repository.git');
      const website = join(work, 'website');
      const git = (...args: string[]): Promise<string> =>
        runGit(name, args, gitEnvironment(url, login, environment), signal);
      await mkdir(website);
      await git('init', '--quiet', '--bare', '--template=', repository);
      const here = [`--git-dir=${repository}`, '-c', 'core.hooksPath=/dev/null', '-c', 'core.autocrlf=false'];
      await git(
        ...[...here, 'fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules'],
        ...['--', url, `+refs/heads/${branch}:${FETCHED}`],
      );
      checkSizes(await git(...here, 'ls-tree', '-r', '-l', '-z', FETCHED));
      const revision = (await git(...here, 'rev-parse', '--verify', `${FETCHED}^{commit}`)).trim();
      await git(...here, `--work-tree=${website}`, 'checkout', '--quiet', '--force', '--detach', revision);
      return { revision, ...(await readSourceFiles(website, signal)) };
    },
  };
}

/**
 * Sizes before anything is unpacked: a small pack may hold huge files.
 * @param tree lines `mode type id size TAB path`, each ended by NUL
 */
function checkSizes(tree: string): void {
  const guard = sizeGuard();
  for (const entry of tree.split('\0')) {
    const [, size, path] = /^\d+ blob \w+ +(\d+)\t(.*)$/s.exec(entry) ?? [];
    if (size !== undefined && path !== undefined) guard(path, Number(size));
  }
}

async function runGit(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const { stdout, output, error } = await runProgram('git', args, {
    deadlineMs: FETCH_DEADLINE_MS,
    environment,
    signal,
  });
  signal.throwIfAborted();
  if (error === null) return stdout;
  const said = withoutCredentials(output).slice(-SHOWN_CHARACTERS);
  const message = `The website cannot be fetched from ${name}: git: ${error}${said === '' ? '' : `: ${said}`}`;
  if (error === 'no such program' || FOR_A_PERSON.test(said)) throw new InvalidDataError('website_source', message);
  throw new PassingError(message);
}

/** Messages of git after which a retry is useless. Anything else, such as a host that does not answer, may pass. */
const FOR_A_PERSON =
  /couldn't find remote ref|not found|does not (?:appear to be a git repository|exist)|could not read (?:Username|Password)|Authentication failed|Permission denied|Host key verification failed|transport '\w*' not allowed|returned error: 40[134]|dubious ownership|dumb http/i;

/** Where programs, keys, certificates, proxies and git's own settings are; no other secret of this process. */
const PASSED_ON =
  /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|XDG_CONFIG_HOME|SSH_AUTH_SOCK|SSL_CERT_(?:FILE|DIR)|(?:https?|all|no)_proxy|GIT_(?:ASKPASS|SSH|SSH_COMMAND|SSL_\w+|CONFIG_\w+))$/i;

/** Prints the login to git and to nobody else; the shell that runs it has only the names of the variables. */
const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$TELEMETRY_GIT_USERNAME" "$TELEMETRY_GIT_PASSWORD"; }; f';

/** Settings of git by its environment, behind those that this process has; other helpers must not store the login. */
function loginEnvironment(
  { username, password }: RepositoryLogin,
  { GIT_CONFIG_COUNT: count }: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const first = /^\d+$/.test(count ?? '') ? Number(count) : 0;
  return {
    GIT_CONFIG_COUNT: String(first + 2),
    [`GIT_CONFIG_KEY_${first}`]: 'credential.helper',
    [`GIT_CONFIG_VALUE_${first}`]: '',
    [`GIT_CONFIG_KEY_${first + 1}`]: 'credential.helper',
    [`GIT_CONFIG_VALUE_${first + 1}`]: HELPER,
    TELEMETRY_GIT_USERNAME: username,
    TELEMETRY_GIT_PASSWORD: password,
  };
}

function gitEnvironment(
  url: string,
  login: RepositoryLogin | null,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && PASSED_ON.test(entry[0]),
  );
  return {
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=30',
    ...Object.fromEntries(passed),
    ...(login !== null && loginEnvironment(login, environment)),
    // No prompts, because there is no terminal; English messages, because they are matched above; no redirect to
    // another protocol.
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: protocolOf(url) ?? '',
  };
}

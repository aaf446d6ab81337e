/**
 * The original's `versions.json` (docs/formats/published.md 5.1): channel/version → folder, nothing else. Its folder
 * names become keys and paths, so every one is checked before it is used.
 */
import { InvalidDataError } from '../../invalid-data.ts';
import { isChannelVersion, parseFolderName } from '../folder-name.ts';
import { StoredJson } from '../../stored-json.ts';

interface OriginalVersions {
  /** channel/version → folder, ascending. */
  readonly folders: ReadonlyMap<string, string>;
  /**
   * One sentence for each entry that is not a channel/version with its folder, or that was left out without being
   * there.
   */
  readonly problems: readonly string[];
}

/** True for a `versions.json` of our own: it has a commit, valid or not. */
export function isOurs(json: string): boolean {
  try {
    return StoredJson.parse(json, 'bad_versions', 'versions.json').optional('$head') !== undefined;
  } catch (error) {
    if (error instanceof InvalidDataError) return false;
    throw error;
  }
}

/**
 * @param leftOut keys of entries to go without, as they are in the file
 * @throws InvalidDataError `bad_versions` for anything but a JSON object
 */
export function parseOriginalVersions(json: string, leftOut: readonly string[] = []): OriginalVersions {
  const entries = StoredJson.parse(json, 'bad_versions', 'versions.json').entries();
  const folders = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, { value }] of entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (leftOut.includes(name)) continue;
    const problem = problemOf(name, value);
    if (problem === undefined) folders.set(name, value as string);
    else problems.push(problem);
  }
  for (const name of leftOut)
    if (!entries.some(([key]) => key === name))
      problems.push(`versions.json has no entry ${quoted(name)} to leave out`);
  return { folders, problems };
}

function problemOf(name: string, folder: unknown): string | undefined {
  if (!isChannelVersion(name)) return `versions.json names ${quoted(name)}, which is no channel/version`;
  if (typeof folder === 'string' && parseFolderName(folder)?.channelVersion === name) return undefined;
  return `versions.json names ${quoted(folder)} for ${name}, which is no folder <YYYYMMDDHHMMSS>-<version>-<channel> of it`;
}

function quoted(value: unknown): string {
  return JSON.stringify(value).slice(0, 200);
}

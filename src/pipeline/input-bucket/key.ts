/**
 * The grammar of input keys: `reason/app/channel/version/buildId.submissionDate.v2.log.<unique>.lzma`
 * (docs/formats/input-bucket.md 1.2).
 */
import { isCalendarDay } from '../calendar-day.ts';
import { RESERVED_OPTIONS } from '../dataset/filter-tree.ts';
import { isChannelVersion } from '../dataset/folder-name.ts';
import { InvalidDataError } from '../invalid-data.ts';

const FILE_NAME = /^v(\d+)\.log\.[0-9A-Za-z-]+\.(?:lzma|xz)$/;

/** Format version of the submission files this pipeline reads. */
const READ_VERSION = 2;

/** What the part of a file name after the submission date says about the file. */
export function classifyFileName(rest: string): 'submissions' | 'other_version' | 'unrecognised' {
  const match = FILE_NAME.exec(rest);
  if (match === null) return 'unrecognised';
  return Number(match[1]) === READ_VERSION ? 'submissions' : 'other_version';
}

/**
 * Dimensions of a submission file, as its key names them; the records' own `info` is not used
 * (docs/formats/submissions.md 3.2).
 */
export interface SubmissionDimensions {
  readonly reason: string;
  readonly appName: string;
  readonly channel: string;
  /** `channel/major version` */
  readonly channelVersion: string;
  readonly buildId: string;
  /** `YYYYMMDD`, first eight digits of the build id. */
  readonly buildDate: string;
  readonly submissionDate: string;
}

const KEY =
  /^([A-Za-z0-9_.]+)\/([A-Za-z0-9_.]+)\/([A-Za-z0-9_.]+)\/([A-Za-z0-9_.]+)\/([0-9]{8,14})\.([0-9]{8})\.(v[0-9]+\.log\..+)$/;

/**
 * Reads the dimensions off an input key.
 * @param strictBuildId require all 14 digits; otherwise 8 to 14 are accepted
 * @throws InvalidDataError `bad_key`
 */
export function parseInputKey(key: string, strictBuildId = false): SubmissionDimensions {
  const match = KEY.exec(key);
  if (match === null) throw badKey(key, 'it is not reason/app/channel/version/buildId.submissionDate.vN.log.…');
  const [, reason = '', appName = '', channel = '', version = '', buildId = '', submissionDate = ''] = match;
  const channelVersion = `${channel}/${version.split('.', 1)[0] ?? ''}`;
  const buildDate = buildId.slice(0, 8);
  const fault = partFault(reason, appName, channelVersion) ?? dateFault(buildId, submissionDate, strictBuildId);
  if (fault !== undefined) throw badKey(key, fault);
  return { reason, appName, channel, channelVersion, buildId, buildDate, submissionDate };
}

/** The submission date in a key, as it is written there; empty where there is none. */
export function submissionDateOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1).split('.', 2)[1] ?? '';
}

/** The channel/version that the submissions of a file count for; undefined for a key of which none can count. */
export function channelVersionOf(key: string): string | undefined {
  try {
    return parseInputKey(key).channelVersion;
  } catch (error) {
    if (error instanceof InvalidDataError) return undefined;
    throw error;
  }
}

const MAX_PART = 64;

function partFault(reason: string, appName: string, channelVersion: string): string | undefined {
  for (const part of [reason, appName]) {
    if (part === '.' || part === '..') return 'a part is a dot name';
    // Both become part of the filter path, whose nodes have members of their own and whose length is bounded.
    if (RESERVED_OPTIONS.has(part)) return `${part} is reserved in filter trees`;
    if (part.length > MAX_PART) return `a part has more than ${MAX_PART} characters`;
  }
  // Checked here, because a name that cannot be published would fail the day's run at its end.
  return isChannelVersion(channelVersion) ? undefined : `${channelVersion} cannot be published`;
}

function dateFault(buildId: string, submissionDate: string, strictBuildId: boolean): string | undefined {
  if (strictBuildId && buildId.length !== 14) return `build id ${buildId} has not 14 digits`;
  if (!isCalendarDay(buildId.slice(0, 8))) return `build id ${buildId} does not begin with a calendar day`;
  return isCalendarDay(submissionDate) ? undefined : `submission date ${submissionDate} is no calendar day`;
}

function badKey(key: string, why: string): InvalidDataError {
  return new InvalidDataError('bad_key', `Input key ${JSON.stringify(key)}: ${why}`);
}

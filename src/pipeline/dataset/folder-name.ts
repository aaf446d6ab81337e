/**
 * Names in the published space: channel/versions, and the folders `<YYYYMMDDHHMMSS>-<version>-<channel>`
 * (docs/formats/published.md 5.1).
 */
import { InvalidDataError } from '../invalid-data.ts';
import { isSafeSegment } from '../safe-segment.ts';

/** `channel/version`, such as `nightly/28`. A version has no `-`: in a folder name it would read as the channel's start. */
const CHANNEL_VERSION = /^([^/]+)\/([^/-]+)$/;
/** Of channel and version each, so that a folder's name fits a file system's 255 bytes. */
const MAX_PART = 100;
const FOLDER = /^(\d{14})-([A-Za-z0-9_.]+)-([A-Za-z0-9_.-]+)$/;

export interface FolderName {
  /** UTC, `YYYYMMDDHHMMSS`. */
  readonly stamp: string;
  readonly channelVersion: string;
}

/** True for a `channel/version` that can be published. Names of folders and state objects are made from it. */
export function isChannelVersion(text: string): boolean {
  const parts = CHANNEL_VERSION.exec(text)?.slice(1);
  return parts !== undefined && parts.every((part) => part.length <= MAX_PART && isSafeSegment(part));
}

/** Takes a folder name apart; undefined for any name that this module did not make. */
export function parseFolderName(name: string): FolderName | undefined {
  const [, stamp, version, channel] = FOLDER.exec(name) ?? [];
  if (stamp === undefined || version === undefined || channel === undefined) return undefined;
  const channelVersion = `${channel}/${version}`;
  const isTime = stampOf(timeOf(stamp)) === stamp;
  return isTime && isChannelVersion(channelVersion) ? { stamp, channelVersion } : undefined;
}

/**
 * The folder for the next snapshot of a channel/version. Its time stamp is `now`, but at least one second after the
 * previous folder's, so that no folder is ever written twice, be it in one second or after the clock was set back.
 * @param previousFolder the published folder, or a later one that an earlier attempt of this publish has begun
 * @throws InvalidDataError `bad_channel_version`, or `bad_folder_name` for a previous folder of another channel/version
 */
export function nextFolderName(channelVersion: string, now: Date, previousFolder?: string): string {
  const [, channel, version] = CHANNEL_VERSION.exec(channelVersion) ?? [];
  if (channel === undefined || version === undefined || !isChannelVersion(channelVersion)) {
    throw new InvalidDataError('bad_channel_version', `${JSON.stringify(channelVersion)} cannot name a folder`);
  }
  let stamp = stampOf(now.getTime());
  if (previousFolder !== undefined) {
    const previous = parseFolderName(previousFolder);
    if (previous?.channelVersion !== channelVersion) {
      throw new InvalidDataError('bad_folder_name', `${previousFolder} is no folder of ${channelVersion}`);
    }
    const after = stampOf(timeOf(previous.stamp) + 1000);
    if (stamp < after) stamp = after;
  }
  return `${stamp}-${version}-${channel}`;
}

function stampOf(time: number): string {
  return Number.isNaN(time) ? '' : new Date(time).toISOString().replace(/\D/g, '').slice(0, 14);
}

function timeOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'));
}

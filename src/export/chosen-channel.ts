/** A part of the data set as people name it: a channel, or a channel/version. */
import { distance } from 'fastest-levenshtein';
import { plainLine } from '../pipeline/plain-text.ts';

const MAX_NAMED = 10;
const MAX_GIVEN = 100;

/** @param channel undefined: all of them */
export function isOfChannel(channel: string | undefined, channelVersion: string): boolean {
  return channel === undefined || channelVersion === channel || channelVersion.startsWith(`${channel}/`);
}

/**
 * What to say of one that the data set does not have; undefined when it does.
 * @param there its channel/versions
 */
export function unknownChannel(channel: string | undefined, there: Iterable<string>): string | undefined {
  const channelVersions = [...there];
  if (channel === undefined || channelVersions.some((each) => isOfChannel(channel, each))) return undefined;
  const given = plainLine(channel, MAX_GIVEN);
  if (channelVersions.length === 0) return `The data set has no ${given}; it has nothing yet.`;
  const names = channel.includes('/') ? channelVersions : channelVersions.map((each) => each.split('/')[0] ?? each);
  const nearest = [...new Set(names)]
    .map((name) => ({ name, far: distance(name.toLowerCase(), given.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
  const more = nearest.length > MAX_NAMED ? `, and ${nearest.length - MAX_NAMED} more` : '';
  return `The data set has no ${given}; it has ${nearest.slice(0, MAX_NAMED).join(', ')}${more}.`;
}

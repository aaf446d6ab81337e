/** When the data itself needs attention: a channel/version fell silent. What moved is no fault, and `changes` tells it. */
import type { Facts } from './facts.ts';
import { type Finding, findingId } from '../../findings.ts';

export function changesFindings({ changes }: Pick<Facts, 'changes'>): Finding[] {
  if ('unknown' in changes) return [];
  return changes.known.silences.map(({ channelVersion, date, text }) => ({
    severity: 'warning',
    where: `channel/version ${channelVersion}`,
    what: `it fell silent: ${text}`,
    action:
      'Find out whether its submissions still reach the input bucket, and whether the filter admits them; it is reported until they come again, for four weeks, or until it is acknowledged.',
    id: findingId('silence', channelVersion),
    since: date.replace(/^(....)(..)(..)$/, '$1-$2-$3T00:00:00.000Z'),
  }));
}

/** The objects with slots that a channel/version of a ledger names: what its folder is rendered from, and what is kept beside that. */
import type { ChannelVersionEntry } from './ledger.ts';

type Stored = Pick<ChannelVersionEntry, 'base' | 'segments'>;

/** An object with slots that a channel/version of a ledger names. */
export interface NamedSlots {
  readonly channelVersion: string;
  readonly key: string;
  readonly sha: string;
  readonly slots: number;
  /** Day of a segment; null for a base and for the one beneath it. */
  readonly day: string | null;
}

/** Keys of what a folder is rendered from, in the order in which it is added: the base, then days ascending. */
export function partsOf({ base, segments }: Stored): string[] {
  return [...(base === null ? [] : [base.key]), ...segments.map(({ key }) => key)];
}

/** Every object that a channel/version names, including those kept to take a base apart. */
export function slotsNamedBy(channelVersion: string, { base, segments }: Stored): NamedSlots[] {
  const folded = base === null ? [] : [base, ...(base.beneath === null ? [] : [base.beneath])];
  return [
    ...folded.map(({ key, sha, slots }) => ({ channelVersion, key, sha, slots, day: null })),
    ...[...(base?.kept ?? []), ...segments].map(({ key, sha, slots, day }) => ({
      channelVersion,
      key,
      sha,
      slots,
      day,
    })),
  ];
}

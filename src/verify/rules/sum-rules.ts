/** I3 in the ledger alone: what each channel/version is made of, against what its days say, and against the folder. */
import { isAdopted } from '../../pipeline/dataset/entry-name.ts';
import { daysCountedBy } from '../../pipeline/dataset/invariants.ts';
import type { ChannelVersionEntry, Ledger } from '../../pipeline/dataset/ledger.ts';
import { partsOf } from '../../pipeline/dataset/named-slots.ts';
import type { Manifest } from '../../pipeline/dataset/manifest.ts';

/** A day that a channel/version should count and does not, or the other way round. */
export interface SumFault {
  readonly channelVersion: string;
  readonly day: string;
  readonly fault: 'day without entry' | 'not counted' | 'counts another run';
}

/** Days that a channel/version counts although the ledger has no entry for them. */
export function daysWithoutEntry({ entries, channelVersions }: Ledger): SumFault[] {
  return [...channelVersions].flatMap(([channelVersion, entry]) =>
    daysCountedBy(entry)
      .filter((day) => !entries.has(day))
      .map((day) => ({ channelVersion, day, fault: 'day without entry' as const })),
  );
}

/** @param segments of the run that the ledger's entry of the day is from: channel/version → key */
export function sumFaults({ channelVersions }: Ledger, day: string, segments: ReadonlyMap<string, string>): SumFault[] {
  const names = new Set([...channelVersions.keys(), ...segments.keys()]);
  return [...names].flatMap((channelVersion) => {
    const fault = faultOf(channelVersions.get(channelVersion), day, segments.get(channelVersion));
    return fault === undefined ? [] : [{ channelVersion, day, fault }];
  });
}

function faultOf(
  entry: ChannelVersionEntry | undefined,
  day: string,
  wanted: string | undefined,
): SumFault['fault'] | undefined {
  const own = [...(entry?.segments ?? []), ...(entry?.base?.kept ?? [])].find((segment) => segment.day === day);
  if (own !== undefined) return own.key === wanted ? undefined : 'counts another run';
  // What is folded for good can no longer be compared.
  const isFolded = entry?.base?.days.includes(day) === true;
  return wanted === undefined || isFolded ? undefined : 'not counted';
}

/** A folder that the original rendered: it is made of adopted slots alone, and its manifest therefore names none. */
export function isAdoptedFolder(manifest: Manifest, entry: ChannelVersionEntry): boolean {
  return manifest.segments.length === 0 && entry.segments.length === 0 && daysCountedBy(entry).every(isAdopted);
}

export function isRenderedFrom(manifest: Manifest, entry: ChannelVersionEntry): boolean {
  return manifest.segments.toSorted().join('\n') === partsOf(entry).toSorted().join('\n');
}

/** Whether two entries count the same days, be they folded or not. */
export function countSameDays(a: ChannelVersionEntry, b: ChannelVersionEntry): boolean {
  return daysCountedBy(a).toSorted().join('\n') === daysCountedBy(b).toSorted().join('\n');
}

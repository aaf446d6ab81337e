/**
 * What must hold of every commit of the data set, as far as its ledgers and `versions.json` show it
 * (docs/protocol.md 3). Checked before every compare-and-swap of the pointer, and by `verify`.
 */
import { ENTRY_NAME, isRound } from './entry-name.ts';
import { parseFolderName } from './folder-name.ts';
import type { ChannelVersionEntry, CompactedBase, Ledger, LedgerEntry, Segment } from './ledger.ts';
import { slotsNamedBy } from './named-slots.ts';
import type { Versions } from './versions.ts';

export interface Fault {
  /** The invariant that is broken. */
  readonly rule: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I8';
  readonly kind: 'damaged' | 'double-task' | 'wrong-count' | 'wrong-parent' | 'wrong-sum';
  /** What is wrong with what, as a sentence without a full stop. */
  readonly what: string;
}

/**
 * Everything that a ledger and its parent show to be wrong.
 * @param parent null for the first commit of a data set
 */
export function faultsOf(next: Ledger, parent: Ledger | null): Fault[] {
  return [...faultsWithoutParent(next), ...faultsAgainst(next, parent)];
}

/** The same where the parent is not stored any more. */
export function faultsWithoutParent(next: Ledger): Fault[] {
  return [...faultsWithin(next), ...repeatedRuns(next), ...sharedSlots(next)];
}

/** What one ledger shows by itself; a stored one with such a fault is damaged. */
export function faultsWithin(ledger: Ledger): Fault[] {
  return [
    ...[...ledger.entries].flatMap(([name, entry]) => entryFaults(name, entry)),
    ...[...ledger.channelVersions].flatMap(([name, entry]) => channelVersionFaults(name, entry)),
  ];
}

/** Whether a pointer is that of its ledger. */
export function pointerFaults({ head, folders }: Versions, ledger: Ledger): Fault[] {
  const faults: Fault[] = [];
  for (const member of ['seq', 'commit', 'parent'] as const) {
    if (head[member] === ledger[member]) continue;
    const what = `$head has ${member} ${String(head[member])}, its ledger ${String(ledger[member])}`;
    faults.push({ rule: 'I5', kind: 'wrong-parent', what });
  }
  const names = new Set([...folders.keys(), ...ledger.channelVersions.keys()]);
  for (const name of [...names].toSorted()) {
    const [shown, named] = [folders.get(name), ledger.channelVersions.get(name)?.folder];
    if (shown === named) continue;
    const what = `${name} is ${shown ?? 'not'} in versions.json, and ${named ?? 'not'} in its ledger`;
    faults.push({ rule: 'I4', kind: 'damaged', what });
  }
  return faults;
}

/** Numbers of tasks: each is in just one of done, failed and missing. */
export interface TaskCounts {
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
}

/** I8, in words; undefined when it holds. */
export function countFault({ planned, done, failed, missing }: TaskCounts): string | undefined {
  if (planned === done + failed + missing) return undefined;
  return `planned ${planned} is not done ${done} + failed ${failed} + missing ${missing}`;
}

/** Entries that a channel/version counts, each as often as it does. */
export function daysCountedBy({ base, segments }: Pick<ChannelVersionEntry, 'base' | 'segments'>): string[] {
  return [...(base?.days ?? []), ...segments.map(({ day }) => day)];
}

function entryFaults(name: string, entry: LedgerEntry): Fault[] {
  const faults: Fault[] = [];
  if (!ENTRY_NAME.test(name))
    faults.push({ rule: 'I2', kind: 'damaged', what: `the entry ${name} is not named after a day, round or adoption` });
  const counts = countFault(entry);
  if (counts !== undefined) faults.push({ rule: 'I8', kind: 'wrong-count', what: `entry ${name}: ${counts}` });
  return faults;
}

function channelVersionFaults(name: string, entry: ChannelVersionEntry): Fault[] {
  const faults: Fault[] = [];
  const fault = (rule: 'I3' | 'I4', what: string): void => {
    faults.push({ rule, kind: 'damaged', what: `${name} ${what}` });
  };
  if (parseFolderName(entry.folder)?.channelVersion !== name)
    fault('I4', `has ${entry.folder}, which is no folder of it`);
  const days = daysCountedBy(entry);
  if (days.length === 0) fault('I3', 'is rendered from nothing');
  const twice = days.find((day, index) => days.indexOf(day) !== index);
  if (twice !== undefined) fault('I3', `counts ${twice} twice`);
  if (entry.base !== null && !isWhole(entry.base))
    fault('I3', 'has a base whose days are not those beneath and the kept ones');
  return faults;
}

function isWhole({ days, kept, beneath }: CompactedBase): boolean {
  if (kept.length === 0) return beneath === null;
  const parts = [...(beneath?.days ?? []), ...kept.map(({ day }) => day)];
  return parts.toSorted().join() === days.toSorted().join();
}

/** I1: a run that two entries count would bring each of its tasks twice. */
function repeatedRuns({ entries }: Ledger): Fault[] {
  const owners = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, { runId }] of entries) {
    const other = owners.get(runId);
    if (other !== undefined) {
      const what = `run ${runId} is counted as ${other} and as ${name}, with all its tasks`;
      faults.push({ rule: 'I1', kind: 'double-task', what });
    }
    owners.set(runId, name);
  }
  return faults;
}

/** I3: an object with slots is of one channel/version, and one day of it. */
function sharedSlots({ channelVersions }: Ledger): Fault[] {
  const owners = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, entry] of channelVersions) {
    const days = new Set<string>();
    for (const { key } of slotsNamedBy(name, entry)) {
      const owner = owners.get(key) ?? name;
      if (owner !== name)
        faults.push({ rule: 'I3', kind: 'wrong-sum', what: `${owner} and ${name} both count ${key}` });
      owners.set(key, owner);
    }
    for (const { key } of entry.segments) {
      if (days.has(key)) faults.push({ rule: 'I3', kind: 'wrong-sum', what: `${name} counts ${key} for two days` });
      days.add(key);
    }
  }
  return faults;
}

function faultsAgainst(next: Ledger, parent: Ledger | null): Fault[] {
  const parentFault = parentFaultOf(next, parent);
  if (parentFault !== undefined) return [{ rule: 'I5', kind: 'wrong-parent', what: parentFault }];
  const before = parent ?? {
    entries: new Map<string, LedgerEntry>(),
    channelVersions: new Map<string, ChannelVersionEntry>(),
  };
  const changed = changedEntries(next.entries, before.entries);
  return [...entryChanges(next, before, changed), ...sumChanges(next, before, changed)];
}

function parentFaultOf({ seq, commit, parent }: Ledger, before: Ledger | null): string | undefined {
  if (before === null)
    return seq === 0 && parent === null
      ? undefined
      : `commit ${seq} is the first one, and names the parent ${String(parent)}`;
  if (seq !== before.seq + 1) return `commit ${seq} follows commit ${before.seq}`;
  if (parent !== before.commit) return `commit ${seq} names the parent ${String(parent)}, not ${before.commit}`;
  return commit === before.commit ? `commit ${seq} has the id of its parent` : undefined;
}

type Before = Pick<Ledger, 'entries' | 'channelVersions'>;

/** Entries that are new, changed or gone. */
function changedEntries(next: Ledger['entries'], before: Ledger['entries']): ReadonlySet<string> {
  const names = new Set([...next.keys(), ...before.keys()]);
  return new Set([...names].filter((name) => JSON.stringify(next.get(name)) !== JSON.stringify(before.get(name))));
}

function entryChanges(next: Ledger, before: Before, changed: ReadonlySet<string>): Fault[] {
  const faults: Fault[] = [];
  const written = [...changed].filter((name) => next.entries.has(name));
  if (written.length > 1)
    faults.push({
      rule: 'I2',
      kind: 'damaged',
      what: `one commit changes several entries: ${written.slice(0, 5).join(', ')}`,
    });
  for (const name of before.entries.keys()) {
    if (next.entries.has(name) || isRound(name)) continue;
    faults.push({ rule: 'I2', kind: 'damaged', what: `${name} leaves the data set, and nothing takes its place` });
  }
  return faults;
}

/** Whether two entries are the same sum, however their days are grouped: what is folded can only be told by its days. */
function showSame(was: ChannelVersionEntry, entry: ChannelVersionEntry): boolean {
  const days = (of: ChannelVersionEntry): string => daysCountedBy(of).toSorted().join('\n');
  if (days(was) !== days(entry)) return false;
  const keys = new Map(ownSegments(was).map(({ day, key }) => [day, key]));
  return ownSegments(entry).every(({ day, key }) => (keys.get(day) ?? key) === key);
}

function ownSegments({ base, segments }: ChannelVersionEntry): readonly Segment[] {
  return [...(base?.kept ?? []), ...segments];
}

/** I3: a folder is the sum of what the ledger names. One that stays has the same sum; a new one counts entries only. */
function sumChanges(next: Ledger, before: Before, changed: ReadonlySet<string>): Fault[] {
  const faults: Fault[] = [];
  const fault = (what: string): void => {
    faults.push({ rule: 'I3', kind: 'wrong-sum', what });
  };
  for (const [name, entry] of next.channelVersions) {
    const was = before.channelVersions.get(name);
    if (was !== undefined && was.folder === entry.folder) {
      if (!showSame(was, entry)) fault(`${name} keeps ${was.folder}, which shows other segments`);
      continue;
    }
    for (const day of daysCountedBy(entry))
      if (!next.entries.has(day)) fault(`${name} counts ${day}, of which the ledger has no entry`);
    if (was !== undefined && entry.folder <= was.folder)
      fault(`${name} goes back from ${was.folder} to ${entry.folder}`);
  }
  for (const [name, was] of before.channelVersions) {
    if (next.channelVersions.has(name)) continue;
    const lost = daysCountedBy(was).find((day) => !changed.has(day));
    if (lost !== undefined) fault(`${name} leaves the data set, and with it ${lost}, which the commit does not change`);
  }
  return faults;
}

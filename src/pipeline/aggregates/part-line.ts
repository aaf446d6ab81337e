/**
 * Sorted parts: how chunks, segments and spilled tables lie on disk. One slot a line, a JSON array
 * `[channel/version, measure, by-date, path, date, build id, revision, values]`, lines in slot order, so that any number
 * of parts merges as a stream. All lengths are kept.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { type ByDate, COUNT, MISSING, SIMPLE_MEASURE_PREFIX, type Slot, SUM } from './slot.ts';

export interface PartSlot {
  readonly channelVersion: string;
  readonly slot: Slot;
}

export function partLine(channelVersion: string, slot: Slot): string {
  const values = slot.values.join(',');
  const { measure, byDate, path, date, buildId, revision } = slot;
  return `["${channelVersion}","${measure}","${byDate}",${JSON.stringify(path)},"${date}","${buildId}",${JSON.stringify(revision)},[${values}]]`;
}

/** @throws InvalidDataError `bad_part`: parts are ours, so this one is damaged */
export function parsePartLine(line: string): PartSlot {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 8 || !Array.isArray(fields[7])) {
    throw new InvalidDataError('bad_part', `Not a line of a sorted part: ${line.slice(0, 200)}`);
  }
  const [channelVersion, measure, byDate, path, date, buildId, revision, values] = fields as [
    string,
    string,
    ByDate,
    string,
    string,
    string,
    string,
    number[],
  ];
  return { channelVersion, slot: { measure, byDate, path, date, buildId, revision, values } };
}

/** Slot order: channel/version, measure, by-date, path, date, length. */
export function comparePartSlots(a: PartSlot, b: PartSlot): number {
  return (
    compareText(a.channelVersion, b.channelVersion) ||
    compareText(a.slot.measure, b.slot.measure) ||
    compareText(a.slot.byDate, b.slot.byDate) ||
    compareText(a.slot.path, b.slot.path) ||
    compareText(a.slot.date, b.slot.date) ||
    a.slot.values.length - b.slot.values.length
  );
}

/** The sum of slots that `comparePartSlots` finds equal, added in the given order. */
export function sumSlots(slots: readonly [Slot, ...Slot[]]): Slot {
  const [first, ...others] = slots;
  if (others.length === 0) return first;
  const values = [...first.values];
  const build = { buildId: first.buildId, revision: first.revision };
  const simple = first.measure.startsWith(SIMPLE_MEASURE_PREFIX);
  const length = values.length;
  for (const other of others) {
    for (let index = 0; index < length; index += 1) {
      const [x, y] = [values[index] ?? 0, other.values[index] ?? 0];
      const statistic = index >= length - SUM && index !== length - COUNT && !(simple && index === length - SUM);
      values[index] = statistic && (x === MISSING || y === MISSING) ? (x === MISSING ? y : x) : x + y;
    }
    if (build.buildId < other.buildId || (build.buildId === other.buildId && build.revision < other.revision)) {
      build.buildId = other.buildId;
      build.revision = other.revision;
    }
  }
  return { ...first, values: values.map(finite), ...build };
}

/** Sums that overflow are held at the largest double (results.md 4.6). */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : value > 0 ? Number.MAX_VALUE : value < 0 ? -Number.MAX_VALUE : 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

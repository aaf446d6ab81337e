/**
 * Sorted parts: the file format of chunks, segments and spilled tables. One slot a line, a JSON array
 * `[channel/version, measure, by-date, path, date, build id, revision, values]`, lines in slot order, so that any number
 * of parts merges as a stream. All lengths are kept.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { compareText } from '../text-order.ts';
import { addRow, holdFinite, noteBuild } from './merge-rule.ts';
import { type ByDate, numbersOf, SIMPLE_MEASURE_PREFIX, type Slot } from './slot.ts';
import { TextValues } from './text-values.ts';

export interface PartSlot {
  readonly channelVersion: string;
  readonly slot: Slot;
}

export function partLine(channelVersion: string, slot: Slot): string {
  const values = slot.values.join(',');
  const { measure, byDate, path, date, buildId, revision } = slot;
  return `["${channelVersion}","${measure}","${byDate}",${JSON.stringify(path)},"${date}","${buildId}",${JSON.stringify(revision)},[${values}]]`;
}

/** @throws InvalidDataError `bad_part`: we write parts ourselves, so this one is damaged */
export function parsePartLine(line: string): PartSlot {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields) || fields.length !== 8 || !Array.isArray(fields[7]) || !areTexts(fields)) {
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

/**
 * The same with the values as text, for streams.
 * @throws InvalidDataError `bad_part`
 */
export function readPartLine(line: string): PartSlot {
  const from = line.lastIndexOf('[') + 1;
  const values = line.endsWith(']]') ? TextValues.of(line.slice(from, -2)) : undefined;
  if (values === undefined) return parsePartLine(line);
  const { channelVersion, slot } = parsePartLine(`${line.slice(0, from)}]]`);
  return { channelVersion, slot: { ...slot, values } };
}

/** All but the last, which are the values. */
function areTexts(fields: readonly unknown[]): boolean {
  for (let index = 0; index < 7; index += 1) if (typeof fields[index] !== 'string') return false;
  return true;
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
  const values = new Float64Array(numbersOf(first.values));
  const build = { buildId: first.buildId, revision: first.revision };
  const simple = first.measure.startsWith(SIMPLE_MEASURE_PREFIX);
  for (const other of others) {
    addRow(values, numbersOf(other.values), 0, simple);
    noteBuild(build, other.buildId, other.revision);
  }
  holdFinite(values);
  return { ...first, values, ...build };
}

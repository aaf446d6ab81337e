/**
 * Keys of results, `channel/major/measure/by-date`, by the numbers of their names: there are few names for thousands of keys, so that
 * threads sort and copy numbers instead of texts.
 */
import type { LineKey } from '../pipeline/aggregates/result-parser.ts';
import { BY_DATES } from '../pipeline/aggregates/slot.ts';
import { compareText } from '../pipeline/text-order.ts';

/** In shared memory. */
export interface Keys {
  readonly channelVersions: Names;
  readonly measures: Names;
  /** Of each key: the numbers of its names, and of its by-date; 0 where keys have none. */
  readonly channelVersion: Uint32Array;
  readonly measure: Uint32Array;
  readonly byDate: Uint8Array;
}

/** Names in UTF-8, one behind the other, and where each ends. */
interface Names {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

export function keyAt(keys: Keys, number: number): LineKey {
  return {
    channelVersion: nameAt(keys.channelVersions, keys.channelVersion[number] as number),
    measure: nameAt(keys.measures, keys.measure[number] as number),
    byDate: BY_DATES[keys.byDate[number] as 0 | 1],
  };
}

/** `channel/major/measure` of each key. */
export function measuresOf(keys: Keys): string[] {
  return Array.from(keys.measure, (_, number) => {
    const { channelVersion, measure } = keyAt(keys, number);
    return `${channelVersion}/${measure}`;
  });
}

function nameAt({ bytes, ends }: Names, number: number): string {
  const from = number === 0 ? 0 : (ends[number - 1] as number);
  return Buffer.from(bytes.buffer, from, (ends[number] as number) - from).toString();
}

function namesOf(texts: readonly string[]): Names {
  const text = Buffer.from(texts.join(''));
  const bytes = new Uint8Array(new SharedArrayBuffer(text.length));
  bytes.set(text);
  const ends = new Uint32Array(new SharedArrayBuffer(4 * texts.length));
  let end = 0;
  for (const [number, name] of texts.entries()) {
    end += Buffer.byteLength(name);
    ends[number] = end;
  }
  return { bytes, ends };
}

/** Keys in the order in which they are added. */
export class KeyList {
  readonly #channelVersions = new Map<string, number>();
  readonly #measures = new Map<string, number>();
  readonly #numbers: number[] = [];

  /** @returns the number of its channel/version */
  add({ channelVersion, measure, byDate }: LineKey): number {
    const number = numberOf(this.#channelVersions, channelVersion);
    this.#numbers.push(number, numberOf(this.#measures, measure), BY_DATES.indexOf(byDate));
    return number;
  }

  keys(): Keys {
    const columns = columnsOf(this.#numbers.length / 3);
    for (let key = 0; key < columns.measure.length; key += 1) {
      columns.channelVersion[key] = this.#numbers[3 * key] as number;
      columns.measure[key] = this.#numbers[3 * key + 1] as number;
      columns.byDate[key] = this.#numbers[3 * key + 2] as number;
    }
    const [channelVersions, measures] = [[...this.#channelVersions.keys()], [...this.#measures.keys()]];
    return { channelVersions: namesOf(channelVersions), measures: namesOf(measures), ...columns };
  }
}

function numberOf(numbers: Map<string, number>, name: string): number {
  let number = numbers.get(name);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(name, number);
  }
  return number;
}

function columnsOf(keys: number): Pick<Keys, 'channelVersion' | 'measure' | 'byDate'> {
  return {
    channelVersion: new Uint32Array(new SharedArrayBuffer(4 * keys)),
    measure: new Uint32Array(new SharedArrayBuffer(4 * keys)),
    byDate: new Uint8Array(new SharedArrayBuffer(keys)),
  };
}

/**
 * All keys of several lists in slot order: by channel/version, then measure, then by-date.
 * @param isUsed of each list, which of its keys count
 * @returns the keys; and of each list the number that each of its keys has among them
 */
export function sortedKeys(
  lists: readonly Keys[],
  isUsed: readonly Uint8Array[],
): { readonly keys: Keys; readonly numbers: readonly Uint32Array[] } {
  const channelVersions = ranksOf(lists.map((list) => list.channelVersions));
  const measures = ranksOf(lists.map((list) => list.measures));
  const width = measures.names.length * BY_DATES.length;
  // Numbers in the order of the keys, far below 2⁵³.
  const orders = lists.map((list, index) => {
    const [ofChannelVersion, ofMeasure] = [channelVersions.ranks[index], measures.ranks[index]] as [
      Uint32Array,
      Uint32Array,
    ];
    const order = new Float64Array(list.measure.length);
    for (let key = 0; key < order.length; key += 1) {
      const measure = ofMeasure[list.measure[key] as number] as number;
      const channelVersion = ofChannelVersion[list.channelVersion[key] as number] as number;
      order[key] = channelVersion * width + measure * BY_DATES.length + (list.byDate[key] as number);
    }
    return order;
  });
  const sorted = distinct(orders, isUsed);
  const columns = columnsOf(sorted.length);
  for (let key = 0; key < sorted.length; key += 1) {
    const order = sorted[key] as number;
    columns.channelVersion[key] = Math.floor(order / width);
    columns.measure[key] = Math.floor((order % width) / BY_DATES.length);
    columns.byDate[key] = order % BY_DATES.length;
  }
  return {
    keys: { channelVersions: namesOf(channelVersions.names), measures: namesOf(measures.names), ...columns },
    numbers: orders.map((order) => placesOf(order, sorted)),
  };
}

/** The names of several lists in order, and of each list the place of each of its names among them. */
function ranksOf(lists: readonly Names[]): { names: string[]; ranks: Uint32Array[] } {
  const texts = lists.map((list) => Array.from(list.ends, (_, number) => nameAt(list, number)));
  const names = [...new Set(texts.flat())].sort(compareText);
  const places = new Map(names.map((name, place) => [name, place]));
  return { names, ranks: texts.map((list) => Uint32Array.from(list, (name) => places.get(name) ?? 0)) };
}

/** The values that count, each once, in order. */
function distinct(lists: readonly Float64Array[], isUsed: readonly Uint8Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let count = 0;
  for (const [index, list] of lists.entries())
    for (let key = 0; key < list.length; key += 1) if (isUsed[index]?.[key] === 1) all[count++] = list[key] as number;
  const sorted = all.subarray(0, count).sort();
  let kept = 0;
  for (let index = 0; index < count; index += 1)
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[kept++] = sorted[index] as number;
  return sorted.subarray(0, kept);
}

/** Of each value its place in a sorted list that has all of them but those that do not count. */
function placesOf(values: Float64Array, sorted: Float64Array): Uint32Array {
  const places = new Uint32Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((sorted[middle] as number) < value) from = middle + 1;
      else to = middle;
    }
    places[index] = from;
  }
  return places;
}

/** What the page knows: the state in the address, and what its worker has answered. */
import { batch, computed, effect, signal } from '@preact/signals';
import {
  addSums,
  type Changes,
  type DatedSums,
  type DateRange,
  type Definition,
  type Folders,
  type MeasureIndex,
  type Option,
  type Status,
  type Sums,
  within,
} from '../client/index.ts';
import { ask } from '../worker/ask.ts';
import type { SiteConfig } from '../worker/site-config.ts';
import { fromOldLink } from './old-links.ts';
import { type ExploreState, NO_FILTER, readAddress, type Series, type State, writeAddress } from './state.ts';

export const state = signal<State>(readAddress(fromOldLink(location.hash) ?? location.hash));
export const config = signal<SiteConfig | null>(null);
export const folders = signal<Folders | null>(null);
/** Why nothing at all can be shown. */
export const fault = signal<string | null>(null);
export const explore = computed(() => state.value.explore);
const measureText = computed(() => explore.value.measure);
const activeSeries = computed(() => explore.value.series[explore.value.active]);
const activeChannelVersion = computed(() => activeSeries.value?.channelVersion);

/** Shows another state. @param replaces without a step back to the present one: typing, dragging */
export function go(next: State, replaces = false): void {
  const address = writeAddress(next);
  if (address !== location.hash)
    if (replaces) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
  state.value = next;
}

export function change(part: Partial<ExploreState>, replaces = false): void {
  go({ ...state.value, explore: { ...explore.value, ...part } }, replaces);
}

export function changeSeries(index: number, part: Partial<Series>, replaces = false): void {
  const series = explore.value.series.map((one, place) => (place === index ? { ...one, ...part } : one));
  change({ series }, replaces);
}

function followAddress(): void {
  const next = fromOldLink(location.hash) ?? location.hash;
  if (next !== location.hash) history.replaceState(null, '', next);
  state.value = readAddress(next);
}

/** A series as far as it is known. */
export interface LoadedSeries {
  readonly series: Series;
  /** Place in the list, from 0; decides colour and dash. */
  readonly index: number;
  readonly definition: Definition;
  readonly dated: DatedSums;
  readonly range: DateRange;
  /** Sum of the chosen dates; undefined when there are none. */
  readonly chosen: Sums | undefined;
}

type Result =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly definition: Definition; readonly dated: DatedSums }
  | { readonly kind: 'nothing'; readonly message: string };

const LOADING: Result = { kind: 'loading' };
const results = signal<ReadonlyMap<string, Result>>(new Map());
const MAX_RESULTS = 300;

function keyOf(series: Series, { measure, by }: ExploreState): string {
  return JSON.stringify([series.channelVersion, measure, by, series.filter]);
}

function rangeOf(series: Series, { from, to }: Pick<ExploreState, 'from' | 'to'>): DateRange {
  return (series.from ?? series.to) === undefined ? { from, to } : { from: series.from, to: series.to };
}

interface Shown {
  readonly measure: string;
  readonly loaded: readonly LoadedSeries[];
  /** By place of the series: why it has nothing to show. */
  readonly nothing: ReadonlyMap<number, string>;
  readonly waits: boolean;
}

function lookAt(current: ExploreState, known: ReadonlyMap<string, Result>): Shown {
  const loaded: LoadedSeries[] = [];
  const nothing = new Map<number, string>();
  let waits = current.series.length === 0;
  for (const [index, series] of current.series.entries()) {
    const result = known.get(keyOf(series, current)) ?? LOADING;
    if (result.kind === 'loading') waits = true;
    else if (result.kind === 'nothing') nothing.set(index, result.message);
    else {
      const range = rangeOf(series, current);
      const { definition, dated } = result;
      const chosen = addSums(dated.filter(([date]) => within(date, range)).map(([, sums]) => sums));
      loaded.push({ series, index, definition, dated, range, chosen });
      const why = whyNothing(dated, chosen, series, current);
      if (why !== undefined) nothing.set(index, why);
    }
  }
  return { measure: current.measure, loaded, nothing, waits };
}

function whyNothing(
  dated: DatedSums,
  chosen: Sums | undefined,
  { channelVersion, filter }: Series,
  { measure, by }: ExploreState,
): string | undefined {
  if (chosen !== undefined) return undefined;
  const of = filter.every((option) => option === '') ? '' : ' with this filter';
  if (dated.length === 0) return `${channelVersion} has no ${measure} by ${by} date${of}.`;
  return `No ${by} date of ${channelVersion}${of} is within the chosen dates; it has ${dated.length} others.`;
}

let before: Shown = { measure: '', loaded: [], nothing: new Map(), waits: true };
/** What is drawn: the last whole picture stays until the next one is there. */
export const shown = computed<Shown>(() => {
  const now = lookAt(explore.value, results.value);
  if (!now.waits) before = now;
  return now.waits ? { ...before, waits: true } : now;
});

export const measures = signal<MeasureIndex>({ measures: [], dates: { build: [], submission: [] } });
/** Of the active series. */
export const options = signal<readonly (readonly Option[])[]>([]);
export const changesDocument = signal<Changes | null | 'loading' | 'unknown'>('loading');
export const statusDocument = signal<Status | null | 'loading'>('loading');

function remember(key: string, result: Result): void {
  const next = new Map(results.peek());
  next.set(key, result);
  const [oldest] = next.keys();
  if (next.size > MAX_RESULTS && oldest !== undefined) next.delete(oldest);
  results.value = next;
}

async function loadSeries(key: string, series: Series, { measure, by }: ExploreState): Promise<void> {
  remember(key, LOADING);
  try {
    const { definition, dated } = await ask('sums', series.channelVersion, measure, by, series.filter);
    remember(key, { kind: 'ready', definition, dated });
  } catch (error) {
    remember(key, { kind: 'nothing', message: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const DEFAULT_MEASURE = 'GC_MS';

/** Newest first: nightly before others, higher versions first. */
export function channelVersionsInOrder(known: Folders): string[] {
  const parts = (name: string): readonly [string, number] => {
    const slash = name.indexOf('/');
    return [name.slice(0, slash), Number.parseFloat(name.slice(slash + 1)) || 0];
  };
  const rank = (channel: string): number => {
    const place = ['nightly', 'aurora', 'beta', 'release'].indexOf(channel);
    return place < 0 ? 9 : place;
  };
  return [...known.keys()].toSorted((a, b) => {
    const [[channelA, versionA], [channelB, versionB]] = [parts(a), parts(b)];
    return (
      rank(channelA) - rank(channelB) || (channelA < channelB ? -1 : channelA > channelB ? 1 : versionB - versionA)
    );
  });
}

function chooseDefaults(known: Folders, index: MeasureIndex): void {
  const { series, measure } = explore.value;
  const [first] = channelVersionsInOrder(known);
  if (series.length === 0 && first !== undefined) {
    change({ series: [{ channelVersion: first, filter: NO_FILTER }] }, true);
    return;
  }
  if (measure !== '' || index.measures.length === 0) return;
  const names = index.measures.map(({ name }) => name);
  const most = index.measures.toSorted((a, b) => (b.submissions ?? 0) - (a.submissions ?? 0))[0]?.name ?? '';
  change({ measure: names.includes(DEFAULT_MEASURE) ? DEFAULT_MEASURE : most }, true);
}

let listed: string | undefined;

async function loadMeasures(channelVersion: string): Promise<void> {
  if (channelVersion === listed) return;
  listed = channelVersion;
  try {
    const index = await ask('measures', channelVersion);
    if (activeChannelVersion.peek() === channelVersion) measures.value = index;
  } catch {
    // The series says why it has nothing; the list of the channel/version before stays usable.
    listed = undefined;
  }
}

async function loadOptions(series: Series, current: ExploreState): Promise<void> {
  const { channelVersion, filter } = series;
  const range = rangeOf(series, current);
  try {
    const found = await ask('options', channelVersion, current.measure, current.by, filter, range);
    if (activeSeries.peek() === series) options.value = found;
  } catch {
    options.value = [];
  }
}

async function loadView(view: State['view']): Promise<void> {
  try {
    if (view === 'changes') changesDocument.value = await ask('changes');
    if (view === 'status') statusDocument.value = await ask('status');
  } catch {
    if (view === 'changes') changesDocument.value = 'unknown';
    if (view === 'status') statusDocument.value = null;
  }
}

/** Begins to load; may be called again after a fault. */
export async function start(): Promise<void> {
  batch(() => {
    fault.value = null;
    results.value = new Map();
  });
  try {
    const [read, known] = await Promise.all([ask('open', location.href), ask('folders')]);
    batch(() => {
      config.value = read;
      folders.value = known;
    });
  } catch (error) {
    fault.value = messageOf(error);
  }
}

export function follow(): void {
  window.addEventListener('hashchange', followAddress);
  window.addEventListener('popstate', followAddress);
  followAddress();
  effect(() => {
    if (folders.value !== null && state.value.view === 'explore') chooseDefaults(folders.value, measures.value);
  });
  effect(() => {
    const channelVersion = activeChannelVersion.value;
    // The first picture needs no list, unless its measure is to be chosen from it.
    const isNeeded = measureText.value === '' || !shown.value.waits;
    if (folders.value !== null && channelVersion !== undefined && isNeeded) void loadMeasures(channelVersion);
  });
  effect(() => {
    const current = explore.value;
    if (measureText.value === '' || fault.value !== null) return;
    for (const series of current.series) {
      const key = keyOf(series, current);
      if (!results.peek().has(key)) void loadSeries(key, series, current);
    }
  });
  effect(() => {
    // Only once the picture is there: the counts need the whole file.
    const series = activeSeries.value;
    if (!shown.value.waits && series !== undefined) void loadOptions(series, explore.value);
  });
  effect(() => {
    if (folders.value !== null) void loadView(state.value.view);
  });
}

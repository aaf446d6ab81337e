/** The state of the page, and its text in the address: everything that can be seen can be shared, reloaded and kept. */
import { type ByDate, FILTER_LEVELS, isDate } from '../client/index.ts';

export type ViewName = 'explore' | 'changes' | 'status';

export interface Series {
  readonly channelVersion: string;
  /** One option of each level; '' for all. */
  readonly filter: readonly string[];
  /** Own dates; those of the page otherwise. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Percentiles, shares of buckets by their numbers, and others. */
export type Quantity = `p${number}` | `b${number}` | 'mean' | 'submissions' | 'samples';
export type Versus = 'none' | 'difference' | 'ratio';

export interface ExploreState {
  /** '' until the data set is known. */
  readonly measure: string;
  readonly by: ByDate;
  /** 1 to 8; none until the data set is known. */
  readonly series: readonly Series[];
  readonly active: number;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Whether only the chosen dates are drawn. */
  readonly zoomed: boolean;
  readonly reference?: string | undefined;
  readonly quantities: readonly Quantity[];
  readonly shape: 'bars' | 'cumulative';
  /** auto: logarithmic for exponential buckets. */
  readonly axis: 'auto' | 'log' | 'linear';
  readonly versus: Versus;
  readonly interpolated: boolean;
  /** Dates with fewer submissions are dimmed. */
  readonly threshold: number;
}

export interface ChangesState {
  readonly id: string;
  readonly text: string;
  readonly kind: string;
  readonly channelVersion: string;
}

export interface State {
  readonly view: ViewName;
  readonly explore: ExploreState;
  readonly changes: ChangesState;
}

export const MAX_SERIES = 8;
export const NO_FILTER: readonly string[] = FILTER_LEVELS.map(() => '');
const DEFAULT_QUANTITIES: readonly Quantity[] = ['p50'];
const DEFAULT_THRESHOLD = 100;
const MAX_QUANTITIES = 8;

export const EXPLORE_DEFAULTS: ExploreState = {
  measure: '',
  by: 'build',
  series: [],
  active: 0,
  zoomed: false,
  quantities: DEFAULT_QUANTITIES,
  shape: 'bars',
  axis: 'auto',
  versus: 'none',
  interpolated: true,
  threshold: DEFAULT_THRESHOLD,
};
const CHANGES_DEFAULTS: ChangesState = { id: '', text: '', kind: '', channelVersion: '' };

/** @param hash as `location.hash` gives it; what cannot be read counts as absent */
export function readAddress(hash: string): State {
  const [, path = '', query = ''] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  const parameters = new URLSearchParams(query);
  const view: ViewName = path === 'changes' || path === 'status' ? path : 'explore';
  return {
    view,
    explore: view === 'explore' ? readExplore(parameters) : EXPLORE_DEFAULTS,
    changes: view === 'changes' ? readChangesState(parameters) : CHANGES_DEFAULTS,
  };
}

export function writeAddress({ view, explore, changes }: State): string {
  const pairs = view === 'explore' ? exploreParameters(explore) : view === 'changes' ? changesParameters(changes) : [];
  const query = pairs.map(([name, value]) => `${name}=${readable(value)}`).join('&');
  return `#/${view}${query === '' ? '' : `?${query}`}`;
}

/** The address of a selection, for links. */
export function exploreAddress(part: Partial<ExploreState>): string {
  return writeAddress({
    view: 'explore',
    explore: { ...EXPLORE_DEFAULTS, ...part },
    changes: CHANGES_DEFAULTS,
  });
}

export function changesAddress(part: Partial<ChangesState>): string {
  return writeAddress({ view: 'changes', explore: EXPLORE_DEFAULTS, changes: { ...CHANGES_DEFAULTS, ...part } });
}

/** Characters that an address may carry as they are stay readable. */
function readable(value: string): string {
  return encodeURIComponent(value).replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('%3A', ':');
}

type Pairs = readonly (readonly [string, string])[];

function exploreParameters(state: ExploreState): Pairs {
  const { series, quantities, threshold, shape, axis, versus } = state;
  const unless = (value: string, usual: string): string => (value === usual ? '' : value);
  const pairs: Pairs = [
    ['m', state.measure],
    ['by', unless(state.by, 'build')],
    ...series.map((one): [string, string] => ['s', seriesText(one)]),
    ['on', unless(String(state.active), '0')],
    ['dates', datesText(state)],
    ['zoom', state.zoomed ? '1' : ''],
    ['ref', state.reference ?? ''],
    ['show', unless(quantities.join(), DEFAULT_QUANTITIES.join())],
    ['shape', unless(shape, 'bars')],
    ['axis', unless(axis, 'auto')],
    ['vs', unless(versus, 'none')],
    ['steps', state.interpolated ? '' : '1'],
    ['least', unless(String(threshold), String(DEFAULT_THRESHOLD))],
  ];
  return pairs.filter(([, value]) => value !== '');
}

function readExplore(parameters: URLSearchParams): ExploreState {
  const text = (name: string): string => parameters.get(name) ?? '';
  const oneOf = <Value extends string>(name: string, usual: Value, ...others: Value[]): Value =>
    others.find((value) => value === text(name)) ?? usual;
  const series = parameters.getAll('s').slice(0, MAX_SERIES).flatMap(readSeries);
  const [from, to] = readDates(text('dates'));
  const quantities = text('show').split(',').filter(isQuantity).slice(0, MAX_QUANTITIES);
  return {
    measure: text('m'),
    by: oneOf<ByDate>('by', 'build', 'submission'),
    series,
    active: Math.max(0, Math.min(series.length - 1, wholeNumber(text('on'), 0))),
    from,
    to,
    zoomed: text('zoom') === '1',
    reference: isDate(text('ref')) ? text('ref') : undefined,
    quantities: quantities.length > 0 ? quantities : DEFAULT_QUANTITIES,
    shape: oneOf('shape', 'bars', 'cumulative'),
    axis: oneOf('axis', 'auto', 'log', 'linear'),
    versus: oneOf<Versus>('vs', 'none', 'difference', 'ratio'),
    interpolated: text('steps') !== '1',
    threshold: wholeNumber(text('least'), DEFAULT_THRESHOLD),
  };
}

function wholeNumber(text: string, usual: number): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : usual;
}

function isQuantity(text: string): text is Quantity {
  if (text === 'mean' || text === 'submissions' || text === 'samples') return true;
  if (/^b\d{1,4}$/.test(text)) return true;
  const p = Number(/^p(\d{1,2}(?:\.\d)?)$/.exec(text)?.[1] ?? 0);
  return p > 0 && p < 100;
}

/** `nightly/28`, `nightly/28|saved_session/Firefox/WINNT`, `nightly/28||20131001-20131010`. */
function seriesText({ channelVersion, filter, from, to }: Series): string {
  const options = filter.map(encodeURIComponent).join('/').replace(/\/+$/, '');
  return [channelVersion, options, datesText({ from, to })].join('|').replace(/\|+$/, '');
}

function datesText({ from, to }: Pick<ExploreState, 'from' | 'to'>): string {
  return (from ?? to) === undefined ? '' : `${from ?? ''}-${to ?? ''}`;
}

function readSeries(text: string): Series[] {
  const [channelVersion = '', options = '', dates = ''] = text.split('|');
  if (channelVersion === '') return [];
  const chosen = options.split('/').map(decoded);
  const [from, to] = readDates(dates);
  return [{ channelVersion, filter: NO_FILTER.map((_, level) => chosen[level] ?? ''), from, to }];
}

function readDates(text: string): [string | undefined, string | undefined] {
  const [from = '', to = ''] = text.split('-');
  return [isDate(from) ? from : undefined, isDate(to) ? to : undefined];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function changesParameters({ id, text, kind, channelVersion }: ChangesState): Pairs {
  const pairs: Pairs = [
    ['id', id],
    ['text', text],
    ['kind', kind],
    ['of', channelVersion],
  ];
  return pairs.filter(([, value]) => value !== '');
}

function readChangesState(parameters: URLSearchParams): ChangesState {
  const text = (name: string): string => parameters.get(name) ?? '';
  return { id: text('id'), text: text('text'), kind: text('kind'), channelVersion: text('of') };
}

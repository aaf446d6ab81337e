/**
 * Addresses of the former dashboards, which are in bugs and mails for ever:
 *
 *     #nightly/28/GC_MS/saved_session/Firefox            (also after #!, and with &… behind it)
 *     #filter=nightly%2F28%2FGC_MS%2Fsaved_session&evoOver=Time&…
 *     dist.html#!measure=GC_MS&max_channel_version=nightly%252F28&product=Firefox&os=WINNT&…
 *     evo.html#!…                                         (the same)
 */
import { isDate } from '../client/index.ts';
import { exploreAddress, type ExploreState, MAX_SERIES, NO_FILTER, type Quantity, type Series } from './state.ts';

/** The address of this page that says the same; undefined for anything but an old address. */
export function fromOldLink(hash: string): string | undefined {
  const text = hash.replace(/^#!?/, '');
  if (text === '' || text.startsWith('/')) return undefined;
  if (/^filter=|&filter=/.test(text)) return fromFilter(new URLSearchParams(text));
  if (/(?:^|&)(?:measure|max_channel_version|min_channel_version)=/.test(text))
    return fromParameters(new URLSearchParams(text));
  const [path = '', ...more] = text.split('&');
  return fromPath(decoded(path), new URLSearchParams(more.join('&')));
}

function fromFilter(parameters: URLSearchParams): string | undefined {
  return fromPath(decoded(parameters.get('filter') ?? ''), parameters);
}

/** channel/version/measure and options of the filter, in the order of the levels. */
function fromPath(path: string, parameters: URLSearchParams): string | undefined {
  const [channel = '', version = '', measure = '', ...options] = path.split('/');
  if (channel === '' || version === '' || measure === '') return undefined;
  const filter = NO_FILTER.map((_, level) => options[level] ?? '');
  return exploreAddress({
    measure,
    by: parameters.get('evoOver') === 'Time' ? 'submission' : 'build',
    series: [{ channelVersion: `${channel}/${version}`, filter }],
    quantities: quantitiesOf(parameters.get('aggregates')),
  });
}

function fromParameters(parameters: URLSearchParams): string | undefined {
  // Versions were encoded twice.
  const value = (name: string): string => {
    const text = decoded(parameters.get(name) ?? '');
    return text === 'null' || text === 'undefined' ? '' : text;
  };
  const [newest, oldest] = [value('max_channel_version'), value('min_channel_version')];
  const channelVersions = versionsBetween(oldest, newest);
  // Several were joined by "!"; one is what this page can say, none and several mean all.
  const only = (name: string): string => {
    const chosen = value(name).split('!').filter(Boolean);
    return chosen.length === 1 ? (chosen[0] ?? '') : '';
  };
  const [from, to] = [day(value('start_date')), day(value('end_date'))];
  const filter = ['', only('product'), only('os'), '', only('arch')];
  const state: Partial<ExploreState> = {
    measure: value('measure'),
    by: value('use_submission_date') === '1' ? 'submission' : 'build',
    series: channelVersions.map((channelVersion): Series => ({ channelVersion, filter })),
    shape: value('cumulative') === '1' ? 'cumulative' : 'bars',
    quantities: quantitiesOf(parameters.get('aggregates')),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
  return exploreAddress(state);
}

/** Newest first, which is what the former page drew in front. */
function versionsBetween(oldest: string, newest: string): string[] {
  const [channel = '', last = ''] = (newest === '' ? oldest : newest).split('/');
  if (channel === '' || last === '') return [];
  const [, first = last] = oldest.split('/');
  const [low, high] = [Number(first), Number(last)];
  if (!Number.isInteger(low) || !Number.isInteger(high) || low > high) return [`${channel}/${last}`];
  const count = Math.min(MAX_SERIES, high - low + 1);
  return Array.from({ length: count }, (_, index) => `${channel}/${high - index}`);
}

function day(text: string): string | undefined {
  const date = text.replaceAll('-', '');
  return isDate(date) ? date : undefined;
}

function quantitiesOf(aggregates: string | null): readonly Quantity[] {
  const found = new Set<Quantity>();
  for (const name of decoded(aggregates ?? '').split('!')) {
    const [, p] = /^(\d+)(?:th|-)[ -]?percentile$/i.exec(name) ?? [];
    if (p !== undefined) found.add(`p${Number(p)}`);
    else if (/^median$/i.test(name)) found.add('p50');
    else if (/^mean$/i.test(name)) found.add('mean');
    else if (/^submissions$/i.test(name)) found.add('submissions');
  }
  // Numbers of submissions have a scale of their own, which would flatten all others.
  if (found.size > 1) found.delete('submissions');
  return found.size === 0 ? ['p50'] : [...found];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

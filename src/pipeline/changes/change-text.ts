/** One sentence that says what changed about a measure. */
import type { Change, Side } from './change.ts';

type Facts = Pick<
  Change,
  'channelVersion' | 'by' | 'date' | 'filter' | 'direction' | 'before' | 'after' | 'relative' | 'value'
> & { readonly measure: string; readonly kind: Exclude<Change['kind'], 'silence'> };

export function changeText(facts: Facts): string {
  const { channelVersion, measure, kind, filter } = facts;
  const when = whenText(facts);
  const part = filter.length === 0 ? '' : ` in ${partText(filter)}`;
  const named = `${measure} of ${channelVersion}${part}`;
  switch (kind) {
    case 'step':
      return `${named} ${movedText(facts)} ${when}${valuesText(facts)}`;
    case 'drift':
      return `${named} ${movedText(facts)} little by little, beginning ${when}${valuesText(facts)}`;
    case 'spike':
      return `${named} ${movedText(facts)} ${when} and is back since${valuesText(facts)}`;
    case 'appeared':
      return `${named} appeared ${when}`;
    case 'vanished':
      return `${named} is no longer there ${when}`;
    case 'buckets':
      return `${named} has other buckets than before, so its older values are not shown`;
  }
}

export function partText(filter: readonly string[]): string {
  return filter.join('/');
}

function whenText({ by, date }: Facts): string {
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return by === 'build' ? `with the builds of ${day}` : `with the submissions of ${day}`;
}

function movedText({ direction, relative, value, before }: Facts): string {
  const by = relative === null ? '' : ` by ${percent(Math.abs(relative))}`;
  if (value !== undefined) return `has value ${value} ${(relative ?? 0) < 0 ? 'less' : 'more'} often${by}`;
  if (direction === 'shape')
    return `spreads differently${relative === null ? '' : ` (95th percentile ${signed(relative)})`}`;
  const what = before.median === null && before.share !== null ? 'is true' : 'went';
  if (what === 'is true') return `is true ${direction === 'up' ? 'more' : 'less'} often${by}`;
  return `went ${direction ?? ''}${by}`;
}

function valuesText({ before, after, direction }: Facts): string {
  const ofMedian = before.median !== null;
  const member = !ofMedian ? 'share' : direction === 'shape' ? 'p95' : 'median';
  const [from, to] = [before[member], after[member]];
  if (from === null || to === null) return submissionsText(after);
  const name = { share: 'share', p95: '95th percentile', median: 'median' }[member];
  const shown = member === 'share' ? percent : number;
  return `: ${name} ${shown(from)} before, ${shown(to)} after${submissionsText(after)}`;
}

function submissionsText({ submissions }: Side): string {
  return ` (${submissions} submissions)`;
}

function number(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function percent(value: number): string {
  return `${Number((100 * value).toPrecision(value < 1 ? 2 : 3))} %`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${percent(Math.abs(value))}`;
}

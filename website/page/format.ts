/** Numbers, dates and names for people. */
import { bucketName, type Definition, filterName } from '../client/index.ts';
import type { Quantity, Series } from './state.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const rounded = [0, 1, 2, 3].map((digits) => new Intl.NumberFormat('en', { maximumFractionDigits: digits }));
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric' });
const instant = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'short' });

export function count(value: number): string {
  return whole.format(value);
}

/** `12.3K` */
export function short(value: number): string {
  return Math.abs(value) < 1000 ? number(value) : compact.format(value);
}

/** Four significant digits at most; whole above 1,000. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return (rounded[digits] ?? whole).format(value).replace('-', '−');
}

export function signed(value: number | null | undefined): string {
  const text = number(value);
  return value !== null && value !== undefined && value > 0 ? `+${text}` : text;
}

/** A difference of shares, 0 to 1. */
export function points(share: number): string {
  return `${signed(Number((share * 100).toPrecision(3)))} points`;
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = share * 100;
  const digits = Math.abs(value) >= 10 || value === 0 ? 1 : 2;
  return `${(rounded[digits] ?? whole).format(value).replace('-', '−')} %`;
}

/** `20131029` → `29 Oct 2013` */
export function date(text: string): string {
  const time = timeOf(text);
  return Number.isNaN(time) ? text : day.format(time);
}

/** Milliseconds of a date's midnight, UTC; NaN for no date. */
function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}T00:00:00Z`);
}

export const DAY_MS = 86_400_000;

/** The day of an instant as the data set names it: `20131029`. */
export function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10).replaceAll('-', '');
}

export function time(value: Date | number): string {
  return `${instant.format(value)} UTC`;
}

/** `3 minutes`, `2 days` */
export function duration(milliseconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['day', DAY_MS],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ];
  for (const [name, size] of units) {
    const amount = Math.floor(milliseconds / size);
    if (amount >= (name === 'day' ? 2 : 1)) return `${count(amount)} ${name}${amount === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

export function quantityName(quantity: Quantity, definition?: Definition): string {
  if (quantity === 'p50') return 'median';
  if (quantity.startsWith('b')) {
    const bucket = Number(quantity.slice(1));
    return definition === undefined ? `bucket ${bucket}` : bucketName(definition, bucket);
  }
  if (!quantity.startsWith('p')) return quantity;
  return `${ordinal(quantity.slice(1))} percentile`;
}

function ordinal(p: string): string {
  const ending: Readonly<Record<string, string>> = { 1: 'st', 2: 'nd', 3: 'rd' };
  const isPlain = /^1[1-3]$/.test(p) || p.includes('.');
  return `${p}${isPlain ? 'th' : (ending[p.at(-1) ?? ''] ?? 'th')}`;
}

/** `nightly/28 · Firefox · WINNT · 1 Oct 2013 to 5 Oct 2013` */
export function seriesName({ channelVersion, filter, from, to }: Series): string {
  const options = filterName(filter);
  const range = (from ?? to) === undefined ? [] : [datesName(from, to)];
  return [channelVersion, ...(options === 'everything' ? [] : [options]), ...range].join(' · ');
}

export function datesName(from: string | undefined, to: string | undefined): string {
  if (from === undefined) return to === undefined ? 'all dates' : `until ${date(to)}`;
  if (to === undefined) return `since ${date(from)}`;
  if (from === to) return date(from);
  const [start, end] = [date(from), date(to)];
  const [same, month] = [from.slice(0, 4) === to.slice(0, 4), from.slice(0, 6) === to.slice(0, 6)];
  return `${month ? String(Number(from.slice(6))) : same ? start.slice(0, -5) : start} to ${end}`;
}

/** Names that say what differs between the series; the channel and version where nothing does. */
export function shortNames(series: readonly Series[]): string[] {
  const parts = series.map(({ channelVersion, filter, from, to }) => [
    channelVersion,
    ...filter.map((option) => (option === '' ? 'all' : option)),
    (from ?? to) === undefined ? '' : datesName(from, to),
  ]);
  const differs = (place: number): boolean => new Set(parts.map((part) => part[place])).size > 1;
  return parts.map((part) => {
    const telling = part.filter((text, place) => text !== '' && differs(place));
    return telling.length === 0 ? (part[0] ?? '') : telling.join(' · ');
  });
}

/** The axes of lines over dates: their ranges, ticks and labels. */
import type uPlot from 'uplot';
import type { Palette } from '../theme.ts';
import { FONT } from './distribution.ts';
import type { EvolutionData } from './evolution-data.ts';

export function secondsOf(date: string): number {
  return Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}T00:00:00Z`) / 1000;
}

const shortDate = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
const monthAndYear = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: 'short', year: 'numeric' });

/** The year where it changes. */
export function dateTicks(): uPlot.Axis.DynamicValues {
  return (_, seconds) => {
    let year = -1;
    return seconds.map((second) => {
      const day = new Date(second * 1000);
      if (!Number.isInteger(second / 86_400)) return '';
      const isNew = day.getUTCFullYear() !== year;
      year = day.getUTCFullYear();
      if (day.getUTCDate() === 1 && day.getUTCMonth() === 0) return String(year);
      return isNew
        ? `${shortDate.format(day)}\n${year}`
        : day.getUTCDate() === 1
          ? (monthAndYear.format(day).split(' ')[0] ?? '')
          : shortDate.format(day);
    });
  };
}

export function axis(palette: Palette): uPlot.Axis {
  return {
    font: FONT,
    stroke: palette.muted,
    grid: { stroke: palette.line, width: 1 },
    ticks: { show: false },
    gap: 6,
  };
}

/** Half a day beside the first and the last date, more when there is only one. */
export function paddedRange({ span: [first, last] }: EvolutionData): uPlot.Range.MinMax {
  const [low, high] = [secondsOf(first), secondsOf(last)];
  const pad = low === high ? 3 * 86_400 : Math.max(43_200, (high - low) / 60);
  return [low - pad, high + pad];
}

export function yRange(fromZero: boolean): uPlot.Range.Function {
  return (_, low, high) => {
    if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
    const margin = (high - low || Math.abs(high) || 1) * 0.12;
    return [fromZero && low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin];
  };
}

/** How far things may go before they are findings, and ages in words. */

/** How far things may go before they are findings. */
export interface WatchLimits {
  /** Data may be exactly that old. */
  readonly maxAgeHours: number;
  /** Runs that began earlier are past mending. */
  readonly runDays: number;
}

const HOUR_MS = 3_600_000;

/** `3 h`, `5 days`: an age in words, rounded down. */
export function ageText(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from);
  if (ms < 0) return 'in the future';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 48 * HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / (24 * HOUR_MS))} days`;
}

/**
 * Whether `from` lies more than so many hours before `to`; exactly that many is not more, the future never
 * (docs/operating.md 1.2).
 */
export function isOlder(from: string, to: string, hours: number): boolean {
  return Date.parse(to) - Date.parse(from) > hours * HOUR_MS;
}

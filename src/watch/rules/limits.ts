/** How far things may go before they are findings, and ages in words. */

/** How far things may go before they are findings. */
export interface WatchLimits {
  /** Data of exactly this age is not stale; null: data is stale when the next day's publication is overdue. */
  readonly maxAgeHours: number | null;
  /** Failed runs that began earlier are no longer reported. */
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
 * Whether `from` is more than `hours` before `to`: false at exactly that many, and for the future
 * (docs/operating.md 1.2).
 */
export function isOlder(from: string, to: string, hours: number): boolean {
  return Date.parse(to) - Date.parse(from) > hours * HOUR_MS;
}

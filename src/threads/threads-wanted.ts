import { availableParallelism } from 'node:os';

/** One per core. */
export const DEFAULT_THREADS = availableParallelism();

/** `TELEMETRY_THREADS`, for those who start threads before all settings are read; the default where it is wrong, which is said then. */
export function threadsWanted({ TELEMETRY_THREADS: text = '' }: Readonly<Record<string, string | undefined>>): number {
  const threads = Number(text);
  return Number.isSafeInteger(threads) && threads > 0 ? threads : DEFAULT_THREADS;
}

/** What the watchdog says: one finding for each thing that wants a person, and what the findings mean together. */
import { plainLine } from '../../pipeline/plain-text.ts';

export interface Finding {
  /**
   * - `warning`: done already, or worth a look
   * - `problem`: somebody must do something
   * - `unchecked`: nobody knows, since this could not be looked at
   */
  readonly severity: 'warning' | 'problem' | 'unchecked';
  /** The thing, as people call it. */
  readonly what: string;
  /** What is the matter with it. */
  readonly fact: string;
  /** What to do, as an instruction. */
  readonly action: string;
}

/** How far things may go before they are findings. */
export interface WatchLimits {
  /** Data may be exactly that old. */
  readonly maxAgeHours: number;
  /** Runs that began earlier are past mending. */
  readonly runDays: number;
}

/** 0: nothing found; 1: something is wrong; 2: something could not be checked, which hides whether it is wrong. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ severity }) => severity === 'unchecked')) return 2;
  return findings.length === 0 ? 0 : 1;
}

/** One line for a finding, free of control characters: it quotes what others wrote. */
export function findingLine({ severity, what, fact, action }: Finding): string {
  return `${severity}: ${plainLine(`${what}: ${fact}`, 600)} → ${plainLine(action, 400)}`;
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

/** Whether `from` lies more than so many hours before `to`; exactly that many is not more, the future never (operations.md 7.6). */
export function isOlder(from: string, to: string, hours: number): boolean {
  return Date.parse(to) - Date.parse(from) > hours * HOUR_MS;
}

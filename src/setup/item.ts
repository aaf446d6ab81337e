/** What one part of a deployment is checked for, and how it is made or fixed: data for `run-items.ts`, free of any output. */
import type { Finding } from '../findings.ts';

/**
 * - `ok`: as it should be
 * - `missing`: not there
 * - `differs`: there, but not as it should be
 * - `refused`: cannot be used by this application, and nothing more is written to it
 * - `warning`: worth a look, but the application works without it
 */
type LookState = 'ok' | 'missing' | 'differs' | 'refused' | 'warning';

/** What looking at a part has found. */
export interface Look {
  readonly state: LookState;
  /** What is, what should be, and what to do; one thing each. */
  readonly facts: readonly string[];
  /** Parts that need this one cannot work in this state; always true of `missing` and `refused`. */
  readonly blocks?: true;
}

export interface SetupItem {
  /** Unique; the part's name for people. */
  readonly name: string;
  /** Names of items without which this one makes no sense. They come earlier in the list. */
  readonly needs?: readonly string[];
  /** Changes nothing that lasts. An error counts as `failed`. */
  look(signal: AbortSignal): Promise<Look>;
  /** Creates what is missing; absent where this application must not do that. */
  readonly create?: (signal: AbortSignal) => Promise<void>;
  /** Changes what differs; absent where only a person can. */
  readonly fix?: (signal: AbortSignal) => Promise<void>;
}

export type OutcomeState = LookState | 'created' | 'fixed' | 'failed' | 'skipped';

/** The outcome of an item. */
export interface ItemOutcome {
  readonly name: string;
  readonly state: OutcomeState;
  readonly facts: readonly string[];
}

/** How bad each state is; null: as it should be. */
const SEVERITIES: Readonly<Record<OutcomeState, Finding['severity'] | null>> = {
  ok: null,
  created: null,
  fixed: null,
  warning: 'note',
  missing: 'error',
  differs: 'error',
  refused: 'error',
  failed: 'error',
  skipped: 'error',
};

/** What the item asks somebody to do; undefined for one that is as it should be. */
export function findingOf({ name, state, facts }: ItemOutcome): Finding | undefined {
  const severity = SEVERITIES[state];
  if (severity === null) return undefined;
  const action =
    state === 'differs'
      ? 'Run "telemetry setup --fix", or correct it as it says'
      : 'Correct what it says, then run "telemetry setup" again';
  return { severity, where: name, what: `${state}: ${facts.join('; ')}`, action };
}

/** Whether the item needs no attention. */
export function isGood(outcome: ItemOutcome): boolean {
  return findingOf(outcome)?.severity !== 'error';
}

export function ok(...facts: readonly string[]): Look {
  return { state: 'ok', facts };
}

/** `differs` with the differences, or `ok` with the facts when there are none. */
export function okUnless(differences: readonly string[], ...facts: readonly string[]): Look {
  return differences.length === 0 ? ok(...facts) : { state: 'differs', facts: differences };
}

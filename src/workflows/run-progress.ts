/** What a run shows to people who watch it: current details in the Web UI, and the `progress` query. */
import { defineQuery, defineSignal, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { detailsItem, detailsText } from './details-text.ts';

/** How far the step at work is. */
export interface Counter {
  readonly done: number;
  /** Null: how many there are is not known before the end. */
  readonly of: number | null;
  /** `tasks` */
  readonly unit: string;
}

export interface Progress {
  readonly phase: string;
  /** By what they are about; `code` is in backticks, a fact may have several lines. */
  readonly facts: Readonly<Record<string, string>>;
  /** Absent in runs of earlier releases, and in steps that nobody counts. */
  readonly counter?: Counter;
}

/** What a drain that is still at work has so far: sent by the activity, which ends only with a whole chunk. */
export interface DrainedSoFar {
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
}

/** Anybody who may signal a run can send it, so its argument is looked at before it is used. */
export const drainedSoFarSignal = defineSignal<[unknown?]>('drainedSoFar');

/** What a signal says, if it can be true of a run of so many tasks; undefined otherwise, since a signal must never fail a run. */
export function drainedSoFar(sent: unknown, tasks: number): DrainedSoFar | undefined {
  if (typeof sent !== 'object' || sent === null) return undefined;
  const { done, failed, missing } = sent as Partial<Record<keyof DrainedSoFar, unknown>>;
  if (!isCount(done) || !isCount(failed) || !isCount(missing)) return undefined;
  return done + failed + missing === tasks ? { done, failed, missing } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** More names in a line help nobody. */
const MAX_NAMED = 20;

export const progressQuery = defineQuery<Progress>('progress');

export class RunProgress {
  readonly #title: string;
  readonly #facts: Record<string, string> = {};
  #phase = 'starting';
  #counter: Counter | undefined;

  constructor(title: string) {
    this.#title = title;
    setHandler(progressQuery, () => ({
      phase: this.phase,
      facts: this.facts,
      ...(this.#counter !== undefined && { counter: this.#counter }),
    }));
  }

  get phase(): string {
    return this.#phase;
  }

  get facts(): Readonly<Record<string, string>> {
    return { ...this.#facts };
  }

  /** Sets what the run is doing now, and how far it is; facts stay until they are set again. */
  update(phase: string, facts: Readonly<Record<string, string>> = {}, counter?: Counter): void {
    this.#phase = phase;
    this.#counter = counter;
    Object.assign(this.#facts, facts);
    const items = Object.entries(this.#facts).map(([name, fact]) => detailsItem(name, fact));
    const far =
      counter === undefined || counter.of === null ? '' : ` (${counter.done} of ${counter.of} ${counter.unit})`;
    setCurrentDetails(`**${detailsText(this.#title)}** · ${detailsText(phase)}${far}\n\n${items.join('\n')}`);
  }
}

/** 1234567 → `1.2 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The first names of a list that has `total`: `nightly/28, aurora/27 and 998 more`. Facts travel to the alerts. */
export function listText(names: readonly string[], total: number): string {
  const shown = names.slice(0, MAX_NAMED);
  return total > shown.length ? `${shown.join(', ')} and ${total - shown.length} more` : shown.join(', ');
}

/** What a run shows to people who watch it: current details in the Web UI, and the `progress` query. */
import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';

export interface Progress {
  readonly phase: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** More names in a line help nobody. */
const MAX_NAMED = 20;

export const progressQuery = defineQuery<Progress>('progress');

export class RunProgress {
  readonly #title: string;
  readonly #facts: Record<string, string> = {};
  #phase = 'starting';

  constructor(title: string) {
    this.#title = title;
    setHandler(progressQuery, () => ({ phase: this.phase, facts: this.facts }));
  }

  get phase(): string {
    return this.#phase;
  }

  get facts(): Readonly<Record<string, string>> {
    return { ...this.#facts };
  }

  /** Sets what the run is doing now; facts stay until they are set again. */
  update(phase: string, facts: Readonly<Record<string, string>> = {}): void {
    this.#phase = phase;
    Object.assign(this.#facts, facts);
    const lines = Object.entries(this.#facts).map(([name, fact]) => `\n- ${name}: ${fact}`);
    setCurrentDetails(`**${this.#title}** · ${phase}\n${lines.join('')}`);
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

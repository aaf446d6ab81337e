/** How far a long step is, in a line: a bar, the rate and the time that is left on a terminal, counts elsewhere. */
import type { Counter, Progress } from '../workflows/run-progress.ts';

const BAR_WIDTH = 20;
/** A rate over less time says nothing. */
const MIN_SECONDS = 3;

/** The counts of a step as they were seen, from its first sight on. */
export class StepRate {
  #step = '';
  #since = { at: 0, done: 0 };

  /** Of one step only; the next one begins from nothing. @param now ms */
  perSecond(step: string, done: number, now: number): number | null {
    if (step !== this.#step || done < this.#since.done) {
      this.#step = step;
      this.#since = { at: now, done };
    }
    const seconds = (now - this.#since.at) / 1000;
    const rate = (done - this.#since.done) / seconds;
    return seconds < MIN_SECONDS || rate <= 0 ? null : rate;
  }
}

/** `[#########···········] 9 of 20 tasks, 3/s, 4 s left`; without a total `9 tasks, 3/s`. */
export function barText({ done, of, unit }: Counter, perSecond: number | null): string {
  const rate = perSecond === null ? '' : `, ${rateText(perSecond)}`;
  if (of === null) return `${done} ${unit}${rate}`;
  const left = perSecond === null || done >= of ? '' : `, ${timeText((of - done) / perSecond)} left`;
  return `${bar(done, of)} ${countText({ done, of, unit })}${rate}${left}`;
}

/** A step where lines cannot change: with its counts while it has some of its own, since each new text is another line. */
export function stepText({ phase, facts, counter }: Progress): string {
  if (counter === undefined) return phase;
  const { done, of, unit } = counter;
  if (unit === 'tasks' && facts['tasks'] !== undefined) return `${phase} (tasks: ${facts['tasks']})`;
  return phase.endsWith(unit) && of !== null ? `${phase} (${done} of ${of})` : `${phase} (${countText(counter)})`;
}

/** `9 of 20 tasks` */
function countText({ done, of, unit }: Counter): string {
  return of === null ? `${done} ${unit}` : `${done} of ${of} ${unit}`;
}

function bar(done: number, of: number): string {
  const full = of === 0 ? BAR_WIDTH : Math.floor((BAR_WIDTH * Math.min(done, of)) / of);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

function rateText(perSecond: number): string {
  return perSecond >= 1 ? `${Number(perSecond.toPrecision(2))}/s` : `${Number((perSecond * 60).toPrecision(2))}/min`;
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.ceil(seconds / 60)} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}

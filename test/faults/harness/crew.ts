/** Several workers that are restarted all the time: whoever ends, for whatever reason, gets a successor. */
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FAILPOINTS } from '../../../src/failpoints.ts';
import type { Scene } from './scene.ts';

const PAGE_MIB = 4096 / 2 ** 20;

export class Crew {
  /** Resident memory of the first worker, which nobody restarts, one figure a call of `weigh`, MiB. */
  readonly weights: number[] = [];
  readonly #scene: Scene;
  readonly #random: () => number;
  readonly #members: ChildProcess[] = [];
  #starts = 0;
  #restarts = 0;
  #stopping = false;

  constructor(scene: Scene, members: number, random: () => number) {
    this.#scene = scene;
    this.#random = random;
    for (let slot = 0; slot < members; slot += 1) this.#start(slot);
  }

  /** Workers that ended and were replaced, by whose hand ever. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Ends one of those that are not the first; half of the time without letting it finish anything. */
  restartOne(): void {
    const slot = 1 + Math.floor(this.#random() * (this.#members.length - 1));
    this.#members[slot]?.kill(this.#random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
  }

  async weigh(): Promise<void> {
    const statm = await readFile(`/proc/${this.#members[0]?.pid ?? 0}/statm`, 'utf8').catch(() => '');
    const pages = Number(statm.split(' ')[1] ?? 0);
    if (pages > 0) this.weights.push(pages * PAGE_MIB);
  }

  /** From now on nobody is replaced; the scene ends those that are left. */
  stop(): void {
    this.#stopping = true;
  }

  #start(slot: number): void {
    const point = FAILPOINTS[Math.floor(this.#random() * FAILPOINTS.length)] ?? 'flip.after';
    const dies = slot > 0 && this.#random() < 0.5;
    this.#starts += 1;
    const child = this.#scene.startWorker({
      // What has fired is remembered there, and each worker is to die again.
      TELEMETRY_WORK_DIRECTORY: join(this.#scene.directory, 'work', String(this.#starts)),
      ...(dies && { FAILPOINTS: `${point}=kill@${1 + Math.floor(this.#random() * 3)}` }),
    });
    this.#members[slot] = child;
    child.once('exit', () => {
      if (this.#stopping) return;
      this.#restarts += 1;
      this.#start(slot);
    });
  }
}

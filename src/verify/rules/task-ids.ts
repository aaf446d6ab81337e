/** The task ids seen so far: a bit for each, since years of rounds have millions of them. */
import { splitTaskId } from '../../pipeline/task-queue/message-body.ts';

export class TaskIds {
  readonly #runs = new Map<string, Uint8Array>();

  /** @returns false when the id was noted before */
  note(id: string): boolean {
    const { runId, number } = splitTaskId(id);
    const [byte, bit] = [number >> 3, 1 << (number & 7)];
    let bits = this.#runs.get(runId);
    if (bits === undefined || byte >= bits.length) {
      const wider = new Uint8Array(Math.max(16, 2 * byte));
      if (bits !== undefined) wider.set(bits);
      bits = wider;
      this.#runs.set(runId, bits);
    }
    const before = bits[byte] ?? 0;
    bits[byte] = before | bit;
    return (before & bit) === 0;
  }
}

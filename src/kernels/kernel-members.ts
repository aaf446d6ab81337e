/** Members of an object that the kernel of the aggregation has read (`aggregate/read-members.ts`), by the objects of their names. */
import type { MemberName, Members } from '../pipeline/submissions/sums.ts';
import type { Kernels } from './instantiate.ts';

/** Words of a member: name, kind, place of a text, and, where doubles may be, number. */
const WORDS = 6;
const [KIND, TEXT_AT, VALUE] = [1, 2, 4];
const NUMBER = 1;
const TEXT = 2;
/** Submitters choose names; one object has a few thousand more at most, for which the kernel has room. */
const MANY_NAMES = 20_000;

export class KernelMembers implements Members {
  count = 0;
  readonly #kernel: Kernels['aggregate'];
  readonly #at: number;
  /** By number. */
  #names: (MemberName | undefined)[] = [];
  #words = new Uint32Array();
  #numbers = new Float64Array();

  constructor(kernel: Kernels['aggregate']) {
    this.#kernel = kernel;
    this.#at = kernel.membersAt();
  }

  forgetMany(): void {
    if (this.#kernel.memberNameTotal() <= MANY_NAMES) return;
    this.#kernel.forgetMemberNames();
    this.#names = [];
  }

  /** @returns the place behind the object at `at`; 0 when the caller must read it */
  read(at: number): number {
    const behind = this.#kernel.readMembers(at);
    this.count = this.#kernel.memberTotal();
    const { buffer } = this.#kernel.memory;
    if (this.#words.buffer !== buffer) {
      this.#words = new Uint32Array(buffer);
      this.#numbers = new Float64Array(buffer);
    }
    return behind;
  }

  name(index: number): MemberName {
    const number = this.#word(index, 0);
    return (this.#names[number] ??= this.#nameOf(number));
  }

  text(index: number): number | undefined {
    return this.#word(index, KIND) === TEXT ? this.#word(index, TEXT_AT) : undefined;
  }

  number(index: number): number | undefined {
    if (this.#word(index, KIND) !== NUMBER) return undefined;
    return this.#numbers[(this.#at >> 3) + (index * WORDS + VALUE) / 2];
  }

  #word(index: number, word: number): number {
    return this.#words[(this.#at >> 2) + index * WORDS + word] as number;
  }

  #nameOf(number: number): MemberName {
    const at = this.#kernel.memberNameAt(number);
    const text = Buffer.from(this.#kernel.memory.buffer, at, this.#kernel.memberNameLength(number)).toString('latin1');
    const [name = '', sub] = text.split('\n');
    return { name, sub };
  }
}

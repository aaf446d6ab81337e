/**
 * A file that threads write together: parts in order, each made by one thread. A part is written in place as soon as the sizes of
 * those before it are known, so that nothing is put together afterwards.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

/** What the threads share. */
export interface SharedFile {
  /** An empty file. */
  readonly path: string;
  /** Bytes of each part, or `UNKNOWN`, or `GIVEN_UP`. */
  readonly sizes: BigInt64Array;
}

const UNKNOWN = -1n;
const GIVEN_UP = -2n;

export function sharedFile(path: string, parts: number): SharedFile {
  closeSync(openSync(path, 'w'));
  const sizes = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT * parts));
  return { path, sizes: sizes.fill(UNKNOWN) };
}

/** Ends the wait of all threads, since a part will never come: their jobs fail. */
export function giveUp({ sizes }: SharedFile): void {
  for (let part = 0; part < sizes.length; part += 1) {
    Atomics.compareExchange(sizes, part, UNKNOWN, GIVEN_UP);
    Atomics.notify(sizes, part);
  }
}

/** What a thread holds back, at most, of parts whose place is not known yet. */
const HELD_BYTES = 2 << 20;

/** A part that is held back: some bytes of `#held`. */
interface HeldPart {
  readonly part: number;
  bytes: number;
}

/** One thread's side of a shared file. It begins parts in order, and other threads those that it leaves out. */
export class SharedFileWriter {
  bytes = 0;
  readonly #file: number;
  readonly #sizes: BigInt64Array;
  /** One memory for all that is held: pieces of their own would be freed late. */
  readonly #held = Buffer.allocUnsafe(HELD_BYTES);
  readonly #heldParts: HeldPart[] = [];
  /** Of the memory: what was written to the file, and what is held behind it. */
  #from = 0;
  #to = 0;
  /** The part that was begun, its bytes so far, and its place once that is known; it is held until then. */
  #begun: HeldPart | undefined;
  #written = 0;
  #at: number | undefined;
  /** The sizes of so many parts are known, and their sum. */
  #known = 0;
  #sum = 0;

  constructor({ path, sizes }: SharedFile) {
    this.#file = openSync(path, 'r+');
    this.#sizes = sizes;
  }

  begin(part: number): void {
    this.#begun = { part, bytes: 0 };
    this.#written = 0;
    this.#heldParts.push(this.#begun);
    this.#writeHeld(false);
  }

  /** @param text a view, which may change once this returns */
  write(text: Uint8Array): void {
    this.#written += text.length;
    this.bytes += text.length;
    if (this.#at === undefined && this.#to + text.length > HELD_BYTES) this.#makeRoom(text.length);
    if (this.#at === undefined) this.#hold(text);
    else this.#at = this.#writeAt(text, this.#at);
  }

  /** Of the part that was begun. */
  end(): void {
    const { part = 0 } = this.#begun ?? {};
    Atomics.store(this.#sizes, part, BigInt(this.#written));
    Atomics.notify(this.#sizes, part);
    this.#begun = undefined;
    this.#at = undefined;
  }

  /** Waits for the parts of other threads that come before what is held back. */
  finish(): void {
    this.#writeHeld(true);
  }

  close(): void {
    closeSync(this.#file);
  }

  #hold(text: Uint8Array): void {
    this.#held.set(text, this.#to);
    this.#to += text.length;
    if (this.#begun !== undefined) this.#begun.bytes += text.length;
  }

  /** Writes what has its place; only if that is not enough, waits for the place of one part after the other. */
  #makeRoom(bytes: number): void {
    this.#writeHeld(false);
    while (this.#at === undefined) {
      this.#held.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
      if (this.#to + bytes <= HELD_BYTES) return;
      this.#writeFirst(true);
    }
  }

  /** Writes parts that are held, up to the first whose place is not known, or all of them. */
  #writeHeld(mayWait: boolean): void {
    while (this.#writeFirst(mayWait)) {
      // Until there is none, or it has no place.
    }
  }

  /** @returns whether there was one with a place */
  #writeFirst(mayWait: boolean): boolean {
    const [first] = this.#heldParts;
    const place = first === undefined ? undefined : this.#placeOf(first.part, mayWait);
    if (first === undefined || place === undefined) return false;
    const at = this.#writeAt(this.#held.subarray(this.#from, this.#from + first.bytes), place);
    this.#from += first.bytes;
    if (first === this.#begun) this.#at = at;
    this.#heldParts.shift();
    if (this.#heldParts.length === 0) {
      this.#from = 0;
      this.#to = 0;
    }
    return true;
  }

  #placeOf(part: number, mayWait: boolean): number | undefined {
    while (this.#known < part) {
      const size = Atomics.load(this.#sizes, this.#known);
      if (size === GIVEN_UP) throw new Error('A thread that writes an earlier part of the file failed');
      if (size === UNKNOWN) {
        if (!mayWait) return undefined;
        Atomics.wait(this.#sizes, this.#known, UNKNOWN);
        continue;
      }
      this.#sum += Number(size);
      this.#known += 1;
    }
    return this.#sum;
  }

  #writeAt(text: Uint8Array, at: number): number {
    for (let from = 0; from < text.length;) from += writeSync(this.#file, text, from, text.length - from, at + from);
    return at + text.length;
  }
}

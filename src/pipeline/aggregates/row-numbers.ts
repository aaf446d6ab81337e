/** The numbers of one row after the other, each read from its text once, for all that look into rows. */
import type { RowValues } from './slot.ts';
import { TextValues } from './text-values.ts';

/** Longer rows make it longer. */
const USUAL_LENGTH = 1024;

export class RowNumbers {
  length = 0;
  /** Of the row, and zeros. */
  numbers = new Float64Array(USUAL_LENGTH);
  /** Places of the numbers that are not 0, ascending: few of a row are. */
  places = new Uint32Array(USUAL_LENGTH);
  filled = 0;

  /** Takes another row. */
  read(values: RowValues): void {
    const { length } = values;
    if (length > this.numbers.length) this.#grow(length);
    else this.#clear();
    this.length = length;
    if (values instanceof TextValues) this.filled = values.copyTo(this.numbers, this.places);
    else this.#copy(values);
  }

  #clear(): void {
    for (let index = 0; index < this.filled; index += 1) this.numbers[this.places[index] as number] = 0;
    this.filled = 0;
  }

  #grow(length: number): void {
    this.numbers = new Float64Array(2 * length);
    this.places = new Uint32Array(2 * length);
    this.filled = 0;
  }

  #copy(values: ArrayLike<number>): void {
    for (let index = 0; index < this.length; index += 1) {
      const value = values[index] as number;
      if (Object.is(value, 0)) continue;
      this.numbers[index] = value;
      this.places[this.filled++] = index;
    }
  }
}

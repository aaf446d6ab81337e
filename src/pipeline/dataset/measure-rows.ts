/** The rows of a measure, as tables take them. */
import { RowNumbers } from '../aggregates/row-numbers.ts';
import { BY_DATES, type ByDate, type Slot } from '../aggregates/slot.ts';

export interface ShownMeasure {
  readonly measure: string;
  readonly definition: Readonly<Record<string, unknown>>;
  /** Of the shown length only. */
  readonly slots: Readonly<Record<ByDate, readonly Slot[]>>;
}

/** Takes the rows of measures that come in the order of their names. */
export interface RowTaker {
  beginMeasure(measure: ShownMeasure): void;
  /** @param numbers of the slot; they change with the next row */
  addRow(slot: Slot, numbers: RowNumbers): void;
  endMeasure(): void;
}

const numbers = new RowNumbers();

/** Hands all rows on, by build date first, in the order of the slots. */
export function takeRows(measure: ShownMeasure, taker: RowTaker | undefined): void {
  if (taker === undefined) return;
  taker.beginMeasure(measure);
  for (const byDate of BY_DATES) {
    for (const slot of measure.slots[byDate]) {
      numbers.read(slot.values);
      taker.addRow(slot, numbers);
    }
  }
  taker.endMeasure();
}

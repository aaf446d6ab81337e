/**
 * Receipts: one create-once object per task and outcome. The set of receipts is the truth about the drain; a message is
 * deleted only after its receipt exists, and a second receipt for the same task changes nothing.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { type DoneMessage, type TaskReport, NO_REPORT } from './done-message.ts';

export type Outcome = 'done' | 'failed';

export interface Receipt extends TaskReport {
  readonly id: string;
  readonly outcome: Outcome;
  /** Of result.txt when the receipt was written; the merge reads exactly these bytes. Null for a failed task. */
  readonly etag: string | null;
  /** Bytes of result.txt. */
  readonly size: number;
  /** Why a task failed: `aborted`, `result_missing`, `result_too_large`. */
  readonly reason: string | null;
}

/** What is known of result.txt, by HEAD. */
export interface ResultObject {
  readonly etag: string;
  readonly size: number;
}

export function doneReceipt(message: DoneMessage, result: ResultObject): Receipt {
  const { id, filesFailed, filesPartial, records, skipped } = message;
  return {
    id,
    outcome: 'done',
    etag: result.etag,
    size: result.size,
    reason: null,
    filesFailed,
    filesPartial,
    records,
    skipped,
  };
}

/** A result found in the output bucket although its message never came. */
export function recoveredReceipt(id: string, result: ResultObject): Receipt {
  return { id, outcome: 'done', etag: result.etag, size: result.size, reason: null, ...NO_REPORT };
}

export function failedReceipt(id: string, reason: string): Receipt {
  return { id, outcome: 'failed', etag: null, size: 0, reason, ...NO_REPORT };
}

/** Name of a receipt below the run's `receipts/`. */
export function receiptName(taskNumber: number, outcome: Outcome): string {
  return `${taskNumber}.${outcome}`;
}

/** Task number and outcome, or undefined for a name that is no receipt's. */
export function parseReceiptName(name: string): { number: number; outcome: Outcome } | undefined {
  const match = /^([1-9][0-9]{0,5})\.(done|failed)$/.exec(name);
  return match === null ? undefined : { number: Number(match[1]), outcome: match[2] as Outcome };
}

/** @throws InvalidDataError `bad_receipt` */
export function parseReceipt(text: string): Receipt {
  const value = parsed(text);
  const whole = typeof value?.id === 'string' && (value.outcome === 'failed' || typeof value.etag === 'string');
  if (!whole) throw new InvalidDataError('bad_receipt', `Not a receipt: ${text.slice(0, 200)}`);
  return { ...NO_REPORT, etag: null, size: 0, reason: null, ...value } as Receipt;
}

function parsed(text: string): Partial<Receipt> | null {
  try {
    return JSON.parse(text) as Partial<Receipt> | null;
  } catch {
    return null;
  }
}

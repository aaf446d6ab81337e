/**
 * Receipts: one create-once object per task and outcome. The set of receipts is the truth about the drain; a message is
 * deleted only after its receipt exists, and a second receipt for the same task changes nothing.
 */
import { StoredJson } from '../stored-json.ts';
import { isTaskId } from '../task-queue/message-body.ts';
import { type DoneMessage, type TaskReport, NO_REPORT } from './done-message.ts';

export type Outcome = 'done' | 'failed';

export interface Receipt extends TaskReport {
  readonly id: string;
  readonly outcome: Outcome;
  /** Of result.txt when the receipt was written; the merge reads exactly these bytes. Null for a failed task. */
  readonly etag: string | null;
  /** Bytes of result.txt. */
  readonly size: number;
  /** Why a task failed: `aborted`, `result_missing`, `result_too_large`; the merge adds `result_changed` and `result_rejected`. */
  readonly reason: string | null;
}

/** What is known of result.txt, by HEAD. */
export interface ResultObject {
  readonly etag: string;
  readonly size: number;
}

export function doneReceipt(message: DoneMessage, result: ResultObject): Receipt {
  const { id, filesFailed, filesPartial, records, skipped, badHistograms } = message;
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
    badHistograms,
  };
}

/** A result found in the output bucket although its message never came. */
export function recoveredReceipt(id: string, result: ResultObject): Receipt {
  return { id, outcome: 'done', etag: result.etag, size: result.size, reason: null, ...NO_REPORT };
}

export function failedReceipt(id: string, reason: string): Receipt {
  return { id, outcome: 'failed', etag: null, size: 0, reason, ...NO_REPORT };
}

/** @throws InvalidDataError `bad_receipt` */
export function parseReceipt(text: string): Receipt {
  return readReceipt(StoredJson.document(text, 'bad_receipt', 'receipt'));
}

/** Members that earlier releases did not write get a neutral value. */
export function readReceipt(root: StoredJson): Receipt {
  const id = root.member('id').textThat(isTaskId, 'a task id');
  const outcome = root.member('outcome').text(/^(?:done|failed)$/) as Outcome;
  const etag = root.optional('etag')?.nullOr((value) => value.text()) ?? null;
  if (outcome === 'done' && etag === null) root.fail('a receipt of a result, with its etag');
  return {
    id,
    outcome,
    etag,
    size: root.optional('size')?.count() ?? 0,
    reason: root.optional('reason')?.nullOr((value) => value.text()) ?? null,
    ...readReport(root),
  };
}

function readReport(root: StoredJson): TaskReport {
  const failed = root.optional('filesFailed');
  const partial = root.optional('filesPartial');
  return {
    filesFailed:
      failed?.list((file) => ({ key: file.member('key').text(), reason: file.member('reason').text() })) ??
      NO_REPORT.filesFailed,
    filesPartial: partial?.list((key) => key.text()) ?? NO_REPORT.filesPartial,
    records: root.optional('records')?.count() ?? NO_REPORT.records,
    skipped: root.optional('skipped')?.counts() ?? NO_REPORT.skipped,
    badHistograms: root.optional('badHistograms')?.counts() ?? NO_REPORT.badHistograms,
  };
}

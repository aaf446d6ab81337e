/**
 * Results that another launcher asked for (docs/protocol.md 6). No plan of ours names their tasks, so their receipts
 * carry the files, and what a plan would guarantee is checked here.
 */
import { InvalidDataError } from '../invalid-data.ts';
import { StoredJson } from '../stored-json.ts';
import type { DoneMessage } from './done-message.ts';
import { readReceipt, type Receipt } from './receipt.ts';

export interface ForeignReceipt extends Receipt {
  /** Input keys of the task, as its message has them. */
  readonly files: readonly string[];
}

/** S3's limit. */
const MAX_KEY_BYTES = 1024;
// A line break in a key would add lines to FILES_PROCESSED.
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * A message of another launcher's run.
 * @throws InvalidDataError `no_files`: whether its submissions are counted already would be unknown; `bad_file_key`
 */
export function checkForeignMessage({ id, files }: DoneMessage): void {
  if (files.length === 0) {
    throw new InvalidDataError(
      'no_files',
      `The result of ${id} names no input file, so that a repeat could not be seen`,
    );
  }
  const bad = files.find((key) => key === '' || CONTROL.test(key) || Buffer.byteLength(key) > MAX_KEY_BYTES);
  if (bad !== undefined) {
    throw new InvalidDataError(
      'bad_file_key',
      `${id} names ${JSON.stringify(bad.slice(0, 200))}, which is no input key`,
    );
  }
}

/** @throws InvalidDataError `bad_receipt` */
export function parseForeignReceipt(text: string): ForeignReceipt {
  const root = StoredJson.document(text, 'bad_receipt', 'receipt of a foreign result');
  return { ...readReceipt(root), files: root.member('files').list((key) => key.text()) };
}

/** What a round counts for a task: nothing for a worker that could read none of its files. */
export function countedReceipt(receipt: ForeignReceipt): Receipt {
  const { files, ...counted } = receipt;
  const unread = new Set(receipt.filesFailed.map(({ key }) => key));
  if (receipt.outcome === 'failed' || !files.every((key) => unread.has(key))) return counted;
  return { ...counted, outcome: 'failed', etag: null, reason: 'no_file_read' };
}

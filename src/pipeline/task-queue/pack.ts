/**
 * Packing rules of the task queue: which input files travel together in one analysis task (docs/formats/queues.md 2.1).
 * Pure; no clock, no I/O.
 */
import { InvalidDataError } from '../invalid-data.ts';

export interface InputFile {
  readonly key: string;
  /** Bytes, as stored. */
  readonly size: number;
}

export interface PackLimits {
  /** A task is closed when it holds more than this many files, so one more fits: the original's 200 gives tasks of 201. */
  readonly maxFiles: number;
  /** Bytes of input. One larger file still gets a task of its own. */
  readonly maxBytes: number;
  /** Bytes of the encoded task message. */
  readonly maxMessageBytes: number;
}

export interface AnalysisTask {
  /** `<runId>/<n>`, n from 1. Equal listings give equal ids, so a repeated send is recognised downstream. */
  readonly id: string;
  /** Keys, smallest file first: a worker starts on cheap files while large ones download. */
  readonly files: readonly string[];
  /** Sum of the file sizes, in bytes. */
  readonly size: number;
}

/**
 * Packs files into tasks in listing order; a task closes when the next file would break a limit.
 * @param messageBytes size of the largest encoded message of a task with so many files, whose list is, as JSON, that many
 *   bytes long
 * @throws InvalidDataError `task_too_large` when one key alone is larger than a message may be
 */
export async function* packTasks(
  runId: string,
  files: AsyncIterable<InputFile> | Iterable<InputFile>,
  limits: PackLimits,
  messageBytes: (filesJsonBytes: number, files: number) => number,
): AsyncGenerator<AnalysisTask> {
  let number = 0;
  let open: InputFile[] = [];
  let size = 0;
  let jsonBytes = 0;

  const close = (): AnalysisTask => {
    number += 1;
    // Stable: files of one size keep their listing order.
    const task = {
      id: `${runId}/${number}`,
      files: open.toSorted((a, b) => a.size - b.size).map(({ key }) => key),
      size,
    };
    open = [];
    size = 0;
    jsonBytes = 0;
    return task;
  };

  for await (const file of files) {
    const keyBytes = jsonTextBytes(file.key) + 2;
    if (messageBytes(keyBytes, 1) > limits.maxMessageBytes) {
      throw new InvalidDataError(
        'task_too_large',
        `Input key of ${keyBytes} bytes does not fit a message of ${limits.maxMessageBytes} bytes: ${file.key.slice(0, 200)}`,
      );
    }
    const full =
      size + file.size > limits.maxBytes ||
      open.length > limits.maxFiles ||
      messageBytes(jsonBytes + keyBytes, open.length + 1) > limits.maxMessageBytes;
    if (open.length > 0 && full) yield close();
    open.push(file);
    size += file.size;
    jsonBytes += keyBytes;
  }
  if (open.length > 0) yield close();
}

/** Bytes of a text written as a JSON string in ASCII, quotes included. */
function jsonTextBytes(text: string): number {
  let bytes = 2;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // Non-ASCII is written as \uXXXX; quotes, backslashes and control characters need at most as much.
    bytes += unit >= 0x20 && unit < 0x7f && unit !== 0x22 && unit !== 0x5c ? 1 : 6;
  }
  return bytes;
}

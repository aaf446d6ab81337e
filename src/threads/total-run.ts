/**
 * File job: the plan of a run and the heads of its chunks → the counts of the run and its two lists of files. Both grow
 * with the files of a day, so the lists are sorted in blocks on disk, and one head is in memory at a time.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type ChunkPart, parseChunkHead } from '../pipeline/aggregates/chunk-head.ts';
import { RunTotals, type TotalCounts } from '../pipeline/dataset/run-totals.ts';
import { channelVersionOf } from '../pipeline/input-bucket/key.ts';
import { addCounts } from '../pipeline/known-reasons.ts';
import { type PlanContent, readPlan } from '../pipeline/task-queue/plan.ts';
import { compareText } from '../pipeline/text-order.ts';
import { namingFile } from './content-error.ts';
import { type FileListInfo, keyOfLine, writeFileList } from './file-list.ts';
import { inflatedText } from './gzip.ts';
import { LineBlocks } from './line-blocks.ts';
import { textLines } from './lines.ts';

export interface TotalRunInput {
  /** Local copies: the plan, and the heads in the order of the chunks. */
  readonly plan: string;
  readonly heads: readonly string[];
  /** Existing folder for what is written. */
  readonly folder: string;
}

export interface RunFileList extends FileListInfo {
  readonly files: number;
}

export interface TotalRunResult {
  readonly counts: TotalCounts;
  /** Of all chunks, in their order. */
  readonly parts: readonly ChunkPart[];
  /** Of the files of the plan. */
  readonly channelVersions: readonly string[];
  /** Every file of the plan is in one of them, a missing one with its reason behind a tab. */
  readonly processed: RunFileList;
  readonly missing: RunFileList;
  /** How many of the missing files for which reason. */
  readonly missingReasons: Readonly<Record<string, number>>;
}

export async function totalRun({ plan, heads, folder }: TotalRunInput): Promise<TotalRunResult> {
  const totals = new RunTotals();
  // A file that is named more than once has the last reason.
  const unread = new LineBlocks(join(folder, 'unread'), (a, b) => compareText(keyOfLine(a), keyOfLine(b)));
  for (const path of heads) {
    const head = parsedHead(path, await readFile(path));
    totals.add(head);
    for (const { key, reason } of head.filesFailed) await unread.add(`${key}\t${reason}`);
  }
  const read = new LineBlocks(join(folder, 'read'));
  const missing = new MissingFiles(folder);
  const channelVersions = await splitPlan(plan, totals.lostTasks, read, missing);
  let files = 0;
  async function* processed(): AsyncGenerator<string> {
    const reasons = unread.sorted();
    let next = await reasons.next();
    for await (const equal of read.sorted()) {
      const [key] = equal;
      while (next.done !== true && keyOfLine(next.value[0]) < key) next = await reasons.next();
      if (next.done === true || keyOfLine(next.value[0]) !== key) {
        files += equal.length;
        yield equal.join('\n');
      } else for (const each of equal) await missing.add(each, reasonOf(next.value));
    }
  }
  const done = await writeFileList(join(folder, 'processed.gz'), processed());
  const lost = await writeFileList(join(folder, 'missing.gz'), joined(missing.lines.sorted()));
  const { parts } = totals;
  return {
    ...{ counts: totals.counts(), parts, channelVersions },
    processed: { path: done.path, sha256: done.sha256, storedBytes: done.storedBytes, files },
    missing: { path: lost.path, sha256: lost.sha256, storedBytes: lost.storedBytes, files: missing.lines.lines },
    missingReasons: missing.reasons,
  };
}

function reasonOf(lines: readonly [string, ...string[]]): string {
  const last = lines.at(-1) ?? lines[0];
  return last.slice(last.indexOf('\t') + 1);
}

/** Lines `key TAB reason`, and how many have which reason. */
class MissingFiles {
  readonly lines: LineBlocks;
  readonly reasons: Record<string, number> = {};

  constructor(folder: string) {
    this.lines = new LineBlocks(join(folder, 'missing'));
  }

  async add(key: string, reason: string): Promise<void> {
    addCounts(this.reasons, { [reason]: 1 });
    await this.lines.add(`${key}\t${reason}`);
  }
}

async function* joined(groups: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  for await (const equal of groups) yield equal.join('\n');
}

function parsedHead(path: string, body: Buffer): ReturnType<typeof parseChunkHead> {
  try {
    return parseChunkHead(inflatedText(body));
  } catch (error) {
    throw namingFile(path, error, 'bad_chunk');
  }
}

/** Files of tasks with a result go to `read`, the others to `missing`. @returns the channel/versions of all of them */
async function splitPlan(
  path: string,
  lostTasks: ReadonlyMap<number, string>,
  read: LineBlocks,
  missing: MissingFiles,
): Promise<string[]> {
  const byFolder = new Map<string, string | undefined>();
  try {
    const { head, tasks } = await openedPlan(path);
    // Receipts are numbered by the task's place in the plan, which the task ids of a round do not contain.
    let number = 0;
    for await (const task of tasks) {
      number += 1;
      const reason = lostTasks.get(number);
      for (const key of task.files) {
        const folder = key.slice(0, key.lastIndexOf('/'));
        // A key alone may be bad; all good ones of a folder are of one channel/version.
        if (byFolder.get(folder) === undefined) byFolder.set(folder, channelVersionOf(key));
        const adding = reason === undefined ? read.add(key) : missing.add(key, reason);
        if (adding !== undefined) await adding;
      }
    }
    for (const key of head.missingKeys) await missing.add(key, 'not_found');
  } catch (error) {
    throw namingFile(path, error, 'bad_plan');
  }
  return [...new Set([...byFolder.values()].filter((name) => name !== undefined))];
}

function openedPlan(path: string): Promise<PlanContent> {
  const source = createGunzip();
  // An error of the file becomes one of `source`, where the loop over its blocks sees it.
  pipeline(createReadStream(path), source).catch(() => undefined);
  return readPlan(textLines(source));
}

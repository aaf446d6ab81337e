/** The chunks that a contribution was built from (I1, I8): their tasks against the plan and the receipts, their parts by name. */
import pMap from 'p-map';
import type { ChunkRef } from '../pipeline/run-ref.ts';
import { stateKeys } from '../state/keys.ts';
import { latestChunks, type TasksOfChunks, tasksOfChunks } from './rules/chunk-rules.ts';
import { type ChunkHead, parseChunkHead } from '../pipeline/aggregates/chunk-head.ts';
import type { RunContribution } from '../pipeline/dataset/contribution.ts';
import type { LedgerRun } from './ledger-run.ts';
import { inSentence } from './remedies.ts';
import type { Walk } from './walk.ts';

const READS_AT_ONCE = 8;
const NAMED = 5;

export async function checkChunks(walk: Walk, run: LedgerRun, contribution: RunContribution): Promise<void> {
  const { chunks: stored, receipts } = run;
  if (stored.length + receipts.done.size + receipts.failed.size === 0 && contribution.planned > 0) {
    walk.counts.collectedRuns += 1;
    return;
  }
  const { refs, certain } =
    contribution.chunks === undefined ? latestChunks(stored) : { refs: contribution.chunks, certain: true };
  const chunks = await readChunks(walk, run, refs);
  if (chunks === undefined) return;
  const tasks = tasksOfChunks(chunks, contribution.planned);
  if (!certain && !agree(tasks, contribution)) {
    const where = walk.stateAddress(stateKeys.chunks(run.ref));
    const what = `several states of the chunks of ${run.name} are stored, but not which of them it was built from`;
    walk.note('I1', 'unknown', where, what, `Nothing; to be sure, ${inSentence(run.remedy)}`);
    return;
  }
  report(walk, run, tasks, contribution);
  checkReceipts(walk, run, chunks);
  checkPartsAreThere(walk, run, chunks);
}

/** Undefined, with findings, when one cannot be read. */
async function readChunks(
  walk: Walk,
  { name, ref, remedy }: LedgerRun,
  refs: readonly ChunkRef[],
): Promise<ChunkHead[] | undefined> {
  const read = await pMap(
    refs,
    (chunk) => {
      const about = { invariant: 'I1', what: `chunk ${chunk.chunk} of ${name}`, action: remedy } as const;
      return walk.document(walk.ports.analysis, stateKeys.chunk(ref, chunk), about, parseChunkHead);
    },
    { concurrency: READS_AT_ONCE },
  );
  const chunks = read.flatMap((found) => found?.value ?? []);
  return chunks.length < refs.length ? undefined : chunks;
}

function agree({ counts }: TasksOfChunks, { done, failed, missing }: RunContribution): boolean {
  return counts.done === done && counts.failed === failed && counts.missing === missing;
}

function report(
  walk: Walk,
  { name, ref, remedy }: LedgerRun,
  tasks: TasksOfChunks,
  contribution: RunContribution,
): void {
  const where = walk.stateAddress(stateKeys.chunks(ref));
  if (tasks.twice.length > 0)
    walk.error('I1', 'double-task', where, `${taskText(tasks.twice)} of ${name}: merged twice`, remedy);
  for (const [numbers, what] of [
    [tasks.unplanned, 'merged, and not in the plan'],
    [tasks.absent, 'planned, and in no chunk'],
  ] as const) {
    if (numbers.length > 0) walk.error('I8', 'wrong-count', where, `${taskText(numbers)} of ${name}: ${what}`, remedy);
  }
  if (agree(tasks, contribution)) return;
  const { done, failed, missing } = contribution;
  const { counts } = tasks;
  const what = `tasks of ${name}: ${counts.done} done, ${counts.failed} failed, ${counts.missing} missing in its chunks; ${done}, ${failed}, ${missing} in its contribution`;
  walk.error('I8', 'wrong-count', where, what, remedy);
}

function checkReceipts(walk: Walk, { name, ref, receipts, remedy }: LedgerRun, chunks: readonly ChunkHead[]): void {
  const hasAny = (number: number): boolean => receipts.done.has(number) || receipts.failed.has(number);
  const done = chunks.flatMap((chunk) => chunk.done.map(numberOf).filter((number) => !receipts.done.has(number)));
  const failed = chunks.flatMap((chunk) => chunk.failed.map(numberOf).filter((number) => !hasAny(number)));
  if (done.length + failed.length === 0) return;
  walk.error(
    'I1',
    'missing',
    walk.stateAddress(stateKeys.receipts(ref)),
    `${taskText([...done, ...failed])} of ${name}: merged without a receipt, which a second delivery would go by`,
    remedy,
  );
}

function checkPartsAreThere(walk: Walk, { name, parts, remedy }: LedgerRun, chunks: readonly ChunkHead[]): void {
  const listed = new Set(parts);
  const named = chunks.flatMap((chunk) => chunk.parts);
  if (named.length > 0 && listed.size === 0) {
    // Garbage collection takes them a week after the segments were built.
    walk.counts.collectedRuns += 1;
    return;
  }
  for (const { key, sha256 } of named) {
    if (!listed.has(key))
      walk.note(
        'I4',
        'missing',
        walk.stateAddress(key),
        `a merged part of ${name} is gone; its segment has what was in it`,
        'Nothing, unless the segment is lost too',
      );
    else if (!key.includes(sha256.slice(0, 16)))
      walk.error('I6', 'wrong-hash', walk.stateAddress(key), `a chunk of ${name} names a part by another hash`, remedy);
  }
}

function numberOf({ number }: { readonly number: number }): number {
  return number;
}

function taskText(numbers: readonly number[]): string {
  const more = numbers.length > NAMED ? ` and ${numbers.length - NAMED} more` : '';
  return `${numbers.length === 1 ? 'task' : 'tasks'} ${numbers.slice(0, NAMED).join(', ')}${more}`;
}

/** What keeps a run from being published: too little in it, or files that another entry of the ledger counts (docs/protocol.md C2). */
import pMap from 'p-map';
import { failure } from '../failures.ts';
import type { Contribution } from '../pipeline/dataset/day-replacement.ts';
import { isAdopted, isRound } from '../pipeline/dataset/entry-name.ts';
import type { Ledger, LedgerEntry } from '../pipeline/dataset/ledger.ts';
import { firstShared } from '../pipeline/dataset/overlap.ts';
import { shortfall } from '../pipeline/dataset/poorer-run.ts';
import { OtherDays } from '../pipeline/input-bucket/other-days.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import type { ObjectStore } from '../ports.ts';
import { keysOf } from '../state/file-lists.ts';

const LISTS_AT_ONCE = 4;

/**
 * Entries of the ledger that count an input file of the contribution, with the first such file. Days share none, since
 * a file is of one submission day: only those that an earlier release published are looked at, whose runs could be told
 * to take files of other days. `records` tells them.
 * @throws InvalidDataError `other_days` when the contribution is of such a run itself
 */
export async function sharing(
  analysis: ObjectStore,
  ledger: Ledger,
  { day, entry }: Contribution,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const own = entry.fileLists.processed;
  if (own === null) return new Map();
  if (!isRound(day)) await refuseOtherDays(analysis, day, own, signal);
  const mayShare = (name: string, { records }: LedgerEntry): boolean =>
    isRound(day) || isRound(name) || isAdopted(name) || records === undefined;
  const others = [...ledger.entries].filter(([name, other]) => name !== day && mayShare(name, other));
  const found = await pMap(
    others,
    async ([name, { fileLists }]): Promise<[string, string][]> => {
      if (fileLists.processed === null) return [];
      const key = await firstShared(keysOf(analysis, own, signal), keysOf(analysis, fileLists.processed, signal));
      return key === undefined ? [] : [[name, key]];
    },
    { concurrency: LISTS_AT_ONCE },
  );
  return new Map(found.flat());
}

async function refuseOtherDays(analysis: ObjectStore, day: string, list: string, signal: AbortSignal): Promise<void> {
  const others = new OtherDays(day);
  for await (const key of keysOf(analysis, list, signal)) if (others.has(key) && others.isFull) break;
  others.refuse();
}

/** @throws ApplicationFailure NothingAnalysed, PoorerRun */
export function refuseLess(ledger: Ledger, contribution: Contribution, replaceAnyway: boolean): void {
  refuseNothing(ledger, contribution);
  if (!replaceAnyway) refusePoorer(ledger, contribution);
}

/**
 * A day without results would look as if it had been analysed, and must not replace one that has some.
 * @throws ApplicationFailure NothingAnalysed
 */
function refuseNothing(ledger: Ledger, { day, entry }: Contribution): void {
  if (entry.done > 0) return;
  const current = ledger.entries.get(day);
  const kept = current === undefined ? 'has no such day' : `keeps the day as run ${current.runId} has it`;
  throw failure(
    'NothingAnalysed',
    `None of the ${entry.planned} tasks of this run of ${day} gave a result (${entry.failed} failed, ${entry.missing} missing); the data set ${kept}`,
  );
}

/** @throws ApplicationFailure PoorerRun */
function refusePoorer(ledger: Ledger, { day, entry }: Contribution): void {
  const current = ledger.entries.get(day);
  const less = current === undefined ? undefined : shortfall(current, entry);
  if (current === undefined || less === undefined) return;
  throw failure(
    'PoorerRun',
    `This run of ${day} has ${less.has} ${less.what}, the data set has ${less.before} of run ${current.runId}; the day stays as it is. If the new run is right, run the day again with --replace-anyway, or "replaceAnyway": true in the input`,
  );
}

/**
 * @param shared entries that count a file of the day, with that file; rounds among them give way to the day
 * @throws InvalidDataError `adopted_files`: the original kept no counts per day, so its part cannot be taken out again;
 *   `counted_elsewhere`
 */
export function refuseShared(day: string, shared: ReadonlyMap<string, string>): void {
  for (const [name, key] of shared) {
    if (isRound(name)) continue;
    if (isAdopted(name))
      throw new InvalidDataError(
        'adopted_files',
        `${day} cannot be published: it has ${key}, which the history adopted from the original (${name}) counts already and cannot give back. Publish days whose files are not in FILES_PROCESSED; to see the others for themselves use "telemetry investigate"`,
      );
    throw new InvalidDataError(
      'counted_elsewhere',
      `${day} cannot be published: it has ${key}, which ${name} counts already, since its run took files of more than its day. Run ${name} again, which gives the file back ("telemetry run-day --day ${name} --replace-anyway"), then this day`,
    );
  }
}

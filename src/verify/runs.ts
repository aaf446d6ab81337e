/**
 * Each run of the ledger: its plan, its contribution and its chunks have the same tasks, each of them once (I1, I3,
 * I8).
 */
import { join } from 'node:path';
import pMap from 'p-map';
import { openPlan } from '../state/plan.ts';
import { isFailure } from '../failures.ts';
import { isAdopted, isRound } from '../pipeline/dataset/entry-name.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { stateKeys } from '../state/keys.ts';
import { parseContribution, type RunContribution } from '../pipeline/dataset/contribution.ts';
import { TAKEN } from '../state/rounds.ts';
import { sumFaults } from './rules/sum-rules.ts';
import { TaskIds } from './rules/task-ids.ts';
import { inWorkFolder } from '../work-folder.ts';
import { checkChunks } from './chunks.ts';
import { type LedgerRun, ledgerRun } from './ledger-run.ts';
import { inSentence, RESTORE } from './remedies.ts';
import { checkNamedPart } from './slot-objects.ts';
import type { Walk } from './walk.ts';

const RUNS_AT_ONCE = 4;
const TRANSFERS_AT_ONCE = 8;

/** Ids across all runs. */
interface Seen {
  readonly planned: TaskIds;
  readonly taken: TaskIds;
}

export async function checkRuns(walk: Walk, ledger: Ledger): Promise<void> {
  const seen: Seen = { planned: new TaskIds(), taken: new TaskIds() };
  const entries = [...ledger.entries].filter(([name]) => !isAdopted(name));
  walk.counts.rounds = entries.filter(([name]) => isRound(name)).length;
  walk.counts.days = entries.length - walk.counts.rounds;
  let ready = 0;
  await pMap(
    entries,
    async ([name, entry]) => {
      walk.step(`runs (${ready} of ${entries.length})`);
      await checkRun(walk, await ledgerRun(walk, name, entry), ledger, seen);
      ready += 1;
    },
    { concurrency: RUNS_AT_ONCE },
  );
}

async function checkRun(walk: Walk, run: LedgerRun, ledger: Ledger, seen: Seen): Promise<void> {
  const { name, ref, remedy } = run;
  const about = { invariant: 'I8', what: `the contribution of ${name}`, action: remedy } as const;
  const key = stateKeys.contribution(ref);
  const contribution = (await walk.document(walk.ports.analysis, key, about, parseContribution))?.value;
  await checkPlan(walk, run, seen.planned);
  if (isRound(name)) await checkTaken(walk, run, seen.taken);
  if (contribution !== undefined) {
    checkContribution(walk, run, contribution);
    checkSum(walk, run, contribution, ledger);
    await checkChunks(walk, run, contribution);
  }
  if (!walk.quick) await checkParts(walk, run);
}

function checkContribution(walk: Walk, { name, entry, ref, remedy }: LedgerRun, stored: RunContribution): void {
  const differing = [
    ['run', entry.runId, stored.runId],
    ['day', name, stored.day],
    ['tasks planned', entry.planned, stored.planned],
    ['tasks done', entry.done, stored.done],
    ['tasks failed', entry.failed, stored.failed],
    ['tasks missing', entry.missing, stored.missing],
    ['files processed', entry.files.processed, stored.files.processed],
    ['files missing', entry.files.missing, stored.files.missing],
    ['list of files processed', entry.fileLists.processed, stored.filesProcessedKey],
    ['list of files missing', entry.fileLists.missing, stored.filesMissingKey],
  ].filter(([, counted, contributed]) => counted !== contributed);
  for (const [what, counted, contributed] of differing) {
    const where = walk.stateAddress(stateKeys.contribution(ref));
    walk.error(
      'I8',
      'wrong-count',
      where,
      `${String(what)} of ${name}: ${String(counted)} in the ledger, ${String(contributed)} in its contribution`,
      remedy,
    );
  }
}

const SUM_FAULTS = {
  'not counted': 'does not count',
  'counts another run': 'counts another run of',
  'day without entry': 'counts',
} as const;

function checkSum(walk: Walk, { name, ref, remedy }: LedgerRun, contribution: RunContribution, ledger: Ledger): void {
  const segments = new Map(contribution.segments.map(({ channelVersion, key }) => [channelVersion, key]));
  for (const { channelVersion, fault } of sumFaults(ledger, name, segments)) {
    const what = `${channelVersion} ${SUM_FAULTS[fault]} ${name}, unlike its entry in the ledger: it could not be rendered when the day was published`;
    walk.error(
      'I3',
      'wrong-sum',
      walk.stateAddress(stateKeys.contribution(ref)),
      what,
      `Fix the other findings about ${channelVersion}, then ${inSentence(remedy)}`,
    );
  }
}

/** The plan is the truth about which tasks exist, and with the contribution about every input file. */
async function checkPlan(walk: Walk, { name, entry, ref, remedy }: LedgerRun, planned: TaskIds): Promise<void> {
  const where = walk.stateAddress(stateKeys.plan(ref));
  const double: string[] = [];
  let [tasks, files] = [0, 0];
  try {
    const plan = await openPlan(walk.ports.analysis, ref, walk.signal);
    files = plan.head.missingKeys.length;
    for await (const task of plan.tasks) {
      tasks += 1;
      files += task.files.length;
      if (!planned.note(task.id)) double.push(task.id);
    }
  } catch (error) {
    const isGone = (await walk.ports.analysis.head(stateKeys.plan(ref), walk.signal)) === undefined;
    if (!isFailure(error, 'StateDamaged')) throw error;
    const [kind, how] = isGone ? (['missing', 'is gone'] as const) : (['damaged', 'is damaged'] as const);
    walk.error('I8', kind, where, `the plan of ${name} ${how}`, remedy);
    return;
  }
  for (const id of double)
    walk.error('I1', 'double-task', where, `task ${id} of ${name} is planned twice in the data set`, remedy);
  if (tasks !== entry.planned)
    walk.error(
      'I8',
      'wrong-count',
      where,
      `the plan of ${name} has ${tasks} tasks, its entry ${entry.planned}`,
      remedy,
    );
  const listed = entry.files.processed + entry.files.missing;
  if (files !== listed)
    walk.error('I8', 'wrong-count', where, `the plan of ${name} has ${files} input files, its lists ${listed}`, remedy);
}

async function checkTaken(walk: Walk, { name, entry, ref, remedy }: LedgerRun, taken: TaskIds): Promise<void> {
  const key = stateKeys.roundTaken(ref);
  const about = { invariant: 'I1', what: `the list of results of ${name}`, action: RESTORE } as const;
  const list = (await walk.document(walk.ports.analysis, key, about, TAKEN.parse))?.value;
  if (list === undefined) return;
  const ids = list.results.map(({ taskId }) => taskId);
  const where = walk.stateAddress(key);
  for (const id of ids.filter((each) => !taken.note(each)))
    walk.error(
      'I1',
      'double-task',
      where,
      `the result of task ${id}, which ${name} took, is taken twice in the data set`,
      remedy,
    );
  if (ids.length !== entry.planned)
    walk.error(
      'I8',
      'wrong-count',
      where,
      `${name} took ${ids.length} results, its entry has ${entry.planned} tasks`,
      remedy,
    );
}

async function checkParts(walk: Walk, { name, parts, remedy }: LedgerRun): Promise<void> {
  if (parts.length === 0) return;
  await inWorkFolder(walk.ports.settings.workDirectory, (work) =>
    pMap(
      parts,
      (key, index) => checkNamedPart(walk, key, `a merged part of ${name}`, join(work, `part-${index}`), remedy),
      { concurrency: TRANSFERS_AT_ONCE },
    ),
  );
}

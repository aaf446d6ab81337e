/**
 * All keys of the analysis bucket (private state), and below the prefix of the published bucket. No other file builds
 * one.
 */
import { instantOfRound, isRound } from '../pipeline/dataset/entry-name.ts';
import { RESULT_NAME } from '../pipeline/done-queue/done-message.ts';
import type { Outcome } from '../pipeline/done-queue/receipt.ts';
import type { ChunkRef, RunRef } from '../pipeline/run-ref.ts';
import { isTaskId } from '../pipeline/task-queue/message-body.ts';

export function dailyRun(day: string, runId: string): RunRef {
  return { runId, prefix: `${RUNS}${day}/${runId}/` };
}

export function investigationRun(name: string, runId: string): RunRef {
  return { runId, prefix: `${INVESTIGATIONS}${name}/${runId}/` };
}

/** A round of continuous aggregation; `instant` is its name in the ledger, behind `round-`. */
export function roundRun(instant: string, runId: string): RunRef {
  return { runId, prefix: `${ROUNDS}${instant}/${runId}/` };
}

/** The run of an entry of the ledger that was analysed here: of a day, or of a round. */
export function runOfEntry(name: string, runId: string): RunRef {
  return isRound(name) ? roundRun(instantOfRound(name), runId) : dailyRun(name, runId);
}

/** The adoption of what the original published; only file lists are kept under it. */
export function adoptionRun(commit: string): RunRef {
  return { runId: commit, prefix: ADOPTION };
}

function chunkName({ chunk, done, failed }: ChunkRef): string {
  return `${chunk}-${done}-${failed}`;
}

/** Below it is everything that only this application writes. */
export const STATE = 'state/';
const RUNS = 'state/runs/';
const ROUNDS = 'state/rounds/';
const INVESTIGATIONS = 'state/investigations/';
/** Below each: a folder for every day, round or investigation, and in it one for every run. */
export const RUN_ROOTS = [RUNS, ROUNDS, INVESTIGATIONS] as const;

const OUTPUT = 'output/';
const OPEN_FAILURES = 'state/alerts/open/';
const UNDELIVERED = 'state/alerts/undelivered/';
const QUARANTINE = 'state/quarantine/';
const QUARANTINE_RELEASED = 'state/quarantine-released/';
const QUARANTINE_ACKNOWLEDGED = 'state/quarantine-acknowledged/';
const QUARANTINE_HOURS = 'state/quarantine-hours/';
const ADOPTION = 'state/adoption/';
const SEGMENTS = 'state/segments/';
const LEDGERS = 'state/ledgers/';
const WAITING = 'state/foreign/waiting/';
const ACKNOWLEDGED = 'state/alerts/acknowledged/';
const SIGNS_OF_LIFE = 'analysis-workers/';

export const stateKeys = {
  /** Where the files of a task are, or of all tasks of a run; the done message names it, and is only compared with it. */
  output: (taskOrRunId: string): string => `${OUTPUT}${taskOrRunId}/`,
  /** The one file of a task that is merged. */
  result: (taskId: string): string => `${OUTPUT}${taskId}/${RESULT_NAME}`,
  /** The merged result of an investigation, and its report; never published. */
  investigationResult: (name: string): string => `investigations/${name}/${RESULT_NAME}`,
  investigationReport: (name: string): string => `investigations/${name}/report.json`,
  /** Which run has the name of an investigation. */
  investigationOwner: (name: string): string => `state/investigation-owners/${name}.json`,
  /** Which prefix a run id belongs to, so that any drain can file any run's messages. */
  runIndex: (runId: string): string => `state/run-index/${runId}.json`,
  /** Below it is a folder for each run of the day. */
  runsOfDay: (day: string): string => `${RUNS}${day}/`,
  plan: (run: RunRef): string => `${run.prefix}plan.ndjson.gz`,
  receipts: (run: RunRef): string => `${run.prefix}receipts/`,
  receipt: (run: RunRef, number: number, outcome: Outcome): string => `${run.prefix}receipts/${number}.${outcome}`,
  /** Heads of chunks, and their parts. */
  chunks: (run: RunRef): string => `${run.prefix}chunks/`,
  /** Head of a merged chunk; the counts of its receipts tell a chunk from its own later state. */
  chunk: (run: RunRef, chunk: ChunkRef): string => `${run.prefix}chunks/${chunkName(chunk)}.json`,
  chunkPart: (run: RunRef, chunk: ChunkRef, channelVersion: string, sha256: string): string =>
    `${run.prefix}chunks/${chunkName(chunk)}/${channelVersion}-${sha256.slice(0, 16)}.ndjson.zst`,
  /** What a run adds to the data set: its segments, counts and file lists. */
  contribution: (run: RunRef): string => `${run.prefix}contribution.json`,
  files: (run: RunRef, which: 'processed' | 'missing', sha256: string): string =>
    `${run.prefix}files-${which}-${sha256.slice(0, 16)}.gz`,
  report: (run: RunRef): string => `${run.prefix}report.json`,
  publication: (run: RunRef, attempt: number): string => `${run.prefix}publications/${attempt}.json`,
  staged: (run: RunRef, attempt: number, index: number): string =>
    `${run.prefix}publications/${attempt}/staged-${index}.json`,
  segment: (channelVersion: string, day: string, sha256: string): string =>
    `${SEGMENTS}${channelVersion}/${day}-${sha256.slice(0, 32)}.ndjson.zst`,
  /**
   * Days of a channel/version that were folded into one object. Unlike a segment it has its run in its name: it may be
   * removed when no commit references it, so a later run must not take it for its own.
   */
  compactedDays: (channelVersion: string, sha256: string, { runId }: RunRef): string =>
    `${SEGMENTS}${channelVersion}/sealed-${runId}-${sha256.slice(0, 32)}.ndjson.zst`,
  /** Slots of a channel/version that the original published. */
  adoptedBase: (channelVersion: string, sha256: string): string =>
    `${SEGMENTS}${channelVersion}/adopted-${sha256.slice(0, 32)}.ndjson.zst`,
  /** The outcome of adopting a folder of the original, as it was listed. */
  adoptedFolder: (folder: string, listing: string): string =>
    `${ADOPTION}folders/${folder}-${listing.slice(0, 16)}.json`,
  /** Segments and bases of all channel/versions. */
  allSegments: SEGMENTS,
  ledger: (sha256: string): string => `${LEDGERS}${sha256}.json.gz`,
  allLedgers: LEDGERS,
  /** What the last website update published. One object, replaced by every update that changed something. */
  website: 'state/website.json',
  quarantine: (sha256: string): string => `${QUARANTINE}${sha256}.json`,
  allQuarantined: QUARANTINE,
  /** One empty object for every done message quarantined in an hour (`YYYY-MM-DDTHH`): what the cap counts. */
  quarantineMarks: (hour: string): string => `${QUARANTINE_HOURS}${hour}/`,
  quarantineMark: (hour: string, sha256: string): string => `${QUARANTINE_HOURS}${hour}/${sha256}`,
  /** When a quarantined thing was last sent back to where it came from. */
  quarantineReleased: (sha256: string): string => `${QUARANTINE_RELEASED}${sha256}.json`,
  allQuarantineReleased: QUARANTINE_RELEASED,
  /** Why somebody has said that a quarantined thing is no problem. */
  quarantineAcknowledged: (sha256: string): string => `${QUARANTINE_ACKNOWLEDGED}${sha256}.json`,
  allQuarantineAcknowledged: QUARANTINE_ACKNOWLEDGED,
  /** What was taken out of the quarantine for good, why and by whom. */
  quarantinePurged: (sha256: string): string => `state/quarantine-purged/${sha256}.json`,
  rounds: ROUNDS,
  /** Which waiting results a round took. */
  roundTaken: (run: RunRef): string => `${run.prefix}taken.json`,
  /** A round that did not stay in the data set, so that its results wait again. */
  roundReturned: (run: RunRef): string => `${run.prefix}returned.json`,
  /** Receipt of a result that another launcher asked for: one for each task id and outcome, whichever drain met it. */
  foreignReceipt: (taskId: string, outcome: Outcome): string => `state/foreign/receipts/${taskId}.${outcome}`,
  /** Marks such a receipt as waiting: no round of the data set has it yet. */
  waiting: (taskId: string, outcome: Outcome): string => `${WAITING}${taskId}.${outcome}`,
  allWaiting: WAITING,
  /** An open failure of a job, by what it is about. */
  openFailure: (job: string, about: string): string => `${OPEN_FAILURES}${job}/${about}.json`,
  openFailures: OPEN_FAILURES,
  /** A finding that a person has acknowledged, by its id. */
  acknowledged: (sha256: string): string => `${ACKNOWLEDGED}${sha256.slice(0, 32)}.json`,
  allAcknowledged: ACKNOWLEDGED,
  /** Written by an analysis worker, which may write nothing of the state. */
  signOfLife: (id: string): string => `${SIGNS_OF_LIFE}${id}.json`,
  allSignsOfLife: SIGNS_OF_LIFE,
  /** An alert that some channel has not taken. */
  undelivered: (runId: string, kind: string): string => `${UNDELIVERED}${runId}-${kind}.json`,
  allUndelivered: UNDELIVERED,
  delivered: (runId: string, kind: string, channel: string): string =>
    `state/alerts/delivered/${runId}-${kind}/${channel}.json`,
  /** Which data set the state belongs to. */
  owner: 'state/data-set.json',
  /** What a garbage collection is to remove. */
  garbagePlan: (id: string): string => `state/garbage/${id}.json`,
  /** Written to read the store's clock; its content has no meaning. */
  garbageClock: 'state/garbage/clock',
  /** One name for each folder that was ever begun, so that two publishers never write into the same one. */
  folderClaim: (folder: string): string => `state/folder-claims/${folder}`,
};

/** Names below the prefix of the published bucket. */
export const publishedNames = {
  versions: 'versions.json',
  filesProcessed: 'FILES_PROCESSED',
  filesMissing: 'FILES_MISSING',
  status: 'status.json',
  changes: 'changes.json',
} as const;

/** After either prefix: an object with which `setup` tries the store, deleted at once; no reader asks for it. */
export function probeName(id: string): string {
  return `setup-probe-${id}`;
}

/** The day of a daily run, from the prefix of its state; undefined for other runs. */
export function dayOfRun(prefix: string): string | undefined {
  return new RegExp(`^${RUNS}(\\d{8})/`).exec(prefix)?.[1];
}

/** The run that a key of the state belongs to; undefined for what belongs to none. */
export function runIdIn(key: string): string | undefined {
  const root = RUN_ROOTS.find((prefix) => key.startsWith(prefix));
  return root === undefined ? undefined : key.slice(root.length).split('/')[1];
}

/** The task whose result is at an address, `s3://bucket/output/<task id>/result.txt`; undefined for any other address. */
export function taskOfResult(address: string): string | undefined {
  const key = /^s3:\/\/[^/]+\/(.+)$/.exec(address)?.[1] ?? '';
  const taskId = key.slice(OUTPUT.length, -(RESULT_NAME.length + 1));
  return isTaskId(taskId) && key === stateKeys.result(taskId) ? taskId : undefined;
}

/** What must hold after every fault test (docs/faults.md O1–O7), whatever was injected. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { Worker } from '@temporalio/worker';
import type { DailyAnalysisResult } from '../../../src/workflows/daily-analysis.ts';
import { verifyDataSet } from '../../../src/verify/verify.ts';
import { inProcessThreads } from '../../fakes/in-process-threads.ts';
import { leafIds } from '../../golden/v1-client.ts';
import { type MadeUpRow, madeUpRows } from './made-up-days.ts';
import { referenceFiles } from './reference-merge.ts';
import type { Scene, StartedDay } from './scene.ts';

export interface Expectation {
  /** Input keys that the data set counts, with the variant of their rows; all files of all days when absent. */
  readonly counted?: ReadonlyMap<string, string>;
  /** Rows that the data set counts beside those. */
  readonly more?: readonly MadeUpRow[];
  /** Number of the last commit. */
  readonly seq: number;
  /** Results of the runs that ended well. */
  readonly results: readonly DailyAnalysisResult[];
  /** Runs whose histories are replayed; all of the scene when absent. */
  readonly replays?: readonly StartedDay[];
  /** For the grace time of what was replaced; default: the clock. */
  readonly now?: Date;
  /** Messages that may be left on the done queue. */
  readonly left?: number;
}

export interface Verdict {
  readonly observations: number;
  readonly files: number;
  readonly seqs: readonly number[];
}

/** @throws AssertionError saying which of the oracles disagrees */
export async function judge(scene: Scene, expectation: Expectation): Promise<Verdict> {
  const account = await scene.readerAccount();
  assert.deepEqual(account?.problems ?? [], [], 'O3: the reader saw something that is no commit');
  const space = await publishedSpace(scene);
  assert.equal(space.seq, expectation.seq, 'the number of commits');
  assertCounts(expectation.results);
  assertFiles(space, expectation.counted ?? everything(scene), expectation.more ?? []);
  await assertVerified(scene, expectation.now ?? new Date());
  await assertQueueEmpty(scene, expectation.left ?? 0);
  await assertReplays(scene, expectation.replays ?? scene.started);
  return { observations: account?.observations ?? 0, files: space.files.size, seqs: account?.seqs ?? [] };
}

type Pointer = { readonly $head: { readonly seq: number } } & Readonly<Record<string, string>>;

export interface PublishedSpace {
  readonly seq: number;
  readonly folders: ReadonlyMap<string, string>;
  /** `<channel/version>/<file>` → text */
  readonly files: ReadonlyMap<string, string>;
}

/** Read again, by code of its own. */
export async function publishedSpace(scene: Scene): Promise<PublishedSpace> {
  const read = async (key: string): Promise<string> => {
    const { body } = await scene.published.get(`v7/${key}`);
    return (body[0] === 0x1f ? gunzipSync(body) : body).toString('utf8');
  };
  const { $head: head, ...folders } = JSON.parse(await read('versions.json')) as Pointer;
  const files = new Map<string, string>();
  for (const [channelVersion, folder] of Object.entries(folders)) {
    for (const key of await scene.keys(scene.published, `v7/${folder}/`)) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      files.set(`${channelVersion}/${name}`, await read(`${folder}/${name}`));
    }
  }
  return { seq: head.seq, folders: new Map(Object.entries(folders as Record<string, string>)), files };
}

function everything(scene: Scene): Map<string, string> {
  return new Map([...scene.days.values()].flat().map((key) => [key, '']));
}

/** O4 */
function assertCounts(results: readonly DailyAnalysisResult[]): void {
  for (const { day, planned, done, failed, missing } of results) {
    assert.equal(done + failed + missing, planned, `O4: planned = done + failed + missing of ${day}`);
  }
}

/** O1: byte for byte what the reference says, and nothing else. */
function assertFiles(
  { folders, files }: PublishedSpace,
  counted: ReadonlyMap<string, string>,
  more: readonly MadeUpRow[],
): void {
  const rows = [...[...counted].flatMap(([key, variant]) => madeUpRows(key, variant)), ...more];
  const trees = new Map(
    [...folders.keys()].map((name) => [name, leafIds(JSON.parse(files.get(`${name}/filter-tree.json`) ?? '{}'))]),
  );
  const expected = referenceFiles(rows, (channelVersion, path) => trees.get(channelVersion)?.get(path) ?? NaN);
  const isMeasure = (name: string): boolean => name.endsWith('-date.json');
  const shown = new Map([...files].filter(([name]) => isMeasure(name)));
  assert.deepEqual([...shown.keys()].sort(), [...expected.keys()].sort(), 'O1: the files of the data set');
  for (const [name, text] of expected) assert.equal(shown.get(name), text, `O1: ${name}`);
}

/** O2 */
async function assertVerified({ analysis, published, directory }: Scene, now: Date): Promise<void> {
  const settings = { publishedPrefix: 'v7/', workDirectory: directory, threads: 1 };
  const ports = { analysis, published, threads: inProcessThreads(), settings };
  const { findings } = await verifyDataSet(ports, { now }, AbortSignal.timeout(60_000));
  const errors = findings.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ invariant, what, where }) => `${invariant} ${where}: ${what}`),
    [],
    'O2: telemetry verify',
  );
}

/** O5 */
async function assertQueueEmpty(scene: Scene, left: number): Promise<void> {
  await scene.until(`O5: the done queue has ${left} messages and none in flight`, async () => {
    const { visible, inFlight, delayed } = await scene.queues.depth(scene.names.doneQueue);
    return visible + inFlight + delayed === left ? true : undefined;
  });
}

/** O7 */
async function assertReplays(scene: Scene, runs: readonly StartedDay[]): Promise<void> {
  const code = await readFile(scene.stage.bundle, 'utf8');
  for (const { workflowId } of runs) {
    const history = await scene.stage.client.workflow.getHandle(workflowId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId);
  }
}

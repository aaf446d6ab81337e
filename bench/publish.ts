/**
 * Publishing some 126 MB of merged rows as the activity `stageSnapshot` does it: the segments of seven channel/versions are
 * fetched from the store, rendered in the worker's threads, and uploaded file by file, with the table for analysts and without. The
 * store is one in memory, in a process of its own (bench/README.md).
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createStageActivities } from '../src/activities/stage.ts';
import { connectPorts } from '../src/composition.ts';
import { loadConfig } from '../src/config.ts';
import { environment } from '../src/environment.ts';
import { MERGE_LIMITS } from '../src/limits.ts';
import type { RunRef } from '../src/pipeline/run-ref.ts';
import { stateKeys } from '../src/state/keys.ts';
import { type Publication, publicationOf, type SnapshotPlan } from '../src/state/publication.ts';
import { endService, startService } from './day/service.ts';
import { generateResults, SPARSE } from './generators/results.ts';
import { compare, type Way, withThreads } from './measure.ts';

/** As `render.ts`. */
const FILES = 32;
const DAY = '20131029';
const SIGNAL = new AbortController().signal;

type StageInput = Parameters<ReturnType<typeof createStageActivities>['stageSnapshot']>[0];

/** Each takes 20 seconds. */
const RUNS = 3;

const [, , mode, ...plans] = process.argv;
if (mode === 'child') await publish(plans.map((plan) => JSON.parse(plan) as SnapshotPlan));
else await benchmark();

/** What is measured: a process that stages every channel/version, for a run of its own. */
async function publish(snapshots: readonly SnapshotPlan[]): Promise<void> {
  const { ports, close } = connectPorts(loadConfig(environment()));
  const runId = `bench-${process.pid}`;
  const run: RunRef = { runId, prefix: `state/bench/${runId}/` };
  const attempt = { run, attempt: 1, commit: runId };
  const publication: Publication = {
    ...{ commit: runId, decision: 'publish', pointerEtag: '"0"', baseLedger: 'none', seq: 1 },
    snapshots: [...snapshots],
  };
  await publicationOf(ports.analysis, run, 1, async () => publication, SIGNAL);
  const activities = createStageActivities(ports);
  const warnings = new DefaultLogger('WARN');
  await Promise.all(
    snapshots.map((_, index) =>
      new MockActivityEnvironment({}, { logger: warnings }).run(
        (input: StageInput) => activities.stageSnapshot(input),
        { ...attempt, index },
      ),
    ),
  );
  await close();
}

async function benchmark(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-publish-'));
  const store = await startService('./object-store.ts');
  try {
    await mkdir(join(folder, 'work'));
    Object.assign(process.env, environmentFor(folder, store.endpoint));
    const snapshots = await storedSegments(folder);
    const child = (parquet: boolean) => ({
      program: process.execPath,
      args: [fileURLToPath(import.meta.url), 'child', ...snapshots.map((plan) => JSON.stringify(plan))],
      environment: { TELEMETRY_PUBLISH_PARQUET: String(parquet) },
    });
    await compare(
      'publish',
      [1, 2].flatMap((threads): Way[] => {
        const name = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
        return [
          { name, command: withThreads(threads, child(false)) },
          { name: `${name}, table`, command: withThreads(threads, child(true)), baseline: name },
        ];
      }),
      RUNS,
    );
  } finally {
    await endService(store);
    await rm(folder, { recursive: true });
  }
}

function environmentFor(folder: string, endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_PROFILE: '',
    AWS_SESSION_TOKEN: '',
    TELEMETRY_WORK_DIRECTORY: join(folder, 'work'),
  };
}

/** A segment for each channel/version, in the store. */
async function storedSegments(folder: string): Promise<SnapshotPlan[]> {
  const results = await generateResults(join(folder, 'results'), { ...SPARSE, files: FILES });
  const { ports, close } = connectPorts(loadConfig(environment()));
  const files = results.map((path) => ({ id: path, path }));
  const { parts } = await ports.threads.mergeResults({ results: files, folder, limits: MERGE_LIMITS });
  await rm(join(folder, 'results'), { recursive: true });
  const snapshots: SnapshotPlan[] = [];
  for (const { channelVersion, path, sha256 } of parts) {
    const key = stateKeys.segment(channelVersion, DAY, sha256);
    await ports.analysis.createOnce(key, await readFile(path), {}, SIGNAL);
    snapshots.push({ channelVersion, previousFolder: null, parts: [key] });
  }
  await close();
  return snapshots;
}

/** The whole application over fakes: every activity, no network, a set-up and empty data set. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Info } from '@temporalio/activity';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type Activities, createActivities } from '../../src/activities/index.ts';
import type { ActivityPorts, ActivitySettings, WebsiteSource } from '../../src/activities/ports.ts';
import { analysisRunKey } from '../../src/names.ts';
import { emptyLedger } from '../../src/pipeline/dataset/ledger.ts';
import { serialiseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { firstVersions, serialiseVersions } from '../../src/pipeline/dataset/versions.ts';
import { publishedNames, stateKeys } from '../../src/state/keys.ts';
import { CallTrace } from './call-trace.ts';
import { inProcessThreads } from './in-process-threads.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { MemoryMessageQueues } from './memory-message-queues.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { DONE_QUEUE, TASK_QUEUE } from './names.ts';

export const PREFIX = 'v7/';
export const VERSIONS = PREFIX + publishedNames.versions;
const QUEUE = { visibilitySeconds: 300, delaySeconds: 0, retentionSeconds: 345_600 };
/** What `filter.json.in` holds: all saved sessions of the day. */
export const DAY_TEMPLATE = JSON.stringify({
  version: 1,
  dimensions: [
    { field_name: 'reason', allowed_values: ['saved_session'] },
    { field_name: 'appName', allowed_values: '*' },
    { field_name: 'appUpdateChannel', allowed_values: '*' },
    { field_name: 'appVersion', allowed_values: '*' },
    { field_name: 'appBuildID', allowed_values: '*' },
    { field_name: 'submission_date', allowed_values: ['DATE'] },
  ],
});

type Input<Name extends keyof Activities> = Parameters<Activities[Name]>[0];
type Output<Name extends keyof Activities> = Awaited<ReturnType<Activities[Name]>>;

export class Application {
  readonly clock = new ManualClock('2013-10-30T13:31:00Z');
  readonly trace = new CallTrace();
  readonly input = new MemoryObjectStore('input', this.trace);
  readonly analysis = new MemoryObjectStore('analysis', this.trace);
  readonly published = new MemoryObjectStore('published', this.trace);
  readonly site = new MemoryObjectStore('site', this.trace);
  readonly metrics = new MemoryMetrics();
  readonly queues = new MemoryMessageQueues(this.trace, this.clock);
  readonly settings: ActivitySettings;
  readonly activities: Activities;
  template = DAY_TEMPLATE;
  /** Ids of runs whose workflows have not ended, as Temporal would list them. */
  readonly runsAtWork = new Set<string>();
  /** What activities have told their workflows. */
  readonly signals: { readonly name: string; readonly input: unknown }[] = [];
  /** Where the website comes from; null: not configured. */
  websiteSource: WebsiteSource | null = null;

  /** Where histogram definitions come from, for ports that are made from now on. */
  findHistogramsFile: ActivityPorts['findHistogramsFile'] = null;

  constructor(workDirectory: string, settings: Partial<ActivitySettings> = {}) {
    this.settings = {
      taskQueue: TASK_QUEUE,
      doneQueue: DONE_QUEUE,
      publishedPrefix: PREFIX,
      owner: 'ops@example.org',
      adoptForeignResults: false,
      round: { results: 1000, seconds: 14_400 },
      jobBundle: 'code/analysis.tar.gz',
      pack: { maxFiles: 200, maxBytes: 419_430_400 },
      maxPlan: { tasks: 1000, bytes: 1 << 30 },
      chunkTasks: 2,
      compaction: { compactAfterDays: 10, keepDays: 35 },
      quarantine: { perHour: 1000, pauseSeconds: 0 },
      maxResultBytes: 1 << 20,
      maxLineBytes: 1 << 20,
      maxTableBytes: 64 << 20,
      doneVisibilitySeconds: 300,
      taskVisibilitySeconds: 1800,
      workDirectory,
      publishParquet: true,
      alertChanges: false,
      threads: 2,
      ...settings,
    };
    this.activities = createActivities(this.ports());
    this.queues.queues.set(TASK_QUEUE, { settings: QUEUE, messages: [] });
    this.queues.queues.set(DONE_QUEUE, { settings: QUEUE, messages: [] });
    this.setUpDataSet();
  }

  /** What the website's activities have; asked for again with every call. */
  websitePorts(): ActivityPorts['website'] {
    const sourceOf = (): WebsiteSource | null => this.websiteSource;
    return {
      get source() {
        return sourceOf();
      },
      site: this.site,
      prefix: '',
      limits: { minFiles: 1, maxDeletedPercent: 50 },
    };
  }

  /** What another worker process, maybe with other settings, would have. */
  ports(settings: Partial<ActivitySettings> = {}): ActivityPorts {
    return {
      input: this.input,
      analysis: this.analysis,
      published: this.published,
      queues: this.queues,
      threads: inProcessThreads(),
      metrics: this.metrics,
      findHistogramsFile: this.findHistogramsFile,
      readTemplate: async () => this.template,
      website: this.websitePorts(),
      settings: { ...this.settings, ...settings },
    };
  }

  /** Runs one attempt of an activity. */
  async run<Name extends keyof Activities>(
    name: Name,
    input: Input<Name>,
    info?: Partial<Info>,
  ): Promise<Output<Name>> {
    return this.runIn(environment(info, this.runsAtWork, this.signals), name, input);
  }

  async runIn<Name extends keyof Activities>(
    env: MockActivityEnvironment,
    name: Name,
    input: Input<Name>,
  ): Promise<Output<Name>> {
    const activity = this.activities[name] as (input: Input<Name>) => Promise<Output<Name>>;
    return env.run<[Input<Name>], Output<Name>, typeof activity>(activity, input);
  }

  setUpDataSet(): void {
    const ledger = emptyLedger('set-up');
    const text = serialiseLedger(ledger);
    const key = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
    this.analysis.store(key, gzipSync(text));
    this.published.store(VERSIONS, gzipSync(serialiseVersions(firstVersions(ledger, key, new Date()))));
  }
}

const silent = (): void => undefined;

export function environment(
  info?: Partial<Info>,
  runsAtWork: ReadonlySet<string> = new Set(),
  signals: Application['signals'] = [],
): MockActivityEnvironment {
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };
  return new MockActivityEnvironment(info, { logger, client: clientWith(runsAtWork, signals) });
}

/** The worker's Temporal client, as far as activities use it. */
function clientWith(runsAtWork: ReadonlySet<string>, signals: Application['signals']): Client {
  async function* list({
    query,
  }: {
    query?: string;
  }): AsyncGenerator<Pick<WorkflowExecutionInfo, 'typedSearchAttributes'>> {
    if (query !== "ExecutionStatus = 'Running'") throw new Error(`not expected: ${query ?? ''}`);
    for (const id of runsAtWork)
      yield { typedSearchAttributes: new TypedSearchAttributes([{ key: analysisRunKey, value: id }]) };
    // One that is no run of ours.
    yield { typedSearchAttributes: new TypedSearchAttributes() };
  }
  // The environment asks with a signal.
  const withAbortSignal = <T>(_: AbortSignal, ask: () => Promise<T>): Promise<T> => ask();
  const signal = async (name: string, input: unknown): Promise<void> => {
    signals.push({ name, input });
  };
  return { workflow: { list, getHandle: () => ({ signal }) }, withAbortSignal } as unknown as Client;
}

/** A fresh application for every test of the file. */
export function eachWithApplication(settings: Partial<ActivitySettings> = {}): () => Application {
  let workDirectory = '';
  let app: Application | undefined;
  beforeEach(() => {
    workDirectory = mkdtempSync(join(tmpdir(), 'telemetry-activities-'));
    app = new Application(workDirectory, settings);
  });
  afterEach(() => {
    mock.timers.reset();
    rmSync(workDirectory, { recursive: true, force: true });
  });
  return () => {
    if (app === undefined) throw new Error('only inside a test');
    return app;
  };
}

/** Spaces to verify: published by the application, then broken as somebody else would break them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Ledger } from '../../src/pipeline/dataset/ledger.ts';
import { serialiseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { nextVersions, serialiseVersions } from '../../src/pipeline/dataset/versions.ts';
import { stateKeys } from '../../src/state/keys.ts';
import type { VerifyReport } from '../../src/verify/verification.ts';
import { verifyDataSet } from '../../src/verify/verify.ts';
import { type Application, VERSIONS } from './application.ts';
import type { Call } from './call-trace.ts';
import { DayRun, inputKey } from './day-run.ts';
import type { MemoryObjectStore } from './memory-object-store.ts';
import { ledgerOf, versionsOf } from './published-space.ts';

export const NEXT = '20131030';
export const NIGHTLY = 'nightly/28';

export function verifyNow(app: Application, quick = false): Promise<VerifyReport> {
  return verifyDataSet(app.ports(), { quick }, new AbortController().signal);
}

/** What was found, without repeats: `error I4 missing`. */
export function found({ findings }: VerifyReport): string[] {
  return [...new Set(findings.map(({ severity, invariant, kind }) => `${severity} ${invariant} ${kind}`))];
}

/**
 * Two days, the first with a task that was given up, and the projections of both. They are published once in each test file,
 * and copied into every other new application with the same settings.
 */
export async function publishTwoDays(app: Application): Promise<[DayRun, DayRun]> {
  const { workDirectory: _, ...settings } = app.settings;
  const asked = JSON.stringify({ settings, template: app.template });
  const isNew = app.trace.calls.length === 0 && app.findHistogramsFile === null;
  const before = isNew ? published.get(asked) : undefined;
  const days: [DayRun, DayRun] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
  if (before === undefined) {
    const at = app.clock.now;
    await publishBoth(app, days);
    if (isNew) published.set(asked, copyOf(app, days, app.clock.now - at));
  } else restore(app, days, before);
  return days;
}

async function publishBoth(app: Application, [first, second]: [DayRun, DayRun]): Promise<void> {
  const files = [inputKey(NIGHTLY, 'n1'), inputKey(NIGHTLY, 'n2'), inputKey('aurora/27', 'a1')];
  await first.analyse(files, ({ files: [file] }) => ({ aborted: file?.includes('n2') === true }));
  await first.publish();
  app.clock.advance(60);
  await second.analyse([inputKey(NIGHTLY, 'n1', NEXT), inputKey('aurora/27', 'a1', NEXT)]);
  await second.publish();
  await app.run('updateProjections', undefined);
}

const STORES = ['input', 'analysis', 'published'] as const;

interface TwoDays {
  readonly objects: Readonly<
    Record<(typeof STORES)[number], readonly Parameters<MemoryObjectStore['contents']['set']>[]>
  >;
  readonly calls: readonly Call[];
  readonly plans: readonly DayRun['plan'][];
  /** How far the clock went. */
  readonly milliseconds: number;
}

/** By settings and template. */
const published = new Map<string, TwoDays>();

function copyOf(app: Application, days: readonly DayRun[], milliseconds: number): TwoDays {
  const { input, analysis, published: space } = app;
  const objects = { input: [...input.contents], analysis: [...analysis.contents], published: [...space.contents] };
  for (const { messages } of app.queues.queues.values()) assert.deepEqual(messages, [], 'a message is left');
  return {
    objects,
    calls: app.trace.calls.map((call) => ({ ...call })),
    plans: days.map(({ plan }) => plan),
    milliseconds,
  };
}

function restore(app: Application, days: readonly DayRun[], { objects, calls, plans, milliseconds }: TwoDays): void {
  for (const name of STORES) for (const [key, object] of objects[name]) app[name].contents.set(key, object);
  for (const call of calls) app.trace.calls.push({ ...call });
  for (const [index, day] of days.entries()) day.plan = plans[index];
  app.clock.advance(milliseconds / 1000);
}

export function keyOf(store: MemoryObjectStore, pattern: RegExp): string {
  return store.keys().find((key) => pattern.test(key)) ?? assert.fail(`no object like ${String(pattern)}`);
}

export function rewrite(
  store: MemoryObjectStore,
  key: string,
  change: (document: Record<string, unknown>) => unknown,
): void {
  const text = JSON.stringify(change(store.json(key)));
  store.store(key, /\.json\.gz$|versions|manifest/.test(key) ? gzipSync(text) : text);
}

/** Makes another ledger the current one, as if it had been committed. */
export function commitInstead(app: Application, change: (ledger: Ledger) => Ledger): void {
  const text = serialiseLedger(change(ledgerOf(app)));
  const key = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
  app.analysis.store(key, gzipSync(text));
  const { head, folders } = versionsOf(app);
  app.published.store(VERSIONS, gzipSync(serialiseVersions({ head: { ...head, ledger: key }, folders })));
}

/** Commits another ledger behind the current one, and writes the projections. */
export async function commitNext(app: Application, change: (ledger: Ledger) => Partial<Ledger>): Promise<void> {
  const before = ledgerOf(app);
  const commit = `commit-${before.seq + 1}`;
  const ledger = { ...before, ...change(before), seq: before.seq + 1, commit, parent: before.commit };
  const text = serialiseLedger(ledger);
  const key = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
  app.analysis.store(key, gzipSync(text));
  const versions = nextVersions(versionsOf(app), ledger, key, new Date());
  app.published.store(VERSIONS, gzipSync(serialiseVersions(versions)));
  await app.run('updateProjections', undefined);
}

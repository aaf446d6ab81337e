/** The runs of a day that have planned their tasks, whether or not the data set has one of them. */
import { parseReportOutline, type ReportOutline } from '../pipeline/dataset/report-sentence.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readDocumentIfPresent } from './documents.ts';
import { dailyRun, stateKeys } from './keys.ts';

/** A day is run again a few times at most; the listing is in no order of time. */
const MAX_RUNS = 100;

/** The run whose plan is the newest, by the store's clock; undefined when there is none. */
export async function latestRunOfDay(
  store: ObjectStore,
  day: string,
  signal: AbortSignal,
): Promise<RunRef | undefined> {
  const found: { readonly run: RunRef; readonly at: Date }[] = [];
  let seen = 0;
  for await (const runId of store.folders(stateKeys.runsOfDay(day), signal)) {
    seen += 1;
    if (seen > MAX_RUNS) break;
    const run = dailyRun(day, runId);
    const plan = await store.head(stateKeys.plan(run), signal);
    if (plan !== undefined) found.push({ run, at: plan.lastModified });
  }
  return found.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0]?.run;
}

const REPORT: Codec<ReportOutline> = { what: 'the report of a run', parse: parseReportOutline };

/** Null for a run that has not come so far. */
export async function reportOutline(
  store: ObjectStore,
  run: RunRef,
  signal: AbortSignal,
): Promise<ReportOutline | null> {
  return (await readDocumentIfPresent(store, stateKeys.report(run), REPORT, signal)) ?? null;
}

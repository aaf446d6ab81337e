/** A deploy that would break running workflows: one more timer at the beginning. Replay has to notice. */
import { sleep } from '@temporalio/workflow';
import * as released from '../../src/workflows/index.ts';
import type {
  AggregationInput,
  DailyAnalysisInput,
  GarbageCollectionInput,
  InvestigationInput,
  WebsiteUpdateInput,
} from '../../src/pipeline/run-input.ts';

export async function continuousAggregation(input?: AggregationInput): Promise<unknown> {
  await sleep('1 second');
  return released.continuousAggregation(input);
}

export async function dailyAnalysis(input?: DailyAnalysisInput): Promise<unknown> {
  await sleep('1 second');
  return released.dailyAnalysis(input);
}

export async function garbageCollection(input?: GarbageCollectionInput): Promise<unknown> {
  await sleep('1 second');
  return released.garbageCollection(input);
}

export async function investigation(input?: InvestigationInput): Promise<unknown> {
  await sleep('1 second');
  return released.investigation(input);
}

export async function websiteUpdate(input?: WebsiteUpdateInput): Promise<unknown> {
  await sleep('1 second');
  return released.websiteUpdate(input);
}

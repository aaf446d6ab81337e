/** Every activity of the worker, in the order of the day's path; workflows see only the type. */
import { createBuildActivities } from './build.ts';
import { createChangesActivities } from './changes.ts';
import { createCommitActivities } from './commit.ts';
import { createDrainActivities } from './drain.ts';
import { translatingFailures } from './failure-edge.ts';
import { createFilterActivities } from './filter.ts';
import { createGarbageActivities } from './garbage-collection.ts';
import { createInvestigationActivities } from './investigation.ts';
import { createMergeActivities } from './merge.ts';
import { createPlanActivities } from './plan.ts';
import { createProjectionActivities } from './projections.ts';
import { createReportActivities } from './report.ts';
import { createRoundActivities } from './rounds.ts';
import { createSendActivities } from './send.ts';
import { createStageActivities } from './stage.ts';
import { createWebsiteActivities } from './website.ts';
import type { ActivityPorts } from './ports.ts';

export type Activities = ReturnType<typeof createActivities>;

/** @param secrets values that must appear in no failure */
export function createActivities(ports: ActivityPorts, secrets: readonly string[] = []) {
  const activities = {
    ...createFilterActivities(ports),
    ...createPlanActivities(ports),
    ...createSendActivities(ports),
    ...createDrainActivities(ports),
    ...createMergeActivities(ports),
    ...createBuildActivities(ports),
    ...createStageActivities(ports),
    ...createCommitActivities(ports),
    ...createProjectionActivities(ports),
    ...createChangesActivities(ports),
    ...createReportActivities(ports),
    ...createRoundActivities(ports),
    ...createInvestigationActivities(ports),
    ...createWebsiteActivities(ports),
    ...createGarbageActivities(ports),
  };
  return translatingFailures(activities, secrets);
}

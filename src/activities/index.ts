/** Every activity of the worker, by stage; workflows see only the type. */
import { createAggregateActivities } from './merge.ts';
import { createContributionActivities } from './build.ts';
import { createDatasetActivities } from './commit.ts';
import { createDoneQueueActivities } from './drain.ts';
import { translatingFailures } from './failure-edge.ts';
import { createFilterActivities } from './filter.ts';
import { createInputBucketActivities } from './plan.ts';
import { createInvestigationQueueActivities } from './investigation.ts';
import type { ActivityPorts } from './ports.ts';
import { createProjectionActivities } from './projections.ts';
import { createReportActivities } from './report.ts';
import { createRoundActivities } from './rounds.ts';
import { createSnapshotActivities } from './stage.ts';
import { createTaskQueueActivities } from './send.ts';
import { createGarbageActivities } from './garbage-collection.ts';
import { createWebsiteActivities } from './website.ts';

export type Activities = ReturnType<typeof createActivities>;

/** @param secrets values that must appear in no failure */
export function createActivities(ports: ActivityPorts, secrets: readonly string[] = []) {
  const activities = {
    ...createFilterActivities(ports),
    ...createInputBucketActivities(ports),
    ...createTaskQueueActivities(ports),
    ...createDoneQueueActivities(ports),
    ...createAggregateActivities(ports),
    ...createContributionActivities(ports),
    ...createSnapshotActivities(ports),
    ...createDatasetActivities(ports),
    ...createProjectionActivities(ports),
    ...createReportActivities(ports),
    ...createInvestigationQueueActivities(ports),
    ...createRoundActivities(ports),
    ...createWebsiteActivities(ports),
    ...createGarbageActivities(ports),
  };
  return translatingFailures(activities, secrets);
}

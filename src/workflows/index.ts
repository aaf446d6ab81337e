/** The workflow bundle: the exported names are the workflow types. */
export { continuousAggregation } from './continuous-aggregation.ts';
export { dailyAnalysis } from './daily-analysis.ts';
export { investigation } from './investigation.ts';
export { garbageCollection } from './garbage-collection.ts';
export { websiteUpdate } from './website-update.ts';

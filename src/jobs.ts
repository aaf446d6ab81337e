/**
 * The jobs of the application, in one table: what Temporal runs, when, how long it may take, and how to start it again.
 * Workflows, schedules, the watchdog, alerts and commands read it. How to add a job: CONTRIBUTING.md.
 */

interface Schedule {
  /** Daily, UTC: `minute hour * * *`. */
  readonly cron: string;
  /** What happens while the previous run is still at work. */
  readonly overlap: 'BUFFER_ALL' | 'SKIP';
  /** How late a missed run is still started. */
  readonly catchupWindow: string;
  readonly summary: string;
}

export interface Job {
  /** Name in alerts, `status` and schedules; also the id of its schedule. */
  readonly name: string;
  /** What every run is about, unless that is the day or the name of each run: a later run about the same settles a failure. */
  readonly about: string | null;
  /** @param subject day or name of a run by hand; a schedule appends the scheduled instant to its own name instead */
  readonly workflowId: (subject: string) => string;
  readonly schedule: Schedule | null;
  /** What each of its runs does, and how to follow one: Markdown, shown by the Web UI beside the run. */
  readonly details: string;
  /** A run that takes longer needs attention; null where it never ends by itself. */
  readonly longestHours: number | null;
  /** The command that runs the job now. */
  readonly byHand: (about: string) => string;
  /** How it is started again after a failure, in the middle of a sentence. */
  readonly again: (about: string) => string;
  /** What to know before starting it again; empty, or a sentence. */
  readonly note: string;
}

export type WorkflowType = keyof typeof JOBS;

/** By workflow type, which is the exported name of the workflow. */
export const JOBS = {
  dailyAnalysis: {
    name: 'daily-analysis',
    about: null,
    workflowId: (day) => `daily-analysis-${day}`,
    schedule: {
      // Half a day after the day's end, when the converter has stored all of its submissions.
      cron: '31 13 * * *',
      // Every missed day is run, one after the other.
      overlap: 'BUFFER_ALL',
      catchupWindow: '4 days',
      summary: 'Daily analysis of the day before',
    },
    details: [
      'Lists the submissions of the day, sends them to the analysis workers, merges the results and publishes the data set.',
      'How far it is: *Current Details*, or `telemetry follow <day>`. What it counted: `telemetry report <day>`.',
    ].join('\n\n'),
    // A run waits 20 h for its tasks, then merges and publishes.
    longestHours: 24,
    byHand: (day) => `telemetry run-day --day ${day}`,
    again: (day) => `run the day again: "telemetry run-day --day ${day}"`,
    note: 'It reuses what is already stored.',
  },
  investigation: {
    name: 'investigation',
    about: null,
    workflowId: (name) => `investigation-${name}`,
    schedule: null,
    details: [
      'Analyses chosen submissions into a result of its own, beside the data set, which stays as it is.',
      'How far it is: *Current Details*, or `telemetry follow <name>`. Its files: `telemetry investigation <name>`.',
    ].join('\n\n'),
    longestHours: 24,
    byHand: (name) => `telemetry investigate ${name}`,
    again: () => 'start the investigation again if it is still wanted',
    note: '',
  },
  continuousAggregation: {
    name: 'continuous-aggregation',
    about: 'foreign-results',
    workflowId: () => 'continuous-aggregation',
    schedule: null,
    details: [
      'Takes in results that other launchers asked for, and publishes them in rounds, until it is told to stop.',
      'Publish what waits: `telemetry aggregate --publish-now`. End it: `telemetry aggregate --stop`.',
    ].join('\n\n'),
    longestHours: null,
    byHand: () => 'telemetry aggregate --detach',
    again: () => 'start it again: "telemetry aggregate --detach"',
    note: 'Waiting results are kept.',
  },
  websiteUpdate: {
    name: 'website-update',
    about: 'website',
    workflowId: (day) => `website-update-${day}`,
    schedule: {
      cron: '22 12 * * *',
      // Only the newest website matters: no run waits for another one, and a missed run soon loses its value.
      overlap: 'SKIP',
      catchupWindow: '1 hour',
      summary: 'Daily update of the website',
    },
    details: [
      'Publishes the newest files of the configured website, or of the page that comes with the application.',
      'By hand: `telemetry website publish`.',
    ].join('\n\n'),
    longestHours: 2,
    byHand: () => 'telemetry website publish',
    again: () => 'run it again: "telemetry website publish"',
    note: '',
  },
  garbageCollection: {
    name: 'garbage-collection',
    about: 'data-set',
    workflowId: (instant) => `garbage-collection-${instant}`,
    schedule: {
      // Long after the day's publish, when hardly anything else runs.
      cron: '47 4 * * *',
      overlap: 'SKIP',
      catchupWindow: '1 hour',
      summary: 'Daily garbage collection',
    },
    details: [
      'Removes folders that no recent commit of the data set references, and parts of merged chunks.',
      'What it would remove: `telemetry collect-garbage`. What it removed: *Current Details*.',
    ].join('\n\n'),
    longestHours: 12,
    byHand: () => 'telemetry collect-garbage --delete',
    again: () => 'see what it would remove: "telemetry collect-garbage"',
    note: '',
  },
} as const satisfies Record<string, Job>;

/** In the order of the table. */
export const WORKFLOW_TYPES = Object.keys(JOBS) as WorkflowType[];

/** @param name as alerts and stored failures have it */
export function jobNamed(name: string): Job | undefined {
  return Object.values(JOBS).find((job) => job.name === name);
}

/**
 * How a job is started again, in the middle of a sentence; in general words for a job that this release does not know.
 */
export function againOf(name: string, about: string): string {
  return jobNamed(name)?.again(about) ?? `start ${name} ${about} again`;
}

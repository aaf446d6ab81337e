/** When the published data set needs attention: stale, incomplete, damaged, gone. */
import { JOBS } from '../../jobs.ts';
import { MS_PER_DAY } from '../../pipeline/calendar-day.ts';
import type { DataSetFacts, Facts, ProjectionFacts } from './facts.ts';
import type { Finding } from '../../findings.ts';
import { ageText, isOlder, type WatchLimits } from './limits.ts';
import { lastDue } from './schedule-rules.ts';

/** The files are written within minutes after a commit. */
const PROJECTION_GRACE_HOURS = 10 / 60;

export function dataSetFindings({ dataSet, schedules, runs, at }: Facts, limits: WatchLimits): Finding[] {
  if ('unknown' in dataSet) return [];
  const facts = dataSet.known;
  return [...staleness(facts, { schedules, runs, at }, limits), ...incompleteFolders(facts)];
}

/** From the due time of a daily run until it has published, usually: it may wait 8 h for lost tasks and send them again. */
const PUBLISH_HOURS = 12;

function staleness(
  { at: publishedAt, seq }: DataSetFacts,
  facts: Pick<Facts, 'schedules' | 'runs' | 'at'>,
  limits: WatchLimits,
): Finding[] {
  const limit =
    limits.maxAgeHours === null ? overdue(publishedAt, facts) : tooOld(publishedAt, facts.at, limits.maxAgeHours);
  if (limit === null) return [];
  const age = ageText(publishedAt, facts.at);
  return [
    {
      severity: 'error',
      where: 'stale data',
      what:
        seq === 0
          ? `nothing was published since the set-up ${age} ago`
          : `the last commit (${seq}) is ${age} old, ${limit}`,
      action: 'See the last runs in "telemetry status"; run a missing day with "telemetry run-day --day <YYYYMMDD>".',
    },
  ];
}

function tooOld(publishedAt: string, now: string, maxAgeHours: number): string | null {
  return isOlder(publishedAt, now, maxAgeHours) ? `more than ${maxAgeHours} h` : null;
}

/** A run at work is judged by itself, however late it publishes. */
function overdue(
  publishedAt: string,
  { schedules, runs, at }: Pick<Facts, 'schedules' | 'runs' | 'at'>,
): string | null {
  const schedule = 'known' in schedules ? schedules.known.find(({ id }) => id === JOBS.dailyAnalysis.name) : undefined;
  const cron = schedule?.cron ?? JOBS.dailyAnalysis.schedule.cron;
  const isAtWork =
    'known' in runs && runs.known.runs.some(({ job, running }) => job === JOBS.dailyAnalysis.name && running !== null);
  const due = lastDue(cron, new Date(Date.parse(publishedAt) + MS_PER_DAY));
  if (isAtWork || due === null || !isOlder(due, at, PUBLISH_HOURS)) return null;
  return `and the run due at ${due} has not published for ${ageText(due, at)}`;
}

function incompleteFolders({ channelVersions }: DataSetFacts): Finding[] {
  return channelVersions
    .filter(({ hasManifest }) => !hasManifest)
    .map(({ channelVersion, folder }) => ({
      severity: 'error',
      where: `folder ${folder}`,
      what: `versions.json shows it for ${channelVersion}, but its _manifest.json is gone`,
      action:
        'Restore the folder from the bucket’s versions; or run the newest day of the channel/version again, which renders a new folder.',
    }));
}

/**
 * Whether the files are to be written again. A recent commit is given time to write them itself, and before the
 * first one there are none.
 */
export function wantsRepair({ dataSet, projections, at }: Facts): boolean {
  if ('unknown' in dataSet || 'unknown' in projections) return false;
  const { differing, behind } = projections.known;
  if (differing.length === 0 || dataSet.known.seq === 0) return false;
  return !behind || isOlder(dataSet.known.at, at, PROJECTION_GRACE_HOURS);
}

export type Repair =
  | { readonly kind: 'not tried' }
  | { readonly kind: 'repaired'; readonly seq: number }
  | { readonly kind: 'failed'; readonly message: string };

/** Call it where `wantsRepair` says so. */
export function projectionFinding({ differing, behind }: ProjectionFacts, repair: Repair): Finding {
  const names = differing.join(', ');
  const where = `projections ${names}`;
  const what = behind ? 'they show an earlier commit' : 'they do not say what the ledger says';
  if (repair.kind === 'repaired') {
    return {
      severity: 'warning',
      where,
      what: `${what}; repaired from the ledger of commit ${repair.seq}`,
      action: 'Nothing more to do; if it happens again, find out who else writes into the published bucket.',
    };
  }
  if (repair.kind === 'failed') {
    return {
      severity: 'error',
      where,
      what: `${what}, and could not be repaired: ${repair.message}`,
      action: 'Fix what the message says, then run "telemetry check" again.',
    };
  }
  return { severity: 'error', where, what, action: 'Run "telemetry check", which repairs them.' };
}

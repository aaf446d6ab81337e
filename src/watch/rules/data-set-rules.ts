/** When the published data set needs attention: stale, incomplete, damaged, gone. */
import type { DataSetFacts, Facts, ProjectionFacts } from './facts.ts';
import type { Finding } from '../../findings.ts';
import { ageText, isOlder, type WatchLimits } from './limits.ts';

/** The files are written within minutes after a commit. */
const PROJECTION_GRACE_HOURS = 10 / 60;

export function dataSetFindings({ dataSet, at }: Facts, limits: WatchLimits): Finding[] {
  if ('unknown' in dataSet) return [];
  const facts = dataSet.known;
  return [...staleness(facts, at, limits), ...incompleteFolders(facts)];
}

function staleness({ at: publishedAt, seq }: DataSetFacts, now: string, { maxAgeHours }: WatchLimits): Finding[] {
  if (!isOlder(publishedAt, now, maxAgeHours)) return [];
  const age = ageText(publishedAt, now);
  return [
    {
      severity: 'error',
      where: 'stale data',
      what:
        seq === 0
          ? `nothing was published since the set-up ${age} ago`
          : `the last commit (${seq}) is ${age} old, more than ${maxAgeHours} h`,
      action: 'See the last runs in "telemetry status"; run a missing day with "telemetry run-day --day <YYYYMMDD>".',
    },
  ];
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

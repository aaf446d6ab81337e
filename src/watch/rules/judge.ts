/** All rules of the watchdog together, and the sentence that sums them up. */
import { changesFindings } from './changes-rules.ts';
import { dataSetFindings, projectionFinding, type Repair, wantsRepair } from './data-set-rules.ts';
import type { Acknowledgement } from '../../state/acknowledgements.ts';
import { analysisFindings } from './analysis-rules.ts';
import type { Facts } from './facts.ts';
import { countsText, type Finding } from '../../findings.ts';
import { ageText, type WatchLimits } from './limits.ts';
import { runFindings } from './run-rules.ts';
import { scheduleFindings } from './schedule-rules.ts';
import { storageFindings } from './storage-rules.ts';
import { unknownFindings } from './unknown-rules.ts';

/** @param repair what came of writing the projections again, where `wantsRepair` asked for it */
export function judge(facts: Facts, limits: WatchLimits, repair: Repair): Finding[] {
  const { projections } = facts;
  const given = 'known' in facts.leftovers ? facts.leftovers.known.acknowledged : [];
  const findings = [
    ...unknownFindings(facts),
    ...dataSetFindings(facts, limits),
    ...(wantsRepair(facts) && 'known' in projections ? [projectionFinding(projections.known, repair)] : []),
    ...changesFindings(facts),
    ...runFindings(facts, limits),
    ...scheduleFindings(facts),
    ...analysisFindings(facts),
    ...storageFindings(facts),
  ];
  return findings.map((finding) => acknowledgedOr(finding, given));
}

/** What a person has acknowledged is a note, unless it began again since. */
function acknowledgedOr(finding: Finding, given: readonly Acknowledgement[]): Finding {
  const one = given.find(({ id, at }) => id === finding.id && (finding.since ?? '') <= at);
  if (one === undefined) return finding;
  const { by, at, reason, id } = one;
  return {
    ...finding,
    severity: 'note',
    what: `${finding.what}; acknowledged by ${by} at ${at}: ${reason}`,
    action: `Nothing; "telemetry acknowledge ${id} --withdraw" makes it a problem again.`,
  };
}

/** One line: whether all is well, how fresh the data is, and if not, what is the matter. */
export function verdictLine(facts: Facts, findings: readonly Finding[]): string {
  const data = dataText(facts);
  if (findings.length === 0) return `All is well: ${data}.`;
  const first = findings.slice(0, 3).map(({ where }) => where);
  const rest = findings.length > 3 ? ` and ${findings.length - 3} more` : '';
  return `${countsText(findings)}: ${first.join('; ')}${rest}. ${data[0]?.toUpperCase() ?? ''}${data.slice(1)}.`;
}

function dataText({ dataSet, at }: Facts): string {
  if ('unknown' in dataSet) return 'what is published is not known';
  const { seq, at: publishedAt, channelVersions } = dataSet.known;
  if (seq === 0) return `nothing is published yet, the set-up was ${ageText(publishedAt, at)} ago`;
  return `commit ${seq} of ${publishedAt}, ${ageText(publishedAt, at)} old, shows ${channelVersions.length} channel/versions`;
}

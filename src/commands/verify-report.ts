/** What `verify` found, for people: the verdict, then the findings by rule, each with what to do. */
import { counted, plainLine } from '../pipeline/plain-text.ts';
import { RULES, type VerifyFinding } from '../verify/rules/finding.ts';
import type { VerifyCounts, VerifyReport } from '../verify/verification.ts';

/** Of one rule, kind and action. */
const SHOWN = 5;

export function verifyText(report: VerifyReport): string {
  const { findings, errors, notes } = report;
  const left = errors + notes - findings.length;
  return [
    verdictLine(report),
    ...Map.groupBy(findings, ({ severity, invariant }) => `${severity} ${invariant}`)
      .values()
      .map(ruleText),
    ...(left > 0 ? [`and ${left} more of the same kinds`] : []),
  ].join('\n\n');
}

function verdictLine({ commit, errors, notes, counts, quick, versions }: VerifyReport): string {
  const problems = counted(errors, 'problem');
  if (commit === null) return `The data set cannot be read: ${problems}. ${versions}`;
  const isFull = quick ? 'names and sizes only, ' : '';
  const facts = `commit ${commit.seq} of ${commit.at}, ${contentText(counts)}; ${isFull}${counted(counts.objects, 'object')}, ${bytesText(counts.bytes)} read`;
  const also = notes === 0 ? '' : ` ${counted(notes, 'note')}.`;
  return errors === 0
    ? `The data set is whole: ${facts}.${also}`
    : `The data set is NOT whole: ${problems}.${also} Looked at ${facts}.`;
}

function contentText({
  days,
  rounds,
  folders,
  adopted,
  rendered,
  superseded,
  earlierCommits,
  collectedRuns,
}: VerifyCounts): string {
  const ofFolders = [
    ...(rendered > 0 ? [`${rendered} rendered again`] : []),
    ...(adopted > 0 ? [`${adopted} of the original`] : []),
  ];
  return [
    counted(days, 'day'),
    ...(rounds > 0 ? [counted(rounds, 'round')] : []),
    `${counted(folders, 'folder')}${ofFolders.length > 0 ? ` (${ofFolders.join(', ')})` : ''}`,
    ...(earlierCommits > 0
      ? [`${counted(earlierCommits, 'earlier commit')} with ${counted(superseded, 'folder')}`]
      : []),
    ...(collectedRuns > 0 ? [`${counted(collectedRuns, 'run')} whose chunks are collected`] : []),
  ].join(', ');
}

function ruleText(findings: readonly VerifyFinding[]): string {
  const [first] = findings;
  if (first === undefined) return '';
  const { severity, invariant } = first;
  const head =
    severity === 'error'
      ? `PROBLEM: ${invariant} does not hold (${RULES[invariant]})`
      : `NOTE on ${invariant} (${RULES[invariant]})`;
  const groups = Map.groupBy(findings, ({ kind, action }) => `${kind} ${action}`);
  return [head, ...groups.values().flatMap(groupLines)].join('\n');
}

function groupLines(findings: readonly VerifyFinding[]): string[] {
  const lines = findings
    .slice(0, SHOWN)
    .flatMap(({ what, where }) => [`  ${plainLine(what, 400)}`, `    ${plainLine(where, 1200)}`]);
  const more = findings.length > SHOWN ? [`  and ${findings.length - SHOWN} more (all: --json)`] : [];
  return [...lines, ...more, `    → ${plainLine(findings[0]?.action ?? '', 400)}`];
}

/** `1.2 GB` */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit] ?? ''}`;
}

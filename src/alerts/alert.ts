/** What a run reports to people who are not watching it: the counterpart of cronic's mail (docs/operating.md 17). */
import { type Failure, verdictOf } from '../failures.ts';
import { againOf, JOBS } from '../jobs.ts';
import { plainLine, plainText, textTail } from '../pipeline/plain-text.ts';

/** A run, as its alerts name it. */
export interface AlertedRun {
  /** `daily-analysis`, `website-update`, … */
  readonly job: string;
  /** What it is about: the day, or the job's own name. A later successful run about the same is the recovery. */
  readonly about: string;
  /** Each kind of alert is sent once for an id. */
  readonly alertId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly attempt: number;
  /** ISO, UTC. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** What the run did and counted, in its own words. */
  readonly facts: Readonly<Record<string, string>>;
}

export type Outcome =
  | { readonly kind: 'failed'; readonly step: string; readonly failure: Failure }
  /** The run goes on, and people should know now. */
  | { readonly kind: 'underway'; readonly warnings: readonly string[] }
  | { readonly kind: 'ended'; readonly warnings: readonly string[] };

type AlertKind = 'failed' | 'recovered' | 'warnings' | 'underway';

/** A message for people, ready to be sent. */
export interface Alert {
  readonly kind: AlertKind;
  /** One line, without control characters. */
  readonly subject: string;
  readonly text: string;
}

export interface AlertContext {
  /** Address of the run in the Web UI; null when no Web UI is configured. */
  readonly link: string | null;
  /** Log lines of the run that this worker still has, oldest first. */
  readonly log: readonly string[];
  /** Values that must not leave the deployment. */
  readonly secrets: readonly string[];
  /** When an open failure of the same job about the same was reported; null without one. */
  readonly failedSince: string | null;
}

const MAX_LOG_LINES = 200;
const MAX_LOG_BYTES = 64 << 10;

/** The message for an outcome; undefined for a run that ended well without news. */
export function alertFor(run: AlertedRun, outcome: Outcome, context: AlertContext): Alert | undefined {
  const kind = kindOf(outcome, context);
  if (kind === undefined) return undefined;
  const sections = [
    ...outcomeSections(run, outcome, context),
    listSection('COUNTS', factLines(run, outcome)),
    moreSection(run, context),
    // Last, since it is long.
    ...(kind === 'failed' ? [listSection('LOG', lastLines(context.log))] : []),
  ];
  return {
    kind,
    subject: plainLine(`[${run.job}] ${HEADLINES[kind]} ${run.about}`),
    text: plainText(sections.filter((text) => text !== '').join('\n'), context.secrets),
  };
}

const HEADLINES = {
  failed: 'failed for',
  recovered: 'recovered for',
  warnings: 'ended with warnings for',
  underway: 'warns while it runs for',
} as const;

function outcomeSections(run: AlertedRun, outcome: Outcome, context: AlertContext): string[] {
  const { job, about } = run;
  if (outcome.kind === 'failed') return failedSections(run, outcome);
  if (outcome.kind === 'underway')
    return [
      `${job} for ${about} goes on, and needs attention now.\n`,
      'WHAT TO DO: Follow each warning now, while the run goes on: it names the command that shows more.\n',
      listSection('WARNINGS', outcome.warnings),
    ];
  return endedSections(run, outcome, context);
}

function kindOf(outcome: Outcome, { failedSince }: AlertContext): AlertKind | undefined {
  if (outcome.kind !== 'ended') return outcome.kind;
  if (failedSince !== null) return 'recovered';
  return outcome.warnings.length > 0 ? 'warnings' : undefined;
}

function failedSections(run: AlertedRun, { step, failure }: Extract<Outcome, { kind: 'failed' }>): string[] {
  const { job, about } = run;
  const verdict = verdictOf(failure, job, againOf(job, about));
  return [
    `${job} failed for ${about} at the step "${step}"${failure.activity === null ? '' : ` (${failure.activity})`}.\n`,
    `WHAT TO DO: ${verdict.action}`,
    `OWNER: ${verdict.owner}\n`,
    listSection('ERROR OUTPUT', [failure.message]),
    `RESULT CODE: ${failure.type ?? failure.timeout ?? 'Error'} (${verdict.class})\n`,
  ];
}

function endedSections(
  { job, about }: AlertedRun,
  { warnings }: Extract<Outcome, { kind: 'ended' }>,
  { failedSince }: AlertContext,
): string[] {
  const isWell = warnings.length === 0;
  const rest = isWell ? 'nothing is left to do' : 'it ended well, with warnings';
  return [
    failedSince === null
      ? `${job} for ${about} ended well, and something needs attention.\n`
      : `${job} for ${about} is well again: ${rest}.\nFAILED SINCE: ${instantText(failedSince)} UTC\n`,
    isWell ? '' : `WHAT TO DO: ${warningAction(job, about)}\n`,
    listSection('WARNINGS', warnings),
  ];
}

function warningAction(job: string, about: string): string {
  const look = 'Follow each warning: it names the command that shows more.';
  if (job !== JOBS.dailyAnalysis.name) return look;
  return `${look} What could be read is published; once what was missing is there again, ${againOf(job, about)}.`;
}

/** What a run has counted. Warnings have a section of their own, unless it failed after them. */
function factLines({ facts }: AlertedRun, { kind }: Outcome): string[] {
  return Object.entries(facts)
    .filter(([name]) => kind === 'failed' || name !== 'warnings')
    .map(([name, fact]) => `${name}: ${fact.replaceAll('`', '').replaceAll('\n', '; ')}`);
}

/** Empty where there is nothing to list. Several lines are kept apart by an empty one where they are sentences. */
function listSection(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${title}:\n${lines.join(title === 'WARNINGS' ? '\n\n' : '\n')}\n`;
}

/** `2013-10-30 13:31:05` */
function instantText(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

function lastLines(log: readonly string[]): string[] {
  const tail = textTail(log.slice(-MAX_LOG_LINES).join('\n'), MAX_LOG_BYTES);
  return tail === '' ? ['(this worker has no log lines of the run)'] : [tail];
}

function moreSection(run: AlertedRun, { link }: AlertContext): string {
  const { workflowType, workflowId, runId, attempt, startedAt, endedAt } = run;
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  return listSection('MORE', [
    ...(link === null ? [] : [link]),
    `${workflowType} ${workflowId}${again}, ${instantText(startedAt)} to ${instantText(endedAt)} UTC`,
    `temporal workflow show --workflow-id ${workflowId} --run-id ${runId}`,
  ]);
}

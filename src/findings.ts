/**
 * What is wrong with a deployment or a data set, whether `setup`, the watchdog, `verify` or a failed run found it. One
 * shape, one line for people, one rule for exit codes.
 */
import { type Failure, verdictOf } from './failures.ts';
import { againOf } from './jobs.ts';
import { plainLine } from './pipeline/plain-text.ts';

export interface Finding {
  /**
   * - `error`: somebody must do something
   * - `warning`: done already, or worth a look
   * - `unchecked`: unknown, because it could not be checked
   * - `note`: worth knowing, and not a fault
   */
  readonly severity: 'error' | 'warning' | 'unchecked' | 'note';
  /** The thing: its name for people, or its address `s3://…`. */
  readonly where: string;
  /** What is wrong with it, as a sentence without a full stop. */
  readonly what: string;
  /** What to do, as an instruction. */
  readonly action: string;
  /** By which a person can acknowledge it: `daily-analysis/20131029`. Without one it passes when its cause does. */
  readonly id?: string;
  /** How many things it is about; 1 when it does not say. */
  readonly things?: number;
  /** When it began, ISO; an acknowledgement covers what began before it. Null: there is no such instant. */
  readonly since?: string | null;
}

/** The id of what is wrong with a job about something. */
export function findingId(job: string, about: string): string {
  return `${job}/${about}`;
}

/** What a failure of a job means to people: in a mail, in `status` and in `check`. */
export function failureFinding(job: string, about: string, failure: Failure): Finding {
  const { type, message } = failure;
  return {
    severity: 'error',
    where: `${job} ${about}`,
    what: type === null ? message : `${type}: ${message}`,
    action: verdictOf(failure, job, againOf(job, about)).action,
    id: findingId(job, about),
  };
}

/** Severities in words. */
const LABELS = { error: 'problem', warning: 'warning', unchecked: 'unchecked', note: 'note' } as const;

/** One line for a finding, without control characters, since it quotes texts of others. */
export function findingLine({ severity, where, what, action }: Finding): string {
  return `${LABELS[severity]}: ${plainLine(`${where}: ${what}`, 600)} → ${plainLine(action, 400)}`;
}

/**
 * 0: nothing to do; 1: something is wrong; 2: something could not be checked, which hides whether it is wrong.
 * @param strict notes count as well
 */
export function exitCodeOfFindings(findings: readonly Pick<Finding, 'severity'>[], strict = false): 0 | 1 | 2 {
  if (findings.some(({ severity }) => severity === 'unchecked')) return 2;
  return findings.some(({ severity }) => severity !== 'note' || strict) ? 1 : 0;
}

const COUNTED: Readonly<Record<Finding['severity'], (count: number) => string>> = {
  error: (count) => `${count} ${count === 1 ? 'problem' : 'problems'}`,
  warning: (count) => `${count} ${count === 1 ? 'warning' : 'warnings'}`,
  unchecked: (count) => `${count} could not be checked`,
  note: (count) => `${count} ${count === 1 ? 'note' : 'notes'}`,
};

/** `2 problems, 1 note`; empty when there are none. */
export function countsText(findings: readonly Pick<Finding, 'severity' | 'things'>[]): string {
  return (['error', 'warning', 'unchecked', 'note'] as const)
    .map((severity) => {
      const things = findings.filter((finding) => finding.severity === severity).map((finding) => finding.things ?? 1);
      return [severity, things.reduce((sum, count) => sum + count, 0)] as const;
    })
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => COUNTED[severity](count))
    .join(', ');
}

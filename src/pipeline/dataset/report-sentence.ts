/** What a day's run came to, in one sentence for people. */
import { counted } from '../plain-text.ts';
import { StoredJson } from '../stored-json.ts';

/** What the sentence needs of a `report.json`. */
export interface ReportOutline {
  readonly day: string;
  readonly planned: number;
  readonly missing: number;
  readonly failed: number;
  readonly files: { readonly processed: number; readonly missing: number; readonly partial: number };
  readonly records: number;
  readonly decision: string;
  readonly seq: number;
}

/** @throws InvalidDataError `bad_run_report` */
export function parseReportOutline(text: string): ReportOutline {
  const root = StoredJson.document(text, 'bad_run_report', 'report.json');
  const counts = root.member('counts');
  const files = counts.member('files');
  const publication = root.member('publication');
  return {
    day: root.member('day').text(),
    planned: counts.member('planned').count(),
    missing: counts.member('missing').count(),
    failed: counts.member('failed').count(),
    files: {
      processed: files.member('processed').count(),
      missing: files.member('missing').count(),
      partial: files.member('partial').count(),
    },
    records: counts.member('records').count(),
    decision: publication.member('decision').text(),
    seq: publication.member('seq').count(),
  };
}

export function reportSentence({
  day,
  planned,
  missing,
  failed,
  files,
  records,
  decision,
  seq,
}: ReportOutline): string {
  if (decision === 'nothing')
    return `${day} has no input: no file of the input bucket passes the filter, so nothing was published`;
  const open = missing + failed;
  const tasks = open === 0 ? '' : `, ${open} of ${counted(planned, 'task')} without a result`;
  const part = files.partial === 0 ? '' : ` (${files.partial} in part)`;
  const read =
    files.processed === 0
      ? `none of its ${counted(files.missing, 'input file')} could be read`
      : `${counted(files.processed, 'input file')} read${part}, ${files.missing} missing`;
  return `${day}: ${read}${tasks}; ${counted(records, 'submission')} counted, ${DECISIONS[decision] ?? decision} ${seq}`;
}

const DECISIONS: Readonly<Record<string, string>> = {
  published: 'published in commit',
  unchanged: 'and nothing new since commit',
  superseded: 'but a later run of the day is in commit',
  overlapping: 'but not published, since its files count already in commit',
};

/**
 * Why the data set has nothing of a day.
 * @param run the latest one of the day, and its report; null when none has listed the input
 */
export function absenceSentence(
  day: string,
  run: { readonly runId: string; readonly report: ReportOutline | null } | null,
): string {
  if (run === null)
    return `${day} is not in the data set: no run has analysed it; "telemetry run-day --day ${day}" does`;
  if (run.report === null)
    return `${day} is not in the data set: its run ${run.runId} has not published; "telemetry follow ${day}" shows what it does, or why it failed`;
  if (run.report.decision === 'nothing') return reportSentence(run.report);
  return `${day} is not in the data set any more, although its run ${run.runId} was reported; "telemetry verify" says what is wrong, "telemetry run-day --day ${day}" analyses it again`;
}

/**
 * What a person should look at although a run ended well. Each warning says in plain words what happened to what, and
 * names the command that shows more; a test reads all of them.
 */
import { counted } from '../plain-text.ts';
import { reasonsInWords } from '../reason-words.ts';
import { isRound } from './entry-name.ts';
import { reasons, type RunCounts, skippedSubmissions } from './run-report.ts';

/** Of the submissions; below it, bad ones are left out every day. */
const MANY_SKIPPED = 0.05;
const MAX_NAMED = 10;

export interface WarnedRun {
  /** Day or name of a round. */
  readonly day: string;
  readonly runId: string;
}

/** Of a round only the number is kept. */
function partNames(run: WarnedRun, count: number): string {
  if (isRound(run.day)) return inReport(run);
  return `"telemetry files ${run.day} --partial" names ${count === 1 ? 'it' : 'them'}`;
}

/** The counts of a run that are unlike those of a good one; empty when all is well. */
export function countWarnings(run: WarnedRun, counts: RunCounts, definitionsPending: number): string[] {
  const { failed, missing, files } = counts;
  const { day } = run;
  const listed = `"telemetry files ${day} --missing" names`;
  const again = isRound(day) ? '' : `, and "telemetry run-day --day ${day}" analyses the day again`;
  const lost = missing === 1 ? 'its files count as missing' : 'their files count as missing';
  return [
    ...(failed > 0
      ? [
          `${counted(failed, 'analysis task')} of ${day} gave no result (${reasonsInWords(counts.failedTasks) || 'reason not known'}); ${listed} the files`,
        ]
      : []),
    ...(missing > 0
      ? [`no result came for ${counted(missing, 'analysis task')} of ${day}: ${lost}; ${listed} them${again}`]
      : []),
    ...(files.missing > 0
      ? [
          `${counted(files.missing, 'input file')} of ${day} could not be read${bracketed(counts.missingReasons)}; ${listed} ${files.missing === 1 ? 'it' : 'them'}`,
        ]
      : []),
    ...(files.partial > 0
      ? [
          `${counted(files.partial, 'input file')} of ${day} could be read in part only: what was readable is counted; ${partNames(run, files.partial)}`,
        ]
      : []),
    ...skippedWarning(run, counts),
    ...inventedWarning(run, counts),
    ...badHistogramWarning(run, counts),
    ...(Object.keys(counts.dropped).length > 0
      ? [
          `parts of results of ${day} were left out while merging${bracketed(counts.dropped)}: all else is counted; ${inReport(run)}`,
        ]
      : []),
    ...(definitionsPending > 0
      ? [
          `${counted(definitionsPending, 'measure')} ${definitionsPending === 1 ? 'has' : 'have'} no histogram definition yet: the pages show them with buckets derived from the data; "telemetry status" says where, "telemetry setup" whether the source of definitions answers`,
        ]
      : []),
  ];
}

function skippedWarning(run: WarnedRun, { records, skipped }: RunCounts): string[] {
  const left = skippedSubmissions(skipped);
  const all = records + left;
  if (left <= MANY_SKIPPED * Math.max(1, all)) return [];
  return [
    `${left} of ${counted(all, 'submission')} of ${run.day} were left out${bracketed(skipped)}; ${inReport(run)}`,
  ];
}

/** Browsers have an eighth of what a result may hold. */
function inventedWarning(run: WarnedRun, { skipped }: RunCounts): string[] {
  const left = skipped['measures_over_limit'] ?? 0;
  if (left === 0) return [];
  return [
    `${counted(left, 'measure')} of results of ${run.day} ${left === 1 ? 'was' : 'were'} left out, those that the fewest files and submissions have: there are more names than browsers define, so somebody invents them; ${inReport(run)}`,
  ];
}

function badHistogramWarning(run: WarnedRun, { records, skipped, badHistograms = {} }: RunCounts): string[] {
  const bad = skipped['bad_histogram'] ?? 0;
  if (bad <= MANY_SKIPPED * records) return [];
  const named = reasons(badHistograms);
  const most = named === '' ? '' : `, most of ${named}`;
  return [
    `${counted(bad, 'histogram')} of ${run.day} ${bad === 1 ? 'was' : 'were'} left out because the numbers are wrong${most}; ${inReport(run)}`,
  ];
}

/** The report of a run that is not in the data set is found by its id only. */
function inReport(run: WarnedRun): string {
  return `${reportCommand(run)} has all counts`;
}

function reportCommand({ day, runId }: WarnedRun): string {
  return `"telemetry report ${day} --run ${runId}"`;
}

function bracketed(counts: Readonly<Record<string, number>> = {}): string {
  const words = reasonsInWords(counts);
  return words === '' ? '' : ` (${words})`;
}

/** A channel/version whose stored data cannot be rendered. */
export function damageWarning(channelVersion: string, damage: string): string {
  return `${channelVersion} stays as it was, because its stored data is damaged: ${damage}; "telemetry verify" says what to restore`;
}

/** How much there is of what is named. */
export interface CountOf {
  readonly name: string;
  readonly count: number;
}

function firstOf(counts: readonly CountOf[]): string {
  return counts
    .slice(0, MAX_NAMED)
    .map(({ name, count }) => `${name}: ${count}`)
    .join(', ');
}

/** @param leftOut measures, by channel/version */
export function undefinedMeasuresWarning(run: WarnedRun, leftOut: readonly CountOf[]): string {
  return `measures without a histogram definition are not shown, because there are more of them than can be real (${firstOf(leftOut)}); ${inReport(run)}`;
}

/** @param leftOut rows, by channel/version */
export function unfitRowsWarning(run: WarnedRun, leftOut: readonly CountOf[]): string {
  return `rows of results are not shown, because they have a single bucket, or a name, date or filter that no folder can have (${firstOf(leftOut)}); ${inReport(run)}`;
}

/**
 * A bad submission and a change of the definition look alike here, so people are told which measures it is.
 * @param measures `GC_MS of nightly/28`, and how many submissions are not shown
 */
export function hiddenWarning(run: WarnedRun, measures: readonly CountOf[]): string {
  const worst = measures.toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return `submissions of the newest day are not shown, because their histograms have another number of buckets than those of most new builds (${firstOf(worst)}); ${inReport(run)}`;
}

/** A definition file that is there and cannot be used. */
export function definitionWarning(fault: string): string {
  return `a file of histogram definitions cannot be used, so its measures are shown with derived buckets: ${fault}; "telemetry setup" tries the source again`;
}

export function moreWarnings(run: WarnedRun, more: number): string {
  return `${counted(more, 'more warning')}: ${reportCommand(run)} shows all of them`;
}

export function noInputWarning(run: WarnedRun): string {
  return `no input for ${run.day}: no file of the input bucket passes the filter; see whether its submissions have arrived and the filter admits them, then "telemetry run-day --day ${run.day}" analyses it`;
}

/** @param refusals a message that comes again is refused again, and has one entry in the quarantine */
export function quarantinedWarning(refusals: number): string {
  const were = refusals === 1 ? 'refusal of a done message: it is' : 'refusals of done messages: they are';
  return `${refusals} ${were} in quarantine, not counted; "telemetry quarantine list" says why`;
}

export const QUARANTINE_FULL_WARNING =
  'bad done messages are still on the done queue, because the quarantine took no more of them this hour; "telemetry quarantine list" shows which kind they are';

/** @param results of other launchers that count input files which the data set counts already */
export function countedTwiceWarning(results: number): string {
  const were = results === 1 ? 'result was refused and is' : 'results were refused and are';
  const files = results === 1 ? 'its' : 'their';
  return `${results} ${were} in quarantine, because the data set counts ${files} input files already; "telemetry quarantine list" shows ${results === 1 ? 'it' : 'them'}`;
}

/** @param cause one sentence without a full stop */
export function changesWarning(cause: string): string {
  return `changes.json is of an earlier commit, because the data could not be compared: ${cause}; the next run tries again, "telemetry changes" shows what was found before`;
}

/** @param kind what the texts are about; each is one sentence of a change */
export function changeWarnings(
  kind: 'silent' | 'changed',
  texts: readonly string[],
  most: { readonly texts: number; readonly cut: (text: string) => string },
): string[] {
  const more = texts.length - most.texts;
  const shown = texts.slice(0, most.texts).map((text) => `${kind}: ${most.cut(text)}; "telemetry changes" shows more`);
  return more > 0 ? [...shown, `${kind}: ${more} more; "telemetry changes" shows them`] : shown;
}

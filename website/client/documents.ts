/**
 * The documents of the published space beside the measure files (docs/formats/published.md). Readers take what they know:
 * a member of another shape counts as absent, so that one damaged entry never hides a good one.
 */
import { isRecord } from './definition.ts';
import { type DatedSums, type Sums, sumsOfRow } from './sums.ts';

export type ByDate = 'build' | 'submission';

/** channel/version → folder. */
export type Folders = ReadonlyMap<string, string>;

export function readVersions(raw: unknown): Folders {
  const folders = new Map<string, string>();
  for (const [name, folder] of entries(raw))
    if (name.includes('/') && typeof folder === 'string' && !folder.includes('/')) folders.set(name, folder);
  return folders;
}

/** When a folder was written, from its name; null for a name without a stamp. */
export function folderTime(folder: string): Date | null {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-/.exec(folder) ?? [];
  if (parts.length === 0) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

export interface MeasureEntry {
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  /** Of all submission dates; null where the folder has no index of measures. */
  readonly submissions: number | null;
  /** Mean of each of the newest submission dates, oldest first; null where there is none. */
  readonly spark: readonly (number | null)[];
  /** Where its summary is; null where there is none. */
  readonly shard: number | null;
}

export interface MeasureIndex {
  readonly measures: readonly MeasureEntry[];
  /** All dates of any measure, ascending; empty where the folder has no index. */
  readonly dates: Readonly<Record<ByDate, readonly string[]>>;
}

/** `_measures.json`; undefined for another format. */
export function readMeasureIndex(raw: unknown): MeasureIndex | undefined {
  if (!isRecord(raw) || raw['format'] !== 1) return undefined;
  const dates = isRecord(raw['dates']) ? raw['dates'] : {};
  const measures = entries(raw['measures']).flatMap(([name, entry]): MeasureEntry[] => {
    if (!isRecord(entry)) return [];
    return [
      {
        name,
        kind: text(entry['kind']),
        description: text(entry['description']),
        submissions: number(entry['submissions']),
        spark: list(entry['spark']).map(number),
        shard: number(entry['shard']),
      },
    ];
  });
  return { measures, dates: { build: dateList(dates['build']), submission: dateList(dates['submission']) } };
}

/** Where `_measures.json` says that the summary of a measure is: one look, where the whole list takes a while. */
export function shardOf(raw: unknown, measure: string): number | undefined {
  if (!isRecord(raw) || raw['format'] !== 1 || !isRecord(raw['measures'])) return undefined;
  const entry = Object.hasOwn(raw['measures'], measure) ? raw['measures'][measure] : undefined;
  return (isRecord(entry) ? number(entry['shard']) : null) ?? undefined;
}

/** The list of measures from `histograms.json`, for folders without an index. */
export function indexOfDefinitions(raw: unknown): MeasureIndex {
  const measures = entries(raw).map(([name, definition]): MeasureEntry => {
    const members = isRecord(definition) ? definition : {};
    const [kind, description] = [text(members['original_kind'] ?? members['kind']), text(members['description'])];
    return { name, kind, description, submissions: null, spark: [], shard: null };
  });
  return { measures, dates: { build: [], submission: [] } };
}

/** A measure of a `_summary-….json`; undefined when it is not in it. */
export function readSummary(raw: unknown, measure: string, by: ByDate): DatedSums | undefined {
  const entry = isRecord(raw) && Object.hasOwn(raw, measure) ? raw[measure] : undefined;
  if (!isRecord(entry)) return undefined;
  const dated = entries(entry[by]).flatMap(([date, row]): [string, Sums][] => {
    // A row alone, or a list with one row.
    const numbers = Array.isArray(row) && Array.isArray(row[0]) ? (row[0] as unknown[]) : list(row);
    const sums = sumsOfRow(numbers.map(number));
    return isDate(date) && sums !== undefined ? [[date, sums]] : [];
  });
  return dated.toSorted(byDate);
}

export function byDate([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Figures of the dates before or after a change. */
export interface ChangeSide {
  readonly dates: readonly string[];
  readonly submissions: number | null;
  readonly count: number | null;
  readonly mean: number | null;
  readonly median: number | null;
  readonly p95: number | null;
}

export interface Change {
  readonly id: string;
  readonly channelVersion: string;
  readonly measure: string;
  readonly by: ByDate;
  readonly date: string;
  readonly filter: readonly string[];
  readonly kind: string;
  readonly direction: string | null;
  readonly before: ChangeSide;
  readonly after: ChangeSide;
  readonly relative: number | null;
  readonly pValue: number | null;
  readonly qValue: number | null;
  /** Of a change of all submissions: the part where most of it is; empty where no part has most. */
  readonly mostIn: readonly string[];
  readonly text: string;
}

export interface Changes {
  readonly at: string | null;
  /** Newest first. */
  readonly changes: readonly Change[];
}

/** `changes.json`. Entries without id are left out; unknown kinds stay as they are. */
export function readChanges(raw: unknown): Changes {
  const root = isRecord(raw) ? raw : {};
  const changes = list(root['changes']).flatMap((entry): Change[] => {
    if (!isRecord(entry) || typeof entry['id'] !== 'string') return [];
    return [
      {
        id: entry['id'],
        channelVersion: text(entry['channelVersion']),
        measure: text(entry['measure']),
        by: entry['by'] === 'submission' ? 'submission' : 'build',
        date: text(entry['date']),
        filter: list(entry['filter']).map(text),
        kind: text(entry['kind']) || 'change',
        direction: typeof entry['direction'] === 'string' ? entry['direction'] : null,
        before: readSide(entry['before']),
        after: readSide(entry['after']),
        relative: number(entry['relative']),
        pValue: number(entry['pValue']),
        qValue: number(entry['qValue']),
        mostIn: list(entry['mostIn']).map(text),
        text: text(entry['text']),
      },
    ];
  });
  return { at: typeof root['at'] === 'string' ? root['at'] : null, changes };
}

function readSide(raw: unknown): ChangeSide {
  const side = isRecord(raw) ? raw : {};
  const [submissions, count, mean] = [number(side['submissions']), number(side['count']), number(side['mean'])];
  return {
    dates: dateList(side['dates']),
    submissions,
    count,
    mean,
    median: number(side['median']),
    p95: number(side['p95']),
  };
}

/** A day or round of `status.json`. */
export interface StatusEntry {
  readonly name: string;
  readonly runId: string;
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
  readonly records: number | null;
  readonly files: { readonly processed: number; readonly missing: number };
  /** Why files are missing, most first; empty in days of earlier releases. */
  readonly missingReasons: readonly (readonly [reason: string, files: number])[];
}

export interface Status {
  readonly seq: number | null;
  readonly commit: string;
  /** When the last commit was made, ISO. */
  readonly at: string | null;
  /** Ascending by name. */
  readonly entries: readonly StatusEntry[];
  readonly channelVersions: Folders;
  readonly definitionsPending: ReadonlyMap<string, number>;
  readonly missing: { readonly tasks: number; readonly files: number };
}

export function readStatus(raw: unknown): Status {
  const root = isRecord(raw) ? raw : {};
  const missing = isRecord(root['missing']) ? root['missing'] : {};
  const count = (value: unknown): number => number(value) ?? 0;
  return {
    seq: number(root['seq']),
    commit: text(root['commit']),
    at: typeof root['at'] === 'string' ? root['at'] : null,
    entries: entries(root['days'])
      .flatMap(([name, entry]): StatusEntry[] => (isRecord(entry) ? [readEntry(name, entry)] : []))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    channelVersions: readVersions(root['channelVersions']),
    definitionsPending: new Map(entries(root['definitionsPending']).map(([name, value]) => [name, count(value)])),
    missing: { tasks: count(missing['tasks']), files: count(missing['files']) },
  };
}

function readEntry(name: string, entry: Readonly<Record<string, unknown>>): StatusEntry {
  const files = isRecord(entry['files']) ? entry['files'] : {};
  const count = (value: unknown): number => number(value) ?? 0;
  return {
    name,
    runId: text(entry['runId']),
    planned: count(entry['planned']),
    done: count(entry['done']),
    failed: count(entry['failed']),
    missing: count(entry['missing']),
    records: number(entry['records']),
    files: { processed: count(files['processed']), missing: count(files['missing']) },
    missingReasons: entries(entry['missingReasons'])
      .map(([reason, value]): [string, number] => [reason, count(value)])
      .toSorted(([, a], [, b]) => b - a),
  };
}

export function isDate(text: string): boolean {
  return /^\d{8}$/.test(text);
}

function entries(raw: unknown): [string, unknown][] {
  return isRecord(raw) ? Object.entries(raw) : [];
}

function list(raw: unknown): unknown[] {
  return Array.isArray(raw) ? raw : [];
}

function dateList(raw: unknown): string[] {
  return list(raw)
    .filter((date): date is string => typeof date === 'string' && isDate(date))
    .toSorted();
}

function text(raw: unknown): string {
  return typeof raw === 'string' ? raw : '';
}

function number(raw: unknown): number | null {
  return typeof raw === 'number' && Number.isFinite(raw) ? raw : null;
}

/** File job: the definitions and summaries of one folder → its changes. One summary is in memory at a time. */
import type { Change } from '../pipeline/changes/change.ts';
import { type FolderChanges, FolderLook } from '../pipeline/changes/folder-changes.ts';
import type { SummaryRows } from '../pipeline/changes/measure-series.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import { publishedText, readDefinitions, rowNumbers } from './published-files.ts';

export interface FindFolderChangesInput {
  readonly channelVersion: string;
  /** Local files: `histograms.json`, that of the folder before, and the summaries. */
  readonly definitions: string;
  readonly definitionsBefore: string | null;
  readonly summaries: readonly string[];
  /** Changes of the folder before. */
  readonly known: readonly Change[];
}

export async function findFolderChanges(input: FindFolderChangesInput): Promise<FolderChanges> {
  const { channelVersion, definitions, definitionsBefore, summaries, known } = input;
  const before = definitionsBefore === null ? undefined : await readDefinitions(definitionsBefore);
  const look = new FolderLook(channelVersion, await readDefinitions(definitions), before);
  // Twice, since the first series is judged by what all of them show, and a folder is too large to be held.
  for (const path of summaries) for (const [measure, rows] of await readSummary(path)) look.learn(measure, rows);
  for (const path of summaries) for (const [measure, rows] of await readSummary(path)) look.add(measure, rows);
  return look.end(known);
}

async function readSummary(path: string): Promise<(readonly [string, SummaryRows])[]> {
  return StoredJson.parse(await publishedText(path), 'bad_summary', path)
    .entries()
    .map(([measure, rows]) => [
      measure,
      { build: readRows(rows.member('build')), submission: readRows(rows.member('submission')) },
    ]);
}

/** Buckets and the six numbers behind them; all rows of a measure have one length. */
function readRows(stored: StoredJson): SummaryRows['build'] {
  const rows = new Map<string, readonly number[]>();
  for (const [date, row] of stored.entries()) {
    if (!/^\d{8}$/.test(date)) row.fail('at a date of eight digits');
    const values = rowNumbers(row);
    const [first = values] = rows.values();
    if (values.length !== first.length || values.length < MIN_LENGTH)
      row.fail(`as long as the others, and of at least ${MIN_LENGTH} numbers`);
    rows.set(date, values);
  }
  return rows;
}

const MIN_LENGTH = 7;

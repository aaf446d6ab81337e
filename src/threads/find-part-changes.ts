/** File job: files of some measures of one folder → the changes of its largest parts. One file is read at a time. */
import type { Change } from '../pipeline/changes/change.ts';
import { type FilteredRows, partsOfIds } from '../pipeline/changes/largest-parts.ts';
import { PartLook } from '../pipeline/changes/part-changes.ts';
import { FilterTree } from '../pipeline/dataset/filter-tree.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import { publishedText, readDefinitions, rowNumbers } from './published-files.ts';

export interface FindPartChangesInput {
  readonly channelVersion: string;
  /** Local files, as all that follow: `histograms.json`. */
  readonly definitions: string;
  readonly filterTree: string;
  /** The first measure decides which parts are the largest. */
  readonly measures: readonly {
    readonly measure: string;
    readonly build: string;
    readonly submission: string;
    /** Whether changes of its parts are told, or only where its own changes are. */
    readonly isWatched: boolean;
  }[];
  /** Changes of all submissions. */
  readonly whole: readonly Change[];
  /** How many of their series were tested, by family. */
  readonly tested: ReadonlyMap<string, number>;
  /** Changes of the folder before. */
  readonly known: readonly Change[];
}

/** @returns the changes of all submissions, with the parts where most of them is, and those of the parts */
export async function findPartChanges(input: FindPartChangesInput): Promise<readonly Change[]> {
  const { channelVersion, definitions, filterTree, measures, whole, tested, known } = input;
  const ids = partsOfIds(FilterTree.parse(await publishedText(filterTree)).paths());
  const look = new PartLook(channelVersion, await readDefinitions(definitions), ids);
  for (const { measure, build, submission, isWatched } of measures)
    look.add(measure, { build: await readRows(build), submission: await readRows(submission) }, isWatched);
  return look.end(whole, tested, known);
}

const MIN_LENGTH = 8;

/** All rows of a file have one length. */
async function readRows(path: string): Promise<FilteredRows['build']> {
  const dates = StoredJson.parse(await publishedText(path), 'bad_summary', path).entries();
  let length: number | undefined;
  return new Map(
    dates.map(([date, ofDate]) => {
      if (!/^\d{8}$/.test(date)) ofDate.fail('at a date of eight digits');
      const rows = ofDate.list((row) => {
        const numbers = rowNumbers(row);
        length ??= numbers.length;
        if (numbers.length !== length || length < MIN_LENGTH)
          row.fail(`as long as the others, and of at least ${MIN_LENGTH} numbers`);
        return numbers;
      });
      return [date, rows];
    }),
  );
}

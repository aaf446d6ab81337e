/**
 * Files of a folder that the original did not have. Folders that were adopted, of earlier releases, or of other settings may
 * lack them, each group as a whole.
 */
import { BUILDS_NAME } from './builds.ts';
import { INDEX_NAME, isIndexFile } from './measure-index.ts';
import { PARQUET_NAME } from './parquet/aggregates-table.ts';

/** Whether a file is one of them. */
export function isAddition(name: string): boolean {
  return groupOf(name) !== undefined;
}

/** Whether a folder that has the files `published` should have this one, which was rendered from its segments. */
export function isExpected(name: string, published: { has(name: string): boolean }): boolean {
  const group = groupOf(name);
  return group === undefined || published.has(group);
}

/** The file that tells that a folder has those of the group. */
function groupOf(name: string): string | undefined {
  if (isIndexFile(name)) return INDEX_NAME;
  return name === BUILDS_NAME || name === PARQUET_NAME ? name : undefined;
}

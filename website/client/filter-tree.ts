/** `filter-tree.json`: which filter id stands for which reason, application, OS, OS version and architecture. */
import { isRecord } from './definition.ts';

export const FILTER_LEVELS = ['reason', 'appName', 'OS', 'osVersion', 'arch'] as const;

/** One option of each level; an empty or absent one means all of them. */
export type Filter = readonly string[];

/** Options of each filter id, from the root. */
export type FilterPaths = ReadonlyMap<number, readonly string[]>;

const MAX_DEPTH = 8;

/** Damaged nodes are left out; their rows then belong to no option and count in unfiltered sums only. */
export function readFilterTree(raw: unknown): FilterPaths {
  const paths = new Map<number, readonly string[]>();
  const open: { readonly node: unknown; readonly path: readonly string[] }[] = [{ node: raw, path: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, path } = next;
    if (!isRecord(node) || path.length > MAX_DEPTH) continue;
    if (typeof node['_id'] === 'number') paths.set(node['_id'], path);
    for (const [option, child] of Object.entries(node))
      if (option !== '_id' && option !== 'name') open.push({ node: child, path: [...path, option] });
  }
  return paths;
}

/** Whether everything is wanted. */
export function isUnfiltered(filter: Filter): boolean {
  return filter.every((option) => option === '');
}

/** @param except a level whose choice is ignored, to count its options under the other choices */
export function matches(path: readonly string[], filter: Filter, except = -1): boolean {
  return filter.every((option, level) => option === '' || level === except || path[level] === option);
}

/** Filter ids that a filter takes in. */
export function chosenIds(paths: FilterPaths, filter: Filter): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const [id, path] of paths) if (matches(path, filter)) ids.add(id);
  return ids;
}

export interface Option {
  readonly name: string;
  readonly submissions: number;
}

/**
 * Options of every level with their submissions, largest first, each counted under the choices of the other levels.
 * @param submissions by filter id, of the chosen dates
 */
export function countOptions(
  paths: FilterPaths,
  submissions: ReadonlyMap<number, number>,
  filter: Filter,
): readonly (readonly Option[])[] {
  return FILTER_LEVELS.map((_, level) => {
    const counts = new Map<string, number>();
    for (const [id, path] of paths) {
      const option = path[level];
      if (option === undefined || !matches(path, filter, level)) continue;
      counts.set(option, (counts.get(option) ?? 0) + (submissions.get(id) ?? 0));
    }
    return [...counts]
      .map(([name, count]) => ({ name, submissions: count }))
      .toSorted((a, b) => b.submissions - a.submissions || (a.name < b.name ? -1 : 1));
  });
}

/**
 * The order of every sorted file: by code units, which for all keys, names and ordinary paths is the order of their UTF-8
 * bytes. Only characters beyond the basic plane would sort differently, and nothing outside this project compares those.
 */
export function compareText(a: string, b: string): number {
  // Most texts of sorted rows are those of the row before.
  return a === b ? 0 : a < b ? -1 : 1;
}

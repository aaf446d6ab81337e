/**
 * How deep JSON from outside may be nested. `JSON.parse` takes any depth, and `JSON.stringify` runs out of stack on it: one
 * small message would end the stage that wants to say what is wrong with it.
 */

/** No document, message or input of the application is nested half as deep. */
export const MAX_NESTING = 64;

/** Whether a parsed value is nested deeper than that. Needs no stack of its own. */
export function isTooDeep(value: unknown): boolean {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    const depth = next.depth + 1;
    if (depth > MAX_NESTING) return true;
    for (const member of Object.values(next.value)) if (typeof member === 'object') open.push({ value: member, depth });
  }
  return false;
}

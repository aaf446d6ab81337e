/**
 * Linear memory of the kernel: regions one after the other, sized once. Memory that is never touched costs address space
 * only, so the regions are as large as the worst line of a result can make them.
 */

/** Longest row: buckets, five statistics, count; the host checks that `row-limits.ts` agrees. */
export const MAX_ROW: u32 = 10_006;

/** Bytes behind a region that a vector load may touch. */
const PADDING: usize = 64;
const PAGE: usize = 65_536;

let top: usize = __heap_base;

/** Makes room for regions that are taken next, at once: each growth takes time. */
export function prepare(bytes: usize): void {
  demand(top + bytes);
}

/** Takes a region, aligned to a line of the processor's cache: files are read into others at half the speed. */
export function take(bytes: usize): usize {
  const region = (top + 63) & ~63;
  top = region + bytes + PADDING;
  demand(top);
  return region;
}

/** Makes the memory reach to `end`. */
export function demand(end: usize): void {
  const pages = (end + PADDING + PAGE - 1) / PAGE;
  const has = <usize>memory.size();
  if (pages <= has) return;
  // In steps of 4 MiB: the host makes its views of the memory again after each.
  if (memory.grow(<i32>max<usize>(pages - has, 64)) < 0 && memory.grow(<i32>(pages - has)) < 0) unreachable();
}

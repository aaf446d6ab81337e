/** What the kernel asks of its host (`src/kernels/merge-kernel.ts`). */

/** A new key was kept under this number. */
export declare function newKey(number: u32): void;
/**
 * What a path means that was not seen before: minus the number of its fault, 0 for plain ASCII that stands for itself, else
 * the number of the text that stands for it.
 */
export declare function newPath(at: usize, length: u32): i32;
/** Digits of the build id of an end not seen before; 0 when the host must read it. */
export declare function newEnd(at: usize, length: u32): u32;
/** Reads the rest of the line from `at` on, as `where` says. */
export declare function readRest(at: usize, where: u32): void;
/** Reads the number at `at` with the host's `Number`, and calls `numberEndsAt`. */
export declare function numberAt(at: usize): f64;
/** Compares two paths of which one is no plain ASCII. */
export declare function orderOfPaths(a: u32, b: u32): i32;
/** The same for two ends, by build id and revision. */
export declare function orderOfEnds(a: u32, b: u32): i32;

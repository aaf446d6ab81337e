/** What the kernel asks of its host (`src/kernels/aggregate-kernel.ts`), beside what the merge asks. */

/** Flags of a name that was not seen before. */
export declare function newName(at: usize, length: u32): u32;
/** Keeps an end of packed rows that was not seen before. @returns its number */
export declare function keptEnd(at: usize, length: u32): u32;
/** The natural logarithm as JavaScript has it: another one may differ in the last digit. */
export declare function logOf(value: f64): f64;

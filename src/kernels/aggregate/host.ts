/** What the kernel asks of its host (`src/kernels/aggregate-kernel.ts`), beside what the merge asks. */

/** Flags of a name of a histogram that was not seen before. */
export declare function newName(at: usize, length: u32): u32;

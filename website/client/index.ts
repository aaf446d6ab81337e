/**
 * Access to a published data set: fetching, parsing, filters, sums, quantities and comparisons. It depends on nothing but
 * `fetch`, so it runs in pages, workers and Node.js alike; docs/website.md 6 shows its use.
 */
export * from './data-set.ts';
export * from './definition.ts';
export * from './documents.ts';
export * from './filter-tree.ts';
export * from './intervals.ts';
export * from './measure-file.ts';
export * from './quantities.ts';
export * from './sums.ts';

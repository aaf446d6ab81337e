/** A reporter for `node --test` that writes nothing but the final counts, as JSON. */
export default async function* testCounts(events) {
  for await (const { type, data } of events) {
    // Each file has a summary as well; the one of the whole run names no file.
    if (type === 'test:summary' && data.file === undefined) yield JSON.stringify(data.counts);
  }
}

/** A reporter for `node --test` that writes, as JSON, the final counts and how long each file took. */
export default async function* testCounts(events) {
  const files = [];
  for await (const { type, data } of events) {
    if (type !== 'test:summary') continue;
    // Each file has a summary as well; the one of the whole run names no file.
    if (data.file === undefined) yield JSON.stringify({ ...data.counts, files });
    else files.push({ file: data.file, seconds: data.duration_ms / 1000 });
  }
}

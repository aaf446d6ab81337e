/** The head of a merged chunk: what went in, what was left out and why, and where its parts are. */
import { StoredJson } from '../stored-json.ts';

export type ChunkHead = ReturnType<typeof readChunkHead>;
export type ChunkPart = ReturnType<typeof readPart>;

/** @throws InvalidDataError `bad_chunk` */
export function parseChunkHead(text: string): ChunkHead {
  return readChunkHead(StoredJson.document(text, 'bad_chunk', 'head of a chunk'));
}

function readChunkHead(root: StoredJson) {
  return {
    chunk: root.member('chunk').count(),
    /** Tasks whose results are in, with the ETag that was read. */
    done: root
      .member('done')
      .list((task) => ({ number: task.member('number').count(), etag: task.member('etag').text() })),
    /** Tasks that were given up, or whose result was refused as a whole. */
    failed: root
      .member('failed')
      .list((task) => ({ number: task.member('number').count(), reason: task.member('reason').text() })),
    missing: root.member('missing').list((number) => number.count()),
    parts: root.member('parts').list(readPart),
    filesFailed: root
      .member('filesFailed')
      .list((file) => ({ key: file.member('key').text(), reason: file.member('reason').text() })),
    filesPartial: root.member('filesPartial').list((key) => key.text()),
    /** Submissions counted by the workers. */
    records: root.member('records').count(),
    skipped: root.member('skipped').counts(),
    /** The measures with most histograms left out; absent in chunks of earlier releases. */
    badHistograms: root.optional('badHistograms')?.counts() ?? {},
    /** Aggregates dropped while merging, by reason. */
    dropped: root.member('dropped').counts(),
  };
}

function readPart(stored: StoredJson) {
  return {
    channelVersion: stored.member('channelVersion').text(),
    key: stored.member('key').text(),
    sha256: stored.member('sha256').text(/^[0-9a-f]{64}$/),
    slots: stored.member('slots').count(),
    bytes: stored.member('bytes').count(),
  };
}

/** What a run left in its state, as far as `verify` needs it, read with a clear reason for every deviation. */
import { StoredJson } from '../../pipeline/stored-json.ts';
import type { ChunkRef } from '../../state/keys.ts';

export interface TaskCounts {
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  readonly missing: number;
}

export interface StoredContribution extends TaskCounts {
  readonly runId: string;
  readonly day: string;
  readonly files: { readonly processed: number; readonly missing: number };
  readonly filesProcessedKey: string;
  readonly filesMissingKey: string;
  /** channel/version → key of the day's segment */
  readonly segments: ReadonlyMap<string, string>;
  /** The states of the chunks it was built from; null for contributions of earlier releases, which did not say. */
  readonly chunks: readonly ChunkRef[] | null;
}

export interface StoredChunk {
  /** Task numbers. */
  readonly done: readonly number[];
  readonly failed: readonly number[];
  readonly missing: readonly number[];
  readonly parts: readonly { readonly key: string; readonly sha256: string; readonly slots: number }[];
}

/** @throws InvalidDataError `bad_contribution` */
export function parseContribution(text: string): StoredContribution {
  const root = StoredJson.parse(text, 'bad_contribution', 'contribution.json');
  const count = (name: string): number => root.member(name).count();
  const files = root.member('files');
  const segments = root.member('segments').items();
  const chunks = root.optional('chunks')?.items() ?? null;
  return {
    runId: root.member('runId').text(),
    day: root.member('day').text(),
    planned: count('planned'),
    done: count('done'),
    failed: count('failed'),
    missing: count('missing'),
    files: { processed: files.member('processed').count(), missing: files.member('missing').count() },
    filesProcessedKey: root.member('filesProcessedKey').text(),
    filesMissingKey: root.member('filesMissingKey').text(),
    segments: new Map(
      segments.map((segment) => [segment.member('channelVersion').text(), segment.member('key').text()]),
    ),
    chunks:
      chunks?.map((chunk) => ({
        chunk: chunk.member('chunk').count(),
        done: chunk.member('done').count(),
        failed: chunk.member('failed').count(),
      })) ?? null,
  };
}

/** @throws InvalidDataError `bad_chunk` */
export function parseChunk(text: string): StoredChunk {
  const root = StoredJson.parse(text, 'bad_chunk', 'head of a chunk');
  const numbered = (name: string): number[] =>
    root
      .member(name)
      .items()
      .map((task) => task.member('number').count());
  for (const task of root.member('done').items()) task.member('etag').text();
  return {
    done: numbered('done'),
    failed: numbered('failed'),
    missing: root
      .member('missing')
      .items()
      .map((number) => number.count()),
    parts: root
      .member('parts')
      .items()
      .map((part) => ({
        key: part.member('key').text(),
        sha256: part.member('sha256').text(/^[0-9a-f]{64}$/),
        slots: part.member('slots').count(),
      })),
  };
}

/**
 * Task ids of what a round took, in order.
 * @throws InvalidDataError `bad_round`
 */
export function parseTaken(text: string): string[] {
  const root = StoredJson.parse(text, 'bad_round', 'taken.json');
  return root
    .member('results')
    .items()
    .map((result) => result.member('taskId').text(/^[0-9a-f-]{36}\/[1-9][0-9]{0,5}$/));
}

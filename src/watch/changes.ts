/** What `changes.json` says, which runs write. */
import { storedChanges } from '../state/changes.ts';
import type { DataSetStores } from '../state/pointer.ts';
import type { ChangesFacts } from './rules/facts.ts';

const MAX_NEWEST = 5;

export async function changesFacts(
  stores: Pick<DataSetStores, 'published' | 'publishedPrefix'>,
  signal: AbortSignal,
): Promise<ChangesFacts> {
  const document = await storedChanges(stores, signal);
  if (document === null) return { seq: null, changes: 0, newest: [], silences: [], skipped: 0 };
  const { seq, changes, leftOut, skipped } = document;
  const silences = changes.filter(({ kind }) => kind === 'silence');
  const moved = changes.filter(({ kind }) => kind !== 'silence');
  return {
    seq,
    changes: changes.length + leftOut,
    newest: moved.slice(0, MAX_NEWEST).map(({ text }) => text),
    silences: silences.map(({ channelVersion, date, text }) => ({ channelVersion, date, text })),
    skipped: skipped.length,
  };
}

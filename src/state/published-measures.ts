/** Which measures readers of the data set see now. */
import { StoredJson } from '../pipeline/stored-json.ts';
import type { DataSetStores } from './owner.ts';
import { getIfPresent, inflatedText } from './documents.ts';
import { readPointer } from './pointer.ts';

/**
 * The measures in the published folder of a channel/version; none when it has no folder, or one whose list cannot be read:
 * they only decide what a day with too many measures keeps.
 * @throws ApplicationFailure PointerMissing, PointerDamaged, StateDamaged
 */
export async function publishedMeasures(
  stores: DataSetStores,
  channelVersion: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { versions } = await readPointer(stores, signal);
  const folder = versions.folders.get(channelVersion);
  if (folder === undefined) return [];
  const stored = await getIfPresent(stores.published, `${stores.publishedPrefix}${folder}/histograms.json`, signal);
  if (stored === undefined) return [];
  try {
    const root = StoredJson.document(inflatedText(stored.body), 'bad_histograms', 'histograms.json');
    return root.entries().map(([measure]) => measure);
  } catch {
    return [];
  }
}

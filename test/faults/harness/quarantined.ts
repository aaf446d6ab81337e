/** What a scene's quarantine holds. */
import { parseQuarantineEntry, type QuarantineEntry } from '../../../src/pipeline/quarantine/entry.ts';
import type { Scene } from './scene.ts';

export async function quarantined(scene: Scene): Promise<QuarantineEntry[]> {
  const keys = await scene.keys(scene.analysis, 'state/quarantine/');
  return Promise.all(
    keys.map(async (key) => parseQuarantineEntry((await scene.analysis.get(key)).body.toString('utf8'))),
  );
}

/** In text order. */
export async function reasonsOf(scene: Scene): Promise<string[]> {
  return (await quarantined(scene)).map(({ reason }) => reason).toSorted();
}

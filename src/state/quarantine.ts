/** What was refused, kept with its reason: never merged, never lost. One object per content, however often it comes. */
import { createHash } from 'node:crypto';
import { isFailure } from '../failures.ts';
import type { Metrics } from '../metrics.ts';
import { checkedShaPrefix, onlySha, parseQuarantineEntry, type QuarantineEntry } from '../pipeline/quarantine/entry.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readDocument } from './documents.ts';
import { stateKeys } from './keys.ts';
import type { QuarantineBudget } from './quarantine-budget.ts';

export const QUARANTINE_ENTRY: Codec<QuarantineEntry> = { what: 'a quarantine object', parse: parseQuarantineEntry };

/**
 * @param budget when there is one, it must have something left for this entry
 * @returns false when it has not: nothing was kept, so the refused thing must stay where it is
 */
export async function quarantine(
  { analysis, metrics }: { readonly analysis: ObjectStore; readonly metrics: Metrics },
  entry: QuarantineEntry,
  signal: AbortSignal,
  budget?: QuarantineBudget,
): Promise<boolean> {
  const body = Buffer.from(JSON.stringify(entry));
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (budget !== undefined && !(await budget.spend(sha256))) return false;
  await analysis.createOnce(stateKeys.quarantine(sha256), body, { contentType: 'application/json' }, signal);
  metrics.add('telemetry_quarantined', 1, { reason: entry.reason });
  return true;
}

/** An object that is damaged shows as `bad_entry`. */
export async function readQuarantined(
  analysis: ObjectStore,
  sha: string,
  signal: AbortSignal,
): Promise<QuarantineEntry> {
  try {
    return await readDocument(analysis, stateKeys.quarantine(sha), QUARANTINE_ENTRY, signal);
  } catch (error) {
    if (!isFailure(error, 'StateDamaged')) throw error;
    return { what: 'damaged', reason: 'bad_entry', message: error.message, content: '' };
  }
}

/**
 * The one whose SHA begins like this, and since when it is there.
 * @throws InvalidDataError `bad_sha`, `unknown_sha`, `ambiguous_sha`
 */
export async function findQuarantined(
  analysis: ObjectStore,
  given: string,
  signal: AbortSignal,
): Promise<readonly [sha: string, since: Date]> {
  const prefix = checkedShaPrefix(given);
  const found = await shasBelow(analysis, stateKeys.allQuarantined, signal, prefix);
  const sha = onlySha(prefix, [...found.keys()]);
  return [sha, found.get(sha) ?? new Date(0)];
}

/** Of the objects `<sha>.json` of a folder, with the time at which each was stored. */
export async function shasBelow(
  analysis: ObjectStore,
  folder: string,
  signal: AbortSignal,
  prefix = '',
): Promise<Map<string, Date>> {
  const found = new Map<string, Date>();
  for await (const { key, lastModified } of analysis.objects(`${folder}${prefix}`, signal)) {
    const sha = shaOfKey(key);
    if (sha !== undefined) found.set(sha, lastModified);
  }
  return found;
}

/** Of a key `…/<sha>.json`. */
export function shaOfKey(key: string): string | undefined {
  return /\/([0-9a-f]{64})\.json$/.exec(key)?.[1];
}

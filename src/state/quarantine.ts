/** What was refused, kept with its reason: never merged, never lost. One object per content, however often it comes. */
import { createHash } from 'node:crypto';
import type { Metrics } from '../metrics.ts';
import { parseQuarantineEntry, type QuarantineEntry } from '../pipeline/quarantine/entry.ts';
import type { ObjectStore } from '../ports.ts';
import type { Codec } from './documents.ts';
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

/** What was refused, kept with its reason: never merged, never lost. One object per content, however often it comes. */
import { createHash } from 'node:crypto';
import type { QuarantineEntry } from '../pipeline/quarantine/entry.ts';
import { stateKeys } from '../pipeline/state-keys.ts';
import type { ActivityPorts } from './ports.ts';

export async function quarantine(
  { analysis, metrics }: Pick<ActivityPorts, 'analysis' | 'metrics'>,
  entry: QuarantineEntry,
  signal: AbortSignal,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(entry));
  const sha256 = createHash('sha256').update(body).digest('hex');
  await analysis.createOnce(stateKeys.quarantine(sha256), body, { contentType: 'application/json' }, signal);
  metrics.add('telemetry_quarantined', 1, { reason: entry.reason });
}

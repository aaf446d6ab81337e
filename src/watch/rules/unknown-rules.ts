/** What could not be checked: reported once for each cause, since it may be broken. */
import type { Facts, Part } from './facts.ts';
import type { Finding } from '../../findings.ts';

const RESTORE =
  'Restore versions.json from the bucket’s versions (docs/operating.md, "Restore"); for a new deployment run "telemetry setup".';
/** By failure type; others are services out of reach. */
const ACTIONS: Readonly<Record<string, string>> = {
  PointerMissing: RESTORE,
  PointerDamaged:
    'Restore the last good version of versions.json from the bucket’s versions; no run publishes until then.',
  StateDamaged: 'Restore the object from the bucket’s versions; no run publishes until then.',
  QueueMissing: 'Run "telemetry setup", or correct the setting that names the queue.',
};
const UNREACHABLE =
  'See whether the service runs and the settings point to it ("telemetry setup" checks them), then try again.';

export function unknownFindings(facts: Facts): Finding[] {
  const parts: [where: string, part: Part<unknown>][] = [
    ['data set', facts.dataSet],
    ['projections', facts.projections],
    ['changes', facts.changes],
    ['runs', facts.runs],
    ['schedules', facts.schedules],
    ['workers', facts.workers],
    ['state', facts.leftovers],
    ...facts.queues.map(({ queue, depth }): [string, Part<unknown>] => [`SQS queue ${queue}`, depth]),
  ];
  const byCause = new Map<string, { where: string[]; type: string | null }>();
  for (const [where, part] of parts) {
    if (!('unknown' in part)) continue;
    const cause = byCause.get(part.unknown) ?? { where: [], type: part.type };
    cause.where.push(where);
    byCause.set(part.unknown, cause);
  }
  return [...byCause].map(([reason, { where, type }]) => ({
    severity: 'unchecked',
    where: where.join(', '),
    what: reason,
    things: where.length,
    action: ACTIONS[type ?? ''] ?? UNREACHABLE,
  }));
}

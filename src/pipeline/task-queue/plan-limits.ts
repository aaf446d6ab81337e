/**
 * How much a run may analyse: a filter that admits too much by mistake must not become a bill (docs/security.md T23).
 */
import { InvalidDataError } from '../invalid-data.ts';

export interface PlanLimits {
  readonly tasks: number;
  /** Stored bytes of input. */
  readonly bytes: number;
}

/**
 * Checks a plan while it grows, so that an endless listing also ends.
 * @throws InvalidDataError `plan_too_large`
 */
export function checkPlanSize(plan: { readonly tasks: number; readonly bytes: number }, limits: PlanLimits): void {
  const over = [
    ...(plan.tasks > limits.tasks ? [`more than ${limits.tasks} tasks (TELEMETRY_MAX_PLAN_TASKS)`] : []),
    ...(plan.bytes > limits.bytes ? [`more than ${limits.bytes} bytes of input (TELEMETRY_MAX_PLAN_BYTES)`] : []),
  ];
  if (over.length === 0) return;
  throw new InvalidDataError(
    'plan_too_large',
    `The plan has ${over.join(' and ')}; nothing was sent. If all of it is meant, allow it: --allow-large-plan, or "allowLargePlan": true in the input`,
  );
}

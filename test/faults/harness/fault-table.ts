/** What was injected, how often, and what was seen: one line for each fault test, gathered by `scripts/tests.mjs`. */
import { appendFileSync } from 'node:fs';

export interface FaultRow {
  /** `F4` */
  readonly id: string;
  readonly injected: string;
  readonly times: number;
  readonly seen: string;
  readonly seconds: number;
}

export function noteFault(row: FaultRow): void {
  const file = process.env['TELEMETRY_FAULT_TABLE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

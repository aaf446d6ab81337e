/** How many made-up cases a property is tried with: a tenth, or with TELEMETRY_PROPERTIES=full, as in `.ci/run`, all. */
export function cases(full: number): number {
  return process.env['TELEMETRY_PROPERTIES'] === 'full' ? full : Math.ceil(full / 10);
}

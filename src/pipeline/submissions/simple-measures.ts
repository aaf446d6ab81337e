/**
 * Simple measurements: every number a submission carries outside its histograms becomes a histogram of one value
 * (docs/formats/submissions.md 3.6).
 */
import { SIMPLE_MEASURE_PREFIX } from '../aggregates/slot.ts';
import { isMeasureName, MAX_MEASURE } from '../safe-segment.ts';

/** Lower bounds of the 50 exponential buckets, 1 to 30000; `simpleMeasureDefinition` publishes them. */
export const SIMPLE_MEASURE_BOUNDS: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 24, 29, 35, 43, 52, 63, 77, 94, 115, 140, 171, 209, 255, 311, 379, 462,
  564, 688, 839, 1023, 1248, 1522, 1857, 2265, 2763, 3370, 4111, 5015, 6118, 7463, 9104, 11106, 13548, 16527, 20161,
  24593, 30000,
];

/** Measure name of `simpleMeasurements.name` or `.name.sub`; upper-casing is ASCII only. */
export function simpleMeasureName(name: string, sub?: string): string {
  return SIMPLE_MEASURE_PREFIX + asciiUpper(sub === undefined ? name : `${name}_${sub}`);
}

/** Whether that is a measure's name: looked at before anything is made of a text that may be long. */
export function isSimpleMeasure(name: string, sub?: string): boolean {
  return name.length + (sub?.length ?? 0) <= MAX_MEASURE && isMeasureName(simpleMeasureName(name, sub));
}

function asciiUpper(text: string): string {
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/**
 * The filter path of a submission, `reason/appName/OS/osVersion/arch`: which leaf of the filter tree counts it
 * (docs/formats/submissions.md 3.4).
 */

/** What the names that the nodes of a filter tree reserve become. */
const RESERVED: Readonly<Record<string, string>> = { _id: '_id_', name: 'name_' };
const MAX_CODE_POINTS = 64;

export type LinuxVersion = 'first3' | 'majorMinor';

/** Makes OS, OS version or architecture fit for a path part. Returns the input when nothing had to change. */
export function pathPart(text: string): string {
  if (text === '') return 'unknown';

  // Cut first: the text may have megabytes.
  const short = text.length > MAX_CODE_POINTS ? firstCodePoints(text, MAX_CODE_POINTS) : text;
  const cut = short.replaceAll(/[\x00-\x1f\x7f/]/g, '_');
  return Object.hasOwn(RESERVED, cut) ? (RESERVED[cut] ?? cut) : cut;
}

/**
 * `info.version` as text: numbers with at most 9 decimals and no trailing zeros; Linux kernels cut short.
 * `first3` is the original's rule (3.11 and 3.1 both become `3.1`), kept because published filter trees hold it.
 */
export function osVersion(os: string, version: string | number, linux: LinuxVersion): string {
  const text = typeof version === 'number' ? decimalText(version) : version;
  if (os !== 'Linux') return text;
  return linux === 'first3' ? firstCodePoints(text, 3) : (/^\d+(?:\.\d+)?/.exec(text)?.[0] ?? text);
}

/** Never cuts inside a surrogate pair. */
function firstCodePoints(text: string, count: number): string {
  return Array.from(text.slice(0, 2 * count))
    .slice(0, count)
    .join('');
}

function decimalText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(9).replace(/\.?0+$/, '');
}

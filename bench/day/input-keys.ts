/** The input bucket of the benchmark as a rule: a day's files of seven channel/versions and 50 builds, beside other days. */
import { createHash } from 'node:crypto';

export const BENCH_DAY = '20131029';

export interface ListedKey {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
}

interface Level {
  readonly folders: readonly string[];
  readonly entries: readonly ListedKey[];
  /** Entries of all pages. */
  readonly total: number;
}

/** Versions by channel. */
const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  aurora: ['26.0a2', '27.0a2'],
  beta: ['25.0', '26.0'],
  nightly: ['27.0a1', '28.0a1'],
  release: ['25.0'],
};
const BUILDS = Array.from({ length: 50 }, (_, n) => `201310${10 + (n % 20)}0302${10 + n}`).sort();
const DAYS = ['20131028', BENCH_DAY, '20131030'];
const PARTITIONS = Object.values(VERSIONS).flat().length * BUILDS.length;
/** A file of the day, stored; some are much larger. */
const MEAN_BYTES = 480_000;

/** One page of a listing; `keys` is how many files the day has. */
export function listInput(prefix: string, delimiter: string | null, first: number, limit: number, keys: number): Level {
  const below = prefix.split('/');
  const [, , channel = '', , file = ''] = below;
  const dots = file.split('.').length - 1;
  if (delimiter === '/') {
    const names = [['saved_session'], ['Firefox'], Object.keys(VERSIONS), VERSIONS[channel] ?? []][below.length - 1];
    return folders(prefix, '/', names ?? []);
  }
  if (delimiter === '.') return folders(prefix, '.', dots === 0 ? BUILDS : DAYS);
  const total = filesOf(prefix, keys);
  const entries: ListedKey[] = [];
  for (let place = first; place < Math.min(total, first + limit); place += 1)
    entries.push(fileAt(prefix, place, total));
  return { folders: [], entries, total };
}

function folders(prefix: string, delimiter: string, names: readonly string[]): Level {
  return { folders: names.map((name) => `${prefix}${name}${delimiter}`), entries: [], total: 0 };
}

/** The first partitions have one file more where they are not even. */
function filesOf(prefix: string, keys: number): number {
  const [, , channel = '', version = '', file = ''] = prefix.split('/');
  const versions = Object.entries(VERSIONS).flatMap(([name, all]) => all.map((each) => `${name}/${each}`));
  const place = versions.indexOf(`${channel}/${version}`) * BUILDS.length + BUILDS.indexOf(file.split('.', 1)[0] ?? '');
  return Math.floor(keys / PARTITIONS) + (place < keys % PARTITIONS ? 1 : 0);
}

/** Names are 32 hexadecimal digits as drawn by chance, which no compression shortens, in ascending order. */
function fileAt(prefix: string, place: number, total: number): ListedKey {
  const digest = createHash('md5').update(prefix).update(String(place)).digest();
  const head = Math.floor((place * 2 ** 32) / total)
    .toString(16)
    .padStart(8, '0');
  const name = head + digest.toString('hex', 0, 12);
  const size = Math.ceil((MEAN_BYTES * 2 * (1 + digest.readUInt16LE(12))) / 65_536);
  return { key: `${prefix}v2.log.${name}.lzma`, size, etag: `"${digest.toString('hex')}"` };
}

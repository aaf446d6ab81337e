/** Who submits in the sample data: channels, versions, builds, applications, systems, and how often each. */
import { type DefinitionSet } from './measures.ts';
import { type Chance } from './random.ts';

export interface Build {
  readonly channel: string;
  /** As in the input key: `28.0a1`. */
  readonly version: string;
  /** 14 digits. */
  readonly buildId: string;
  /** Repository path and changeset of the source; together they name a Histograms.json. */
  readonly repository: string;
  readonly changeset: string;
  readonly definitions: DefinitionSet;
}

interface Release {
  readonly channel: string;
  readonly version: string;
  readonly repository: string;
}

const RELEASES: readonly [Release, ...Release[]] = [
  { channel: 'nightly', version: '28.0a1', repository: 'mozilla-central' },
  { channel: 'nightly', version: '27.0a1', repository: 'mozilla-central' },
  { channel: 'aurora', version: '27.0a2', repository: 'releases/mozilla-aurora' },
  { channel: 'aurora', version: '26.0a2', repository: 'releases/mozilla-aurora' },
  { channel: 'beta', version: '26.0', repository: 'releases/mozilla-beta' },
  { channel: 'beta', version: '25.0', repository: 'releases/mozilla-beta' },
];

/** Changesets that exist nowhere; 12 digits, as browsers state them. */
const CHANGESETS: Readonly<Record<string, Readonly<Record<DefinitionSet, string>>>> = {
  'mozilla-central': { older: '5a3b1e0c0de1', newer: '5a3b1e0c0de2' },
  'releases/mozilla-aurora': { older: '5a3b1e0c0de3', newer: '5a3b1e0c0de3' },
  'releases/mozilla-beta': { older: '5a3b1e0c0de4', newer: '5a3b1e0c0de4' },
};

/** Days before the first submission day on which the builds were made; the last one is past the 60 day rule. */
const BUILD_AGES: readonly (readonly [days: number, weight: number])[] = [
  [1, 48],
  [3, 44],
  [75, 8],
];

/** The builds of every channel/version, with the share of its sessions that each has. */
export function buildsBefore(firstDay: string): (readonly [Build, number])[][] {
  return RELEASES.map((release, index) =>
    BUILD_AGES.map(([age, weight]) => [buildOf(release, index, firstDay, age), weight]),
  );
}

/** The build of the newest nightlies that was made so many days before. */
export function nightlyBuild(firstDay: string, age: number): Build {
  const [nightly] = RELEASES;
  return buildOf(nightly, 0, firstDay, age);
}

function buildOf(release: Release, index: number, firstDay: string, age: number): Build {
  const definitions: DefinitionSet = release.channel === 'nightly' && age === 1 ? 'newer' : 'older';
  const changeset = CHANGESETS[release.repository]?.[definitions] ?? '';
  const buildId = `${shiftDay(firstDay, -age)}03${String(10 + index)}01`;
  return { ...release, buildId, changeset, definitions };
}

export const REASONS: readonly (readonly [reason: string, perDay: number])[] = [
  ['saved-session', 150],
  ['idle-daily', 20],
  ['flash-video', 8],
];

export const APPLICATIONS: readonly (readonly [string, number])[] = [
  ['Firefox', 86],
  ['Fennec', 9],
  ['Thunderbird', 5],
];

export interface Platform {
  readonly OS: string;
  /** Most browsers state a text, some a number. */
  readonly version: string | number;
  readonly arch: string;
}

const DESKTOP: readonly (readonly [Platform, number])[] = [
  [{ OS: 'WINNT', version: '6.1', arch: 'x86' }, 38],
  [{ OS: 'WINNT', version: '6.1', arch: 'x86-64' }, 12],
  [{ OS: 'WINNT', version: 6.1, arch: 'x86' }, 2],
  [{ OS: 'WINNT', version: '5.1', arch: 'x86' }, 14],
  [{ OS: 'WINNT', version: '6.2', arch: 'x86' }, 9],
  [{ OS: 'WINNT', version: '6.3', arch: 'x86-64' }, 5],
  [{ OS: 'Darwin', version: '12.5.0', arch: 'x86-64' }, 6],
  [{ OS: 'Darwin', version: '13.0.0', arch: 'x86-64' }, 5],
  [{ OS: 'Linux', version: '3.11.0-12-generic', arch: 'x86-64' }, 5],
  [{ OS: 'Linux', version: '3.2.0-4-amd64', arch: 'x86-64' }, 2],
  [{ OS: 'Linux', version: '2.6.32-431.el6.i686', arch: 'x86' }, 1],
];

const MOBILE: readonly (readonly [Platform, number])[] = [
  [{ OS: 'Android', version: '10', arch: 'arm' }, 3],
  [{ OS: 'Android', version: '16', arch: 'arm' }, 4],
  [{ OS: 'Android', version: 18, arch: 'arm' }, 2],
  [{ OS: 'Android', version: '17', arch: 'x86' }, 1],
];

/** The system of one session. */
export function platformOf(application: string, chance: Chance): Platform {
  return chance.pick(application === 'Fennec' ? MOBILE : DESKTOP);
}

/** The day that many days later (earlier when negative); `YYYYMMDD`, UTC. */
function shiftDay(day: string, days: number): string {
  const [year, month, date] = [day.slice(0, 4), day.slice(4, 6), day.slice(6, 8)].map(Number);
  const shifted = new Date(Date.UTC(year ?? NaN, (month ?? NaN) - 1, (date ?? NaN) + days));
  if (!/^\d{8}$/.test(day) || Number.isNaN(shifted.getTime())) throw new Error(`not a day as YYYYMMDD: ${day}`);
  return shifted.toISOString().slice(0, 10).replaceAll('-', '');
}

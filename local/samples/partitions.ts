/** Which sessions a sample bucket holds, grouped as the input bucket groups them: one partition, one or more files. */
import { APPLICATIONS, type Build, buildsBefore, REASONS } from './population.ts';
import { chanceFor } from './random.ts';

export interface SampleFile {
  /** Key prefix up to and with the build id and the submission day: `reason/app/channel/version/build.day`. */
  readonly partition: string;
  readonly reason: string;
  readonly application: string;
  readonly build: Build;
  readonly day: string;
  /** Number of the day, from 0. */
  readonly dayNumber: number;
  readonly submissions: number;
}

export interface PartitionInput {
  readonly seed: string;
  /** Submission days, `YYYYMMDD`. */
  readonly days: readonly string[];
  /** A partition with more submissions becomes several files. */
  readonly submissionsPerFile: number;
  /** Only these, as `nightly/28`. */
  readonly channelVersions?: readonly string[];
}

/**
 * The everyday mix: each channel/version has at least 100 saved sessions of Firefox a day
 * (docs/formats/published.md A13).
 */
export function everydayFiles({ seed, days, submissionsPerFile, channelVersions }: PartitionInput): SampleFile[] {
  const [firstDay] = days;
  if (firstDay === undefined) throw new Error('sample submissions need at least one day');
  const releases = buildsBefore(firstDay).filter(
    ([first]) =>
      channelVersions === undefined || (first !== undefined && channelVersions.includes(published(first[0]))),
  );
  return days.flatMap((day, dayNumber) =>
    releases.flatMap((builds) =>
      REASONS.flatMap(([reason, perDay]) => {
        const groups = drawGroups(seed, `${day}/${reason}`, builds, perDay);
        return groups.flatMap((group) => split({ ...group, reason, day, dayNumber }, submissionsPerFile));
      }),
    ),
  );
}

/** Exactly that many full files of saved sessions, taking turns over days, channel/versions and builds. */
export function manyFiles({ days, submissionsPerFile }: PartitionInput, count: number): SampleFile[] {
  const [firstDay] = days;
  if (firstDay === undefined) throw new Error('sample submissions need at least one day');
  const builds = buildsBefore(firstDay).flatMap((release) => release.map(([build]) => build));
  return Array.from({ length: count }, (_, index) => {
    const build = builds[index % builds.length];
    const dayNumber = Math.floor(index / builds.length) % days.length;
    const day = days[dayNumber];
    if (build === undefined || day === undefined) throw new Error('no build or no day');
    return named({
      reason: 'saved-session',
      application: 'Firefox',
      build,
      day,
      dayNumber,
      submissions: submissionsPerFile,
    });
  });
}

/** The channel/version whose folder shows a build: `28.0a1` belongs to `nightly/28`. */
function published({ channel, version }: Build): string {
  return `${channel}/${version.slice(0, version.indexOf('.'))}`;
}

type Group = Pick<SampleFile, 'application' | 'build' | 'submissions'>;

function drawGroups(
  seed: string,
  label: string,
  builds: readonly (readonly [Build, number])[],
  submissions: number,
): Group[] {
  const [first] = builds;
  if (first === undefined) return [];
  const chance = chanceFor(seed, `partitions/${label}/${first[0].channel}/${first[0].version}`);
  const groups = new Map<string, Group>();
  for (let index = 0; index < submissions; index += 1) {
    const application = chance.pick(APPLICATIONS);
    const build = chance.pick(builds);
    const name = `${application}/${build.buildId}`;
    groups.set(name, { application, build, submissions: (groups.get(name)?.submissions ?? 0) + 1 });
  }
  return [...groups.values()];
}

function split(group: Omit<SampleFile, 'partition'>, limit: number): SampleFile[] {
  const files: SampleFile[] = [];
  for (let rest = group.submissions; rest > 0; rest -= limit) {
    files.push(named({ ...group, submissions: Math.min(rest, limit) }));
  }
  return files;
}

function named(file: Omit<SampleFile, 'partition'>): SampleFile {
  const { channel, version, buildId } = file.build;
  const folders = [file.reason, file.application, channel, version].map((part) => part.replace(/[^A-Za-z0-9_.]/g, '_'));
  return { ...file, partition: `${folders.join('/')}/${buildId}.${file.day}` };
}

/**
 * What the demo has to show on its page of changes: a build of nightly/28 every day for two weeks, and a measure that takes
 * twice as long since one of them. Only samples that ask for it have it; the others stay as they are, byte for byte.
 */
import type { SampleFile } from './partitions.ts';
import { type Build, nightlyBuild } from './population.ts';

const PLANTED = {
  measure: 'GC_MS',
  /** In days before the first submission day: since this build. */
  age: 3,
  times: 2,
} as const;

/** Those that the everyday mix has: 1, 3 and 75. */
const MORE_AGES = [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
/** Of each of these builds on each day. */
const SUBMISSIONS = 30;

/** Files of the builds between. */
export function plantedFiles(days: readonly string[]): SampleFile[] {
  const [firstDay = ''] = days;
  return days.flatMap((day, dayNumber) =>
    MORE_AGES.map((age): SampleFile => {
      const build = nightlyBuild(firstDay, age);
      const { channel, version, buildId } = build;
      const partition = `saved_session/Firefox/${channel}/${version}/${buildId}.${day}`;
      const who = { reason: 'saved-session', application: 'Firefox', build };
      return { ...who, partition, day, dayNumber, submissions: SUBMISSIONS };
    }),
  );
}

/** How much longer the measures of a build take. */
export function plantedTimes({ channel, version, buildId }: Build, firstDay: string): (measure: string) => number {
  const since = nightlyBuild(firstDay, PLANTED.age);
  const isChanged = channel === since.channel && version === since.version && buildId >= since.buildId;
  return (measure) => (isChanged && measure === PLANTED.measure ? PLANTED.times : 1);
}

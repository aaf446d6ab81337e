/** One sample submission: the JSON that a browser of 2013 would have sent (docs/formats/submissions.md 3.4 to 3.6). */
import { bucketOf } from './bounds.ts';
import { hasStartupVariant, type Measure, measuresIn } from './measures.ts';
import { type Build, type Platform } from './population.ts';
import { type Chance } from './random.ts';

export interface Session {
  /** As browsers write it: `saved-session`. */
  readonly reason: string;
  readonly application: string;
  readonly build: Build;
  readonly platform: Platform;
  /** Stretches all durations: slower systems, a slow trend over the days. */
  readonly slowness: number;
  /** How much longer a measure takes than usual; 1 by default. */
  readonly times?: (measure: string) => number;
}

export interface SampleRecord {
  readonly info: Record<string, unknown>;
  readonly histograms: Record<string, readonly (number | null)[]>;
  readonly [member: string]: unknown;
}

const MISSING = -1;
const WITHOUT_REVISION = 0.02;

/**
 * A record with most of the build's measures; reading it again from JSON gives the same numbers.
 * @param measures only the first so many, and those that are new with the build
 */
export function sampleRecord(session: Session, chance: Chance, measures?: number): SampleRecord {
  const { build, platform } = session;
  const revision = { revision: `http://hg.mozilla.org/${build.repository}/rev/${build.changeset}` };
  return {
    ver: 2,
    info: {
      reason: session.reason,
      ...platform,
      appName: session.application,
      appVersion: build.version,
      appBuildID: build.buildId,
      appUpdateChannel: build.channel,
      platformBuildID: build.buildId,
      ...(chance.happens(WITHOUT_REVISION) ? {} : revision),
      locale: chance.pick([...LOCALES]),
      cpucount: 2 ** chance.below(4),
      memsize: 1024 * 2 ** chance.below(4),
      flashVersion: '11.9.900.117',
    },
    simpleMeasurements: simpleMeasurements(session.slowness, chance),
    histograms: sessionHistograms(session, chance, measures),
    // Members that nobody reads.
    addonHistograms: {},
    keyedHistograms: { SAMPLE_KEYED: { one: { values: { 0: 1 }, sum: 1 } } },
    slowSQL: { mainThread: {}, otherThreads: {} },
    chromeHangs: { memoryMap: [], stacks: [], durations: [] },
    lateWrites: { memoryMap: [], stacks: [] },
    addonDetails: { XPI: {} },
  };
}

const LOCALES = [
  ['en-US', 6],
  ['de', 2],
  ['pl', 1],
  ['ja', 1],
] as const;

function sessionHistograms(
  { build, slowness, times = () => 1 }: Session,
  chance: Chance,
  measures: number | undefined,
): Record<string, number[]> {
  const histograms: Record<string, number[]> = {};
  for (const measure of measuresIn(build.definitions, measures)) {
    if (chance.happens(0.15)) continue;
    histograms[measure.name] = histogram(measure, slowness * times(measure.name), chance);
    if (hasStartupVariant(measure.name) && chance.happens(0.3)) {
      histograms[`STARTUP_${measure.name}`] = histogram({ ...measure, hits: 1 }, slowness, chance);
    }
  }
  return histograms;
}

/** Buckets, then the five statistics that the kind has; those it lacks are −1. */
function histogram(measure: Measure, slowness: number, chance: Chance): number[] {
  const row = measure.bounds.map(() => 0);
  const hits = measure.kind === 'flag' ? 1 : Math.max(1, Math.round(measure.hits * Math.exp(0.5 * chance.normal())));
  let sum = 0;
  let squares = 0;
  let logs = 0;
  let logSquares = 0;
  for (let hit = 0; hit < hits; hit += 1) {
    const value = drawValue(measure, slowness, chance);
    const index = bucketOf(measure.bounds, value);
    row[index] = (row[index] ?? 0) + 1;
    sum += value;
    squares += value * value;
    const log = Math.log(value + 1);
    logs += log;
    logSquares += log * log;
  }
  if (measure.kind === 'exponential') return [...row, sum, logs, logSquares, MISSING, MISSING];
  return [...row, sum, MISSING, MISSING, squares % 2 ** 32, Math.floor(squares / 2 ** 32)];
}

function drawValue(measure: Measure, slowness: number, chance: Chance): number {
  const top = measure.bounds.at(-1) ?? 1;
  switch (measure.kind) {
    case 'boolean':
    case 'flag':
      return chance.happens(measure.typical) ? 1 : 0;
    case 'enumerated':
      return Math.min(top - 1, Math.floor(-Math.log(1 - chance.unit()) * measure.typical));
    case 'linear':
      return Math.min(top, Math.max(0, Math.round(measure.typical + 12 * chance.normal())));
    case 'exponential':
      return Math.round(measure.typical * slowness * Math.exp(0.9 * chance.normal()));
  }
}

/** Names that are plain numbers, with their typical value; times count from the start of the process (ms). */
const PLAIN_MEASUREMENTS: Readonly<Record<string, number>> = {
  main: 40,
  selectProfile: 90,
  AMI_startup_begin: 160,
  XPI_startup_begin: 180,
  XPI_startup_end: 420,
  AMI_startup_end: 430,
  createTopLevelWindow: 800,
  firstPaint: 1_600,
  firstLoadURI: 1_900,
  sessionRestoreInitialized: 900,
  sessionRestoreRestoring: 1_950,
  sessionRestored: 2_300,
  shutdownDuration: 900,
  startupSessionRestoreReadBytes: 45_000_000,
  maximalNumberOfConcurrentThreads: 38,
  savedPings: 1,
};

function simpleMeasurements(slowness: number, chance: Chance): Record<string, unknown> {
  const measurements: Record<string, unknown> = {};
  for (const [name, typical] of Object.entries(PLAIN_MEASUREMENTS)) {
    measurements[name] = Math.round(typical * slowness * Math.exp(0.5 * chance.normal()));
  }
  return {
    ...measurements,
    uptime: chance.below(600),
    debuggerAttached: 0,
    startupInterrupted: chance.happens(0.1) ? 1 : 0,
    js: { setProto: chance.below(2), customIter: chance.below(3) },
    addonManager: {
      XPIDB_syncRead_MS: chance.below(6),
      XPIDB_parseDB_MS: chance.below(9),
      XPIDB_saves_total: chance.below(12),
      installedUnpacked: chance.below(4),
      XPIDB_startup_load_reasons: ['appChanged', 'directoryState'],
    },
  };
}

/**
 * Generated submission files for benchmarks, as they are in the input bucket: LZMA-alone, one in ten xz, a line for each
 * submission, keys that name channel, version, build and day (docs/formats/submissions.md 3.1–3.4). The same bytes of text for
 * a seed on every machine. A submission is put together of texts that others have too, so that it is written quickly and a file
 * compresses to an eighth, as real ones do. Figures are in bench/README.md.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { compress } from '../../local/samples/containers.ts';
import { type Chance, chanceFor } from '../../local/samples/random.ts';
import { dayAfter, exponential, spread, Weighted } from './draw.ts';
import { drawRow, type Measure, measuresOf, OF_SUBMISSIONS, variedRow } from './rows.ts';

export interface SubmissionsPlan {
  readonly seed: string;
  readonly files: number;
  readonly perFile: number;
}

export const SUBMISSIONS: SubmissionsPlan = { seed: 'submissions', files: 50, perFile: 82 };

export interface GeneratedFile {
  /** As the input bucket has it. */
  readonly key: string;
  readonly path: string;
  readonly decodedBytes: number;
}

const XZ_EVERY = 10;
const COMPRESSED_AT_ONCE = 2;

/** Writes `0.lzma`, `1.lzma` …, and `input.txt` with lines `key TAB name`, into a folder. */
export async function generateSubmissions(folder: string, plan: SubmissionsPlan): Promise<GeneratedFile[]> {
  await mkdir(folder, { recursive: true });
  const chance = chanceFor('submissions', plan.seed);
  const browsers = Array.from({ length: BROWSERS }, () => browserOf(chance));
  // Texts are drawn one after the other, whatever compresses meanwhile.
  const files = await pMap(
    Array.from({ length: plan.files }, (_, index) => index),
    async (index): Promise<GeneratedFile> => {
      const build = drawBuild(chance);
      const text = submissionLines(build, browsers, plan.perFile, chance);
      const key = keyOf(build, chance);
      const path = join(folder, `${index}.lzma`);
      await writeFile(path, await compress(text, index % XZ_EVERY === XZ_EVERY - 1 ? 'xz' : 'lzma'));
      return { key, path, decodedBytes: text.length };
    },
    { concurrency: COMPRESSED_AT_ONCE },
  );
  await writeFile(join(folder, 'input.txt'), files.map(({ key }, index) => `${key}\t${index}.lzma\n`).join(''));
  return files;
}

const MEASURES = 416;
/** Kinds of browsers, each with its own part of the measures. */
const BROWSERS = 4;
const HAS_MEASURE = 0.775;
const HAS_HISTOGRAM = 0.9;
/** Different texts of a measure that a kind of browser has. */
const VARIANTS = 9;

interface Browser {
  readonly histograms: readonly { readonly name: string; readonly variants: readonly string[] }[];
  readonly simpleMeasurements: readonly string[];
  /** Members of `info` that nobody reads. */
  readonly machine: object;
}

function browserOf(chance: Chance): Browser {
  const measures = measuresOf(OF_SUBMISSIONS, MEASURES).filter(() => chance.happens(HAS_MEASURE));
  return {
    histograms: measures.map((measure) => ({
      name: measure.name.replace('SIMPLE_MEASURES_', ''),
      variants: histogramTexts(measure, chance),
    })),
    simpleMeasurements: Array.from({ length: VARIANTS }, () => simpleMeasurements(chance)),
    machine: machineOf(chance),
  };
}

/** Browsers write fractions with all of their digits. */
function histogramTexts(measure: Measure, chance: Chance): string[] {
  const first = drawRow({ ...OF_SUBMISSIONS, decimals: 14, stray: 0 }, measure, 1, chance);
  const others = Array.from({ length: VARIANTS - 1 }, () => variedRow(OF_SUBMISSIONS, measure, first, chance));
  return [first, ...others].map((row) => `[${row.join(', ')}]`);
}

const SIMPLE = [
  ...['main', 'selectProfile', 'createTopLevelWindow', 'firstPaint', 'firstLoadURI', 'sessionRestored', 'uptime'],
  ...['shutdownDuration', 'delayedStartupStarted', 'delayedStartupFinished', 'startupCrashDetectionBegin'],
  ...['startupCrashDetectionEnd', 'maximalNumberOfConcurrentThreads', 'savedPings', 'sessionRestoreRestoring'],
  ...['startupSessionRestoreReadBytes', 'startupSessionRestoreWriteBytes', 'startupWindowVisibleReadBytes'],
  ...['startupWindowVisibleWriteBytes', 'debuggerAttached', 'startupInterrupted', 'AMI_startup_begin'],
  ...['AMI_startup_end', 'XPI_startup_begin', 'XPI_startup_end', 'XPI_finalUIStartup', 'sessionRestoreInitialized'],
];
const INNER = {
  js: ['setProto', 'customIter'],
  addonManager: ['XPIDB_parseDB_MS', 'XPIDB_saves_total', 'XPIDB_syncRead_MS', 'XPIDB_saves_late'],
};

function simpleMeasurements(chance: Chance): string {
  const value = (): number => Math.floor(spread(chance, 900, 2.5));
  const named = (names: readonly string[]): string => names.map((name) => `"${name}": ${value()}`).join(', ');
  const inner = Object.entries(INNER).map(([name, names]) => `"${name}": {${named(names)}}`);
  return `{${[named(SIMPLE), ...inner].join(', ')}}`;
}

interface Build {
  readonly channel: string;
  readonly version: string;
  readonly reason: string;
  readonly buildId: string;
  readonly submissionDate: string;
  readonly revision: string;
}

const CHANNELS = new Weighted<readonly [channel: string, version: string]>([
  [['nightly', '28.0a1'], 30],
  [['nightly', '27.0a1'], 10],
  [['aurora', '27.0a2'], 18],
  [['beta', '26.0'], 20],
  [['release', '25.0'], 15],
  [['release', '24.0'], 7],
]);
/** Days from build to submission; the last is past the rule of 60 days. */
const AGES = [0, 1, 2, 3, 5, 9, 20, 45, 70];

function drawBuild(chance: Chance): Build {
  const [channel, version] = CHANNELS.pick(chance);
  const built = chance.below(40);
  return {
    channel,
    version,
    reason: chance.happens(0.8) ? 'saved_session' : 'idle_daily',
    buildId: `${dayAfter(built)}${['030201', '040203', '003042'][chance.below(3)]!}`,
    submissionDate: dayAfter(built + AGES[chance.below(AGES.length)]!),
    revision: `http://hg.mozilla.org/mozilla-central/rev/5a3b1e0c0de${chance.below(2)}`,
  };
}

function keyOf({ channel, version, reason, buildId, submissionDate }: Build, chance: Chance): string {
  return `${reason}/Firefox/${channel}/${version}/${buildId}.${submissionDate}.v2.log.${chance.hex(32)}.lzma`;
}

type System = readonly [os: string, versions: readonly (string | number)[], archs: readonly string[]];

const SYSTEMS = new Weighted<System>([
  [['WINNT', ['6.1', '5.1', '6.2', '6.0', '6.3'], ['x86', 'x86-64']], 70],
  [['Darwin', ['12.5.0', '13.0.0', '11.4.2', '10.8.0'], ['x86-64']], 12],
  [['Linux', ['3.11.0-12-generic', '3.8.0-31-generic', '3.2.0-54-generic', '2.6.32'], ['x86', 'x86-64']], 10],
  [['Android', [16, 17, 15, 18, 10], ['arm']], 8],
]);

function submissionLines(build: Build, browsers: readonly Browser[], count: number, chance: Chance): string {
  return Array.from({ length: count }, () => submissionLine(build, browsers[chance.below(BROWSERS)]!, chance)).join('');
}

function submissionLine(build: Build, browser: Browser, chance: Chance): string {
  const histograms: string[] = [];
  for (const { name, variants } of browser.histograms)
    if (chance.happens(HAS_HISTOGRAM)) histograms.push(`"${name}": ${variants[chance.below(VARIANTS)]!}`);
  const simple = browser.simpleMeasurements[chance.below(VARIANTS)]!;
  const id = [8, 4, 4, 4, 12].map((digits) => chance.hex(digits)).join('-');
  return `${id}\t{"info": ${infoText(build, browser, chance)}, ${UNREAD}, "histograms": {${histograms.join(', ')}}, "simpleMeasurements": ${simple}}\n`;
}

/** Members that nobody reads. */
const UNREAD =
  '"addonHistograms": {}, "lateWrites": {"memoryMap": [], "stacks": []}, "ver": 2, "slowSQL": {"mainThread": {}, "otherThreads": {}}, ' +
  '"addonDetails": {"XPI": {}}, "chromeHangs": {"memoryMap": [], "durations": [], "stacks": []}';

const ABILITIES = [
  'MMX',
  'SSE',
  'SSE2',
  'SSE3',
  'SSSE3',
  'SSE4A',
  'SSE4_1',
  'SSE4_2',
  'EDSP',
  'ARMv6',
  'ARMv7',
  'NEON',
];

function infoText(
  { channel, version, reason, buildId, revision }: Build,
  { machine }: Browser,
  chance: Chance,
): string {
  const [os, versions, archs] = SYSTEMS.pick(chance);
  const osVersion = versions[Math.min(versions.length - 1, Math.floor(exponential(chance, 1.1)))];
  const info = {
    reason: reason.replace('_', '-'),
    ...{ OS: os, version: osVersion, arch: archs[chance.below(archs.length)]!, revision },
    ...{ appID: '{ec8030f7-c20a-464f-9b0e-13a3a9e97384}', appName: 'Firefox', appVersion: version },
    ...{ appBuildID: buildId, platformBuildID: buildId, appUpdateChannel: channel, locale: 'en-US' },
    ...machine,
  };
  return JSON.stringify(info);
}

function machineOf(chance: Chance): object {
  return {
    ...{ cpucount: 2 ** chance.below(4), memsize: 1024 * 2 ** chance.below(4), flashVersion: '11.9.900.117' },
    ...{
      adapterDescription: 'A display adapter',
      adapterVendorID: '0x0000',
      adapterDeviceID: '0x0000',
      adapterRAM: '1024',
    },
    ...{
      adapterDriver: 'driver-one driver-two driver-three',
      adapterDriverVersion: '9.1.1.1',
      adapterDriverDate: '1-1-2013',
    },
    ...Object.fromEntries(ABILITIES.map((name) => [`has${name}`, chance.happens(0.5)])),
    ...{ DWriteEnabled: true, DWriteVersion: '6.2.9200.16492', D2DEnabled: true },
    addons:
      'addon-one%40example.org:1.0.1,addon-two%40example.org:2.4,addon-three%40example.org:25.0,addon-four%40example.org:3.6',
  };
}

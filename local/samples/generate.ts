/** Writing sample submissions: files as the input bucket holds them, their definitions, and what a correct pipeline counts in them. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pMap from 'p-map';
import { compress } from './containers.ts';
import { addSubmissions, emptyCounts, type SampleCounts } from './counts.ts';
import { faultyLine, LINE_FAULTS, truncatedFile, withBadHistogram, wrongContainer } from './faults.ts';
import { definitionsText } from './measures.ts';
import { everydayFiles, manyFiles, type SampleFile } from './partitions.ts';
import { plantedFiles, plantedTimes } from './planted-change.ts';
import { buildsBefore, platformOf } from './population.ts';
import { type Chance, chanceFor } from './random.ts';
import { type SampleRecord, sampleRecord } from './session.ts';

export interface SampleInput {
  readonly seed: string;
  /** Submission days as `YYYYMMDD`; builds are made shortly before the first one. */
  readonly days: readonly string[];
  /** Holds `submissions/<input key>` and `definitions/<repo path>/<changeset>/Histograms.json` afterwards. */
  readonly directory: string;
  /** Most submissions in one file. */
  readonly submissionsPerFile?: number;
  /** For tests of whole days, and the demo, whose time goes into publishing three files for each measure: only the first so many. */
  readonly measures?: number;
  /** For tests of whole days: only these, as `nightly/28`; else six of three channels. */
  readonly channelVersions?: readonly string[];
  /** For the demo: a measure that changes with a build (`planted-change.ts`). */
  readonly plantedChange?: true;
  /** For benchmarks: exactly this many full files without any fault, instead of the everyday mix. */
  readonly files?: number;
  /** For benchmarks: different records in a file; the others repeat them under other ids. */
  readonly distinctPerFile?: number;
}

/** Raise it with every change of the bytes; older sample folders are then made again. */
const GENERATOR_VERSION = 2;
const SUBMISSIONS_PER_FILE = 80;
/** liblzma's threads: two keep two cores busy while this thread draws the next file. */
const CONCURRENT_FILES = 2;
const EVERY_BAD_HISTOGRAM = 150;
const XZ_SHARE = 0.2;

/**
 * Writes the samples unless the directory already holds exactly these. Equal input gives equal bytes.
 * @returns what a correct pipeline finds in them
 */
export async function generateSamples(input: SampleInput): Promise<SampleCounts> {
  const { directory, ...rest } = input;
  const stampFile = join(directory, 'samples.json');
  const recipe = JSON.stringify({ generator: GENERATOR_VERSION, ...rest });
  const known = await readStamp(stampFile);
  if (known?.recipe === recipe) return known.counts;

  await rm(stampFile, { force: true });
  for (const folder of ['submissions', 'definitions'])
    await rm(join(directory, folder), { recursive: true, force: true });
  const counts = await writeSamples(input);
  await writeFile(`${stampFile}.new`, JSON.stringify({ recipe, counts } satisfies Stamp, null, 1));
  await rename(`${stampFile}.new`, stampFile);
  return counts;
}

interface Stamp {
  readonly recipe: string;
  readonly counts: SampleCounts;
}

async function readStamp(file: string): Promise<Stamp | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Stamp;
  } catch {
    return null;
  }
}

async function writeSamples(input: SampleInput): Promise<SampleCounts> {
  const { seed, days, directory, channelVersions } = input;
  const partitions = {
    ...{ seed, days, submissionsPerFile: input.submissionsPerFile ?? SUBMISSIONS_PER_FILE },
    ...(channelVersions !== undefined && { channelVersions }),
  };
  const everyday = input.files === undefined;
  const planted = input.plantedChange === true ? plantedFiles(days) : [];
  const files = everyday ? [...everydayFiles(partitions), ...planted] : manyFiles(partitions, input.files);
  const counts = emptyCounts();
  const bucket = join(directory, 'submissions');
  await pMap(
    files,
    async (file, index) => {
      const chance = chanceFor(seed, `file/${index}/${file.partition}`);
      const { lines, badHistograms } = fileLines(file, chance, input, everyday ? index : null);
      const container = chance.happens(XZ_SHARE) ? 'xz' : 'lzma';
      const text = `${lines.map(({ line }) => line).join('\n')}\n`;
      addSubmissions(counts, file, file.submissions);
      counts.files += 1;
      counts.badHistograms += badHistograms;
      counts.decodedBytes += Buffer.byteLength(text);
      for (const { fault } of lines) if (fault !== null) counts.badLines[fault] += 1;
      await writeObject(bucket, keyOf(file, chance, container), await compress(text, container));
    },
    { concurrency: CONCURRENT_FILES },
  );
  if (everyday) await writeDamagedObjects(bucket, input, files, counts);
  await writeDefinitions(join(directory, 'definitions'), days);
  return counts;
}

interface Line {
  readonly line: string;
  readonly fault: keyof SampleCounts['badLines'] | null;
}

/** A file's good lines; with a file number, every few files also a faulty line or a bad histogram. */
function fileLines(
  file: SampleFile,
  chance: Chance,
  input: Omit<SampleInput, 'seed' | 'directory'>,
  number: number | null,
) {
  const texts: string[] = [];
  const lines: Line[] = [];
  let badHistograms = 0;
  for (let index = 0; index < file.submissions; index += 1) {
    const id = uuid(chance);
    const repeated = input.distinctPerFile === undefined ? undefined : texts[index % input.distinctPerFile];
    if (repeated !== undefined) {
      lines.push({ line: `${id}\t${repeated}`, fault: null });
      continue;
    }
    const record = drawRecord(file, chance, input);
    const broken = number !== null && chance.below(EVERY_BAD_HISTOGRAM) === 0;
    if (broken) badHistograms += 1;
    const text = JSON.stringify(broken ? withBadHistogram(record) : record);
    texts.push(text);
    lines.push({ line: `${id}\t${text}`, fault: null });
    const fault = number !== null && index === 0 ? LINE_FAULTS[number % (2 * LINE_FAULTS.length)] : undefined;
    if (fault !== undefined) lines.push({ line: faultyLine(fault, uuid(chance), record), fault });
  }
  return { lines, badHistograms };
}

function drawRecord(
  file: SampleFile,
  chance: Chance,
  { days, measures, plantedChange }: Pick<SampleInput, 'days' | 'measures' | 'plantedChange'>,
): SampleRecord {
  const platform = platformOf(file.application, chance);
  // Charts need something to show: systems differ, and each day is a little slower than the one before.
  const slowness =
    (platform.OS === 'Android' ? 2.2 : 1) * (platform.version === '5.1' ? 1.4 : 1) * (1 + 0.03 * file.dayNumber);
  const { reason, application, build } = file;
  const planted = plantedChange === true && { times: plantedTimes(build, days[0] ?? '') };
  return sampleRecord({ reason, application, build, platform, slowness, ...planted }, chance, measures);
}

/** One file that breaks off, one in a wrong container, one object that is no submission file, one empty object. */
async function writeDamagedObjects(
  bucket: string,
  input: SampleInput,
  files: readonly SampleFile[],
  counts: SampleCounts,
): Promise<void> {
  const chance = chanceFor(input.seed, 'damaged objects');
  const [source] = files.filter((file) => file.submissions >= 20);
  if (source === undefined) throw new Error('no file is large enough to be cut');
  const { days, measures, plantedChange } = input;
  const drawn = {
    days,
    ...(measures !== undefined && { measures }),
    ...(plantedChange !== undefined && { plantedChange }),
  };
  const { lines } = fileLines(source, chance, drawn, null);
  const texts = lines.map(({ line }) => line);

  const cut = await truncatedFile(texts);
  counts.truncatedFile = keyOf(source, chance, 'lzma');
  await writeObject(bucket, counts.truncatedFile, cut.bytes);
  addSubmissions(counts, source, cut.completeLines);

  counts.wrongContainer = keyOf(source, chance, 'lzma');
  await writeObject(bucket, counts.wrongContainer, wrongContainer(`${texts.slice(0, 3).join('\n')}\n`));

  counts.strayObject = 'README.txt';
  await writeObject(bucket, counts.strayObject, Buffer.from('Published submissions; see the storage layout.\n'));
  counts.emptyObject = keyOf(source, chance, 'lzma');
  await writeObject(bucket, counts.emptyObject, Buffer.alloc(0));
}

async function writeDefinitions(directory: string, days: readonly string[]): Promise<void> {
  for (const [build] of buildsBefore(days[0] ?? '').flat()) {
    const file = join(build.repository, build.changeset, 'Histograms.json');
    await writeObject(directory, file, Buffer.from(definitionsText(build.definitions)));
  }
}

async function writeObject(directory: string, key: string, bytes: Buffer): Promise<void> {
  const file = join(directory, key);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

function keyOf(file: SampleFile, chance: Chance, suffix: string): string {
  return `${file.partition}.v2.log.${chance.hex(32)}.${suffix}`;
}

function uuid(chance: Chance): string {
  return [8, 4, 4, 4, 12].map((digits) => chance.hex(digits)).join('-');
}

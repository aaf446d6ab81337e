/**
 * The adoption: what the original published becomes the first commit of this data set (docs/protocol.md C1–C10). All
 * that readers could see is staged first; one conditional PUT then gives the map its `$head`, with the same folders as
 * before. Everything before it is create-once and named by content, so an interrupted adoption continues when it
 * is started again.
 */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { dataSetStores } from '../state/owner.ts';
import { commitLedger, readPointer } from '../state/pointer.ts';
import { writeProjections } from '../state/projections.ts';
import { inflatedText } from '../state/documents.ts';
import {
  adoptedEntryOf,
  type AdoptedHistory,
  adoptedLedger,
  adoptedName,
} from '../pipeline/dataset/adoption/adopted-entry.ts';
import { isOurs, parseOriginalVersions } from '../pipeline/dataset/adoption/original-versions.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { serialiseLedger } from '../pipeline/dataset/ledger-document.ts';
import { NO_METRICS } from '../metrics.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { publishedNames } from '../state/keys.ts';
import type { AdoptedFolder } from '../state/adoption.ts';
import { adoptOneFolder, writeManifest } from './adopted-folder.ts';
import { type AdoptedLists, adoptLists } from './adopted-lists.ts';
import {
  type AdoptionInput,
  type AdoptionPorts,
  type AdoptionProgress,
  AdoptionRefused,
  type AdoptionResult,
} from './adoption.ts';
import { adoptionTarget, type Target } from './adoption-target.ts';

const CHECKS_AT_ONCE = 16;

/**
 * @throws AdoptionRefused with a text for people, when there is nothing to adopt, when something is not understood, or when
 *   another writer was there; readers see what they saw before
 */
export async function adoptSpace(
  ports: AdoptionPorts,
  input: AdoptionInput,
  progress: AdoptionProgress,
  signal: AbortSignal,
): Promise<AdoptionResult> {
  const { original, dryRun, leaveOut } = input;
  progress.step = 'reading versions.json';
  const target = await adoptionTarget(ports, input, signal);
  if (target.kind === 'adopted') return alreadyAdopted(ports, input, target.ledger, signal);
  const { body, modified } = target.map;
  const { folders, problems } = understood(original.name, () => parseOriginalVersions(inflatedText(body), leaveOut));
  const read = await readFolders(ports, input, folders, progress, signal);
  progress.step = 'sorting FILES_PROCESSED and FILES_MISSING';
  const lists = await adoptLists(ports, input, signal).catch((error: unknown) => {
    if (!(error instanceof InvalidDataError)) throw error;
    problems.push(`FILES_PROCESSED or FILES_MISSING: ${error.message}`);
    return null;
  });
  if (lists === null || problems.length + read.problems.length > 0)
    throw refusal(input, [...problems, ...read.problems]);

  const name = adoptedName(modified);
  const result = resultOf(ports, input, name, read.folders, lists);
  if (dryRun) return { ...result, outcome: 'planned', seq: null };
  progress.step = 'writing manifests';
  await pMap(read.folders, (folder) => writeManifest(ports, folder, signal), { concurrency: CHECKS_AT_ONCE });
  progress.step = 'switching versions.json';
  const ledger = await commit(ports, target, historyOf(name, read.folders, lists), signal);
  progress.step = 'writing the lists';
  await writeProjectionsOf(ports, signal);
  return { ...result, outcome: 'adopted', seq: ledger.seq };
}

function understood<T>(place: string, parse: () => T & { problems: readonly string[] }): T & { problems: string[] } {
  try {
    const parsed = parse();
    return { ...parsed, problems: [...parsed.problems] };
  } catch (error) {
    const isDamage = error instanceof InvalidDataError || (error instanceof Error && 'code' in error);
    if (!isDamage) throw error;
    throw new AdoptionRefused(`${place}${publishedNames.versions} is not understood: ${error.message}`);
  }
}

async function readFolders(
  ports: AdoptionPorts,
  input: AdoptionInput,
  folders: ReadonlyMap<string, string>,
  progress: AdoptionProgress,
  signal: AbortSignal,
): Promise<{ folders: AdoptedFolder[]; problems: string[] }> {
  progress.step = 'reading folders';
  progress.channelVersions = folders.size;
  const problems: string[] = [];
  const read = await pMap(
    folders,
    async (entry) => {
      try {
        const onFile = (): void => {
          progress.files += 1;
        };
        return [await adoptOneFolder(ports, input, entry, onFile, signal)];
      } catch (error) {
        if (!(error instanceof InvalidDataError)) throw error;
        problems.push(`${entry[0]}: folder ${entry[1]}: ${error.message}`);
        return [];
      } finally {
        progress.ready += 1;
      }
    },
    // Each holds a folder on disk and a thread.
    { concurrency: ports.settings.threads },
  );
  return { folders: read.flat(), problems: problems.sort() };
}

function refusal({ original }: AdoptionInput, problems: readonly string[]): AdoptionRefused {
  return new AdoptionRefused(
    [
      `${original.name} cannot be adopted as it is; nothing was switched:`,
      ...problems.map((problem) => `  ${problem}`),
      'Restore what is broken, or go without it: --leave-out CHANNEL/VERSION takes an entry out of versions.json for good.',
    ].join('\n'),
  );
}

/** C6 to C8. A commit id is made from what is committed, so that two adoptions at once are one. */
async function commit(
  ports: AdoptionPorts,
  target: Exclude<Target, { kind: 'adopted' }>,
  history: AdoptedHistory,
  signal: AbortSignal,
): Promise<Ledger> {
  const { published, settings } = ports;
  const stores = { ...dataSetStores(ports), metrics: NO_METRICS };
  const key = settings.publishedPrefix + publishedNames.versions;
  const parent = target.kind === 'empty' ? target.pointer.ledger : null;
  const id = sha256(serialiseLedger(adoptedLedger(parent, history, 'adopted'))).slice(0, 32);
  const ledger = adoptedLedger(parent, history, `adoption-${id}`);
  const current =
    target.kind === 'empty'
      ? { etag: target.etag, versions: target.pointer.versions, ledger: parent }
      : { etag: target.etag, versions: null, ledger: null };
  if ((await commitLedger(stores, current, ledger, signal)) === 'committed') return ledger;
  const stored = inflatedText((await published.get(key, { signal })).body);
  if (isOurs(stored)) {
    const now = await readPointer(stores, signal);
    if (now.ledger.entries.get(history.name)?.runId === ledger.commit) return now.ledger;
  }
  throw new AdoptionRefused(
    `s3://${published.bucket}/${key} was written by someone else meanwhile; nothing was switched. Stop the original's aggregator, or whatever else publishes there, and adopt again`,
  );
}

async function alreadyAdopted(
  ports: AdoptionPorts,
  input: AdoptionInput,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<AdoptionResult> {
  const adopted = adoptedEntryOf(ledger);
  if (adopted === undefined) throw new Error('not adopted');
  const [name, { files, fileLists }] = adopted;
  // An adoption that stopped right after the switch left the original's lists.
  if (ledger.entries.size === 1 && !input.dryRun) await writeProjectionsOf(ports, signal);
  const result = resultOf(ports, input, name, [], { files, fileLists, badLines: 0 });
  return { ...result, outcome: 'already-adopted', seq: ledger.seq, leftOut: [] };
}

function resultOf(
  { published, settings }: AdoptionPorts,
  { original, leaveOut }: AdoptionInput,
  entry: string,
  folders: readonly AdoptedFolder[],
  { files, badLines }: AdoptedLists,
): Omit<AdoptionResult, 'outcome' | 'seq'> {
  return {
    entry,
    original: original.name,
    versions: `s3://${published.bucket}/${settings.publishedPrefix}${publishedNames.versions}`,
    channelVersions: folders.map(({ channelVersion, folder, measures, rows, faults }) => ({
      channelVersion,
      folder,
      measures,
      rows,
      faults,
    })),
    leftOut: leaveOut,
    files,
    badLines,
  };
}

function historyOf(
  name: string,
  folders: readonly AdoptedFolder[],
  { files, fileLists }: AdoptedLists,
): AdoptedHistory {
  const channelVersions = new Map(
    folders.map(({ channelVersion, folder, base }) => [channelVersion, { folder, base }]),
  );
  return { name, files, fileLists, channelVersions };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function writeProjectionsOf(
  { analysis, published, threads, settings }: AdoptionPorts,
  signal: AbortSignal,
): Promise<void> {
  const { publishedPrefix, workDirectory } = settings;
  await writeProjections({ analysis, published, publishedPrefix, threads }, workDirectory, signal);
}

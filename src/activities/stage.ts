/** Stage 6: one channel/version is rendered from its segments into a folder of its own, which no one sees before the commit. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cancellationSignal, log } from '@temporalio/activity';
import pMap from 'p-map';
import { failure } from '../failures.ts';
import { failpoint } from '../failpoints.ts';
import { nextFolderName } from '../pipeline/dataset/folder-name.ts';
import { MANIFEST_NAME, type ManifestFile, serialiseManifest } from '../pipeline/dataset/manifest.ts';
import { partsOf } from '../pipeline/dataset/named-slots.ts';
import type { FoldedDays } from '../pipeline/dataset/ledger.ts';
import { type Fold, compactedEntry, type Compaction } from '../pipeline/dataset/compaction.ts';
import type { PreviousFiles } from '../pipeline/dataset/previous-snapshot.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { type RunRef, stateKeys } from '../state/keys.ts';
import { ObjectMissingError, type ObjectStore } from '../ports.ts';
import { answeringPort } from '../threads/definition-port.ts';
import type { RenderSnapshotInput, RenderSnapshotResult } from '../threads/render-snapshot.ts';
import { inWorkFolder } from '../work-folder.ts';
import { heartbeating } from './context.ts';
import type { ActivityPorts } from './ports.ts';
import {
  FOLDER_FILE_HEADERS,
  type Publication,
  type PublicationInput,
  type SnapshotPlan,
  type StagedSnapshot,
} from '../state/publication.ts';
import { createJsonOnce, inflatedText, readJson, readJsonIfPresent } from '../state/documents.ts';

export interface StagedSummary {
  readonly channelVersion: string;
  readonly folder: string | null;
  readonly damage: string | null;
  readonly files: number;
  readonly measures: number;
  readonly definitionsPending: number;
  readonly definitionsDerived: number;
  readonly lengthMismatch: number;
}

const TRANSFERS_AT_ONCE = 32;

export function createSnapshotActivities(
  ports: Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'findHistogramsFile' | 'settings'>,
) {
  const { analysis, published, threads, findHistogramsFile, settings } = ports;
  const { publishedPrefix } = settings;

  return {
    /** Renders one channel/version into a folder that no one sees yet (C4, C5). An unchanged one of an earlier attempt is used again. */
    async stageSnapshot({
      run,
      attempt,
      index,
    }: PublicationInput & { readonly index: number }): Promise<StagedSummary> {
      const signal = cancellationSignal();
      const key = stateKeys.staged(run, attempt, index);
      const counts = { files: 0 };
      return heartbeating(
        () => counts,
        async () => {
          const known = (await readJsonIfPresent(analysis, key, signal)) as StagedSnapshot | undefined;
          const staged =
            known ?? (await createJsonOnce(analysis, key, await stage(run, attempt, index, counts, signal), signal));
          const {
            channelVersion,
            folder,
            damage,
            files,
            measures,
            definitionsPending,
            definitionsDerived,
            lengthMismatch,
          } = staged;
          log.info('snapshot staged', { runId: run.runId, channelVersion, folder, files });
          return {
            channelVersion,
            folder,
            damage,
            files,
            measures,
            definitionsPending: definitionsPending.length,
            definitionsDerived,
            lengthMismatch,
          };
        },
      );
    },
  };

  async function stage(
    run: RunRef,
    attempt: number,
    index: number,
    counts: { files: number },
    signal: AbortSignal,
  ): Promise<StagedSnapshot> {
    const publication = (await readJson(analysis, stateKeys.publication(run, attempt), signal)) as Publication;
    const plan = publication.snapshots[index];
    if (plan === undefined)
      throw failure('StateDamaged', `Publication ${attempt} of ${run.runId} has no snapshot ${index}`);
    const earlier = await stagedBefore(run, attempt, plan, signal);
    if (earlier !== undefined) return earlier;
    try {
      return await render(plan, run, counts, signal);
    } catch (error) {
      const damage = damageOf(error);
      if (damage === undefined) throw error;
      log.error('channel/version cannot be rendered', { channelVersion: plan.channelVersion, damage });
      return {
        ...plan,
        folder: null,
        damage,
        measures: 0,
        rows: 0,
        files: 0,
        definitionsPending: [],
        definitionsDerived: 0,
        lengthMismatch: 0,
      };
    }
  }

  async function render(
    plan: SnapshotPlan,
    run: RunRef,
    counts: { files: number },
    signal: AbortSignal,
  ): Promise<StagedSnapshot> {
    return inWorkFolder(settings.workDirectory, async (work) => {
      const previous = plan.previousFolder === null ? null : await readPrevious(plan.previousFolder, signal);
      const parts = new LocalParts(analysis, work, signal);
      const stored =
        plan.sealing === undefined ? undefined : await compact(plan.channelVersion, plan.sealing, run, parts);
      const keys = stored === undefined ? plan.parts : partsOf(stored);
      const rendered = join(work, 'folder');
      await mkdir(rendered);
      const { files, summary } = await renderFiles(
        { parts: await parts.paths(keys), previous, folder: rendered },
        signal,
      );
      const folder = await claimFolder(plan, run, signal);
      await uploadFolder(folder, rendered, files, counts, signal);
      await failpoint('stage.beforeManifest', signal);
      const manifest = serialiseManifest({ channelVersion: plan.channelVersion, segments: keys, files });
      await published.createOnce(
        `${publishedPrefix}${folder}/${MANIFEST_NAME}`,
        gzipSync(manifest),
        FOLDER_FILE_HEADERS,
        signal,
      );
      const { pending, missing, mismatch } = summary.definitions;
      return {
        ...plan,
        folder,
        damage: null,
        measures: summary.measures,
        rows: summary.rows,
        files: files.length,
        definitionsPending: pending,
        definitionsDerived: missing.length + mismatch.length,
        lengthMismatch: summary.lengthMismatch.submissions,
        ...(stored !== undefined && { stored }),
      };
    });
  }

  /** Folds old days; a repeated call of the run finds its own objects. */
  async function compact(channelVersion: string, compaction: Compaction, run: RunRef, parts: LocalParts) {
    const sum = async ({ days, parts: keys, existing }: Fold): Promise<FoldedDays> => {
      if (existing !== null) return existing;
      const output = parts.newPath();
      const merged = await threads.mergePartFiles({ parts: await parts.paths(keys), output }, parts.signal);
      const key = stateKeys.compactedDays(channelVersion, merged.sha256, run);
      const body = { path: output, size: merged.storedBytes };
      await analysis.createOnce(key, body, { contentType: 'application/zstd' }, parts.signal);
      parts.keep(key, output);
      return { key, sha: merged.sha256, slots: merged.slots, days };
    };
    const base = await sum(compaction.base);
    const beneath = compaction.beneath === null ? null : await sum(compaction.beneath);
    log.info('old days compacted', { channelVersion, days: base.days.length, kept: compaction.kept.length });
    return compactedEntry(compaction, { base, beneath });
  }

  async function renderFiles(
    input: Omit<RenderSnapshotInput, 'definitions'>,
    signal: AbortSignal,
  ): Promise<RenderSnapshotResult> {
    const answering = findHistogramsFile === null ? null : answeringPort(findHistogramsFile);
    try {
      return await threads.renderSnapshotFiles({ ...input, definitions: answering?.port ?? null }, signal);
    } finally {
      answering?.close();
    }
  }

  /** A rebase renders only what the other commit touched. */
  async function stagedBefore(
    run: RunRef,
    attempt: number,
    plan: SnapshotPlan,
    signal: AbortSignal,
  ): Promise<StagedSnapshot | undefined> {
    if (attempt === 1) return undefined;
    const before = (await readJson(analysis, stateKeys.publication(run, attempt - 1), signal)) as Publication;
    const index = before.snapshots.findIndex(
      ({ channelVersion, previousFolder, parts, sealing }) =>
        channelVersion === plan.channelVersion &&
        previousFolder === plan.previousFolder &&
        parts.join('\n') === plan.parts.join('\n') &&
        JSON.stringify(sealing) === JSON.stringify(plan.sealing),
    );
    return index < 0
      ? undefined
      : ((await readJsonIfPresent(analysis, stateKeys.staged(run, attempt - 1, index), signal)) as
          StagedSnapshot | undefined);
  }

  async function readPrevious(folder: string, signal: AbortSignal): Promise<PreviousFiles> {
    const read = async (name: string): Promise<string> => {
      const { body } = await published.get(`${publishedPrefix}${folder}/${name}`, { signal });
      return inflatedText(body);
    };
    return {
      filterTree: await read('filter-tree.json'),
      histograms: await read('histograms.json'),
      revisions: await read('revisions.json'),
    };
  }

  /** A name that no other publisher, and no other attempt, writes into. */
  async function claimFolder(
    { channelVersion, previousFolder }: SnapshotPlan,
    run: RunRef,
    signal: AbortSignal,
  ): Promise<string> {
    let folder = nextFolderName(channelVersion, new Date(), previousFolder ?? undefined);
    while (
      (await analysis.createOnce(stateKeys.folderClaim(folder), Buffer.from(run.runId), {}, signal)) === 'exists'
    ) {
      folder = nextFolderName(channelVersion, new Date(), folder);
    }
    return folder;
  }

  async function uploadFolder(
    folder: string,
    rendered: string,
    files: readonly ManifestFile[],
    counts: { files: number },
    signal: AbortSignal,
  ): Promise<void> {
    await pMap(
      files,
      async ({ name, bytes }) => {
        await published.createOnce(
          `${publishedPrefix}${folder}/${name}`,
          { path: join(rendered, name), size: bytes },
          FOLDER_FILE_HEADERS,
          signal,
        );
        counts.files += 1;
        await failpoint('stage.midFolder', signal);
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  }
}

/** Objects of the state as files in a work folder, each fetched once. */
class LocalParts {
  readonly signal: AbortSignal;
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #paths = new Map<string, string>();
  #files = 0;

  constructor(store: ObjectStore, folder: string, signal: AbortSignal) {
    this.signal = signal;
    this.#store = store;
    this.#folder = folder;
  }

  newPath(): string {
    this.#files += 1;
    return join(this.#folder, `part-${this.#files}`);
  }

  /** The object's content is in this file already. */
  keep(key: string, path: string): void {
    this.#paths.set(key, path);
  }

  /** In the order of the keys. */
  async paths(keys: readonly string[]): Promise<string[]> {
    return pMap(
      keys,
      async (key) => {
        const known = this.#paths.get(key);
        if (known !== undefined) return known;
        const path = this.newPath();
        await this.#store.getToFile(key, path, { signal: this.signal });
        this.keep(key, path);
        return path;
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  }
}

const DAMAGED = new Set(['bad_part', 'unsorted_slots', 'bad_filter_tree', 'bad_histograms', 'bad_revisions']);

/** What is wrong with the stored data of a channel/version, in words; undefined for any other kind of error. */
function damageOf(error: unknown): string | undefined {
  if (error instanceof ObjectMissingError) return error.message;
  return error instanceof InvalidDataError && DAMAGED.has(error.reason) ? error.message : undefined;
}

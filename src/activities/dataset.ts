/** Stages 6 and 7: snapshots are staged in folders of their own, then one conditional PUT shows them all (PROTOCOL.md C1–C8). */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { cancellationSignal, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import pMap from 'p-map';
import { FailureType } from '../errors.ts';
import {
  type Contribution as DayContribution,
  decide,
  type Decision,
  replaceDay,
  completeLedger,
} from '../pipeline/dataset/day-replacement.ts';
import { nextFolderName } from '../pipeline/dataset/folder-name.ts';
import { type Ledger, type Segment, serialiseLedger } from '../pipeline/dataset/ledger.ts';
import { MANIFEST_NAME, type ManifestFile, serialiseManifest } from '../pipeline/dataset/manifest.ts';
import type { PreviousFiles } from '../pipeline/dataset/previous-snapshot.ts';
import { nextVersions, serialiseVersions } from '../pipeline/dataset/versions.ts';
import { type RunRef, stateKeys } from '../pipeline/state-keys.ts';
import type { Contribution } from './contribution.ts';
import { heartbeating } from './heartbeating.ts';
import { flipPointer, type Pointer, readLedger, readPointer } from './pointer.ts';
import type { ActivityPorts } from './ports.ts';
import { createJsonOnce, readJson, readJsonIfPresent } from './stored-json.ts';
import { inWorkFolder } from '../work-folder.ts';

export interface PublicationInput {
  readonly run: RunRef;
  /** From 1; every rebase onto another commit is a new attempt. */
  readonly attempt: number;
  /** Id of the commit to be. */
  readonly commit: string;
}

/** What an attempt to publish starts from; stored once, so that all its activities agree. */
interface Publication {
  readonly commit: string;
  readonly decision: Decision;
  readonly pointerEtag: string;
  readonly baseLedger: string;
  readonly seq: number;
  readonly snapshots: readonly SnapshotPlan[];
}

interface SnapshotPlan {
  readonly channelVersion: string;
  readonly previousFolder: string | null;
  /** Keys of base and segments, in the order in which they are added. */
  readonly parts: readonly string[];
}

/** One staged folder; the first attempt that ends it wins. */
interface StagedSnapshot extends SnapshotPlan {
  readonly folder: string;
  readonly measures: number;
  readonly rows: number;
  readonly files: number;
  readonly definitionsPending: readonly string[];
  readonly definitionsDerived: number;
  readonly lengthMismatch: number;
}

export interface PublicationSummary {
  readonly decision: Decision;
  readonly snapshots: number;
  /** Commit that the attempt builds on. */
  readonly seq: number;
}

export interface StagedSummary {
  readonly channelVersion: string;
  readonly folder: string;
  readonly files: number;
  readonly measures: number;
  readonly definitionsPending: number;
  readonly definitionsDerived: number;
  readonly lengthMismatch: number;
}

export interface CommitResult {
  /** `moved`: another commit came first; plan again. */
  readonly outcome: 'committed' | 'moved' | 'superseded';
  readonly seq: number;
}

const TRANSFERS_AT_ONCE = 32;
const JSON_HEADERS = {
  contentType: 'application/json',
  contentEncoding: 'gzip',
  cacheControl: 'public, max-age=31536000, immutable',
} as const;

export function createDatasetActivities(ports: Pick<ActivityPorts, 'analysis' | 'published' | 'threads' | 'settings'>) {
  const { analysis, published, threads, settings } = ports;
  const { publishedPrefix } = settings;
  const stores = { analysis, published, publishedPrefix };

  return {
    /** Reads the pointer and decides what this run has to render (C1–C3). */
    async planPublication({ run, attempt, commit }: PublicationInput): Promise<PublicationSummary> {
      const signal = cancellationSignal();
      const key = stateKeys.publication(run, attempt);
      const known = (await readJsonIfPresent(analysis, key, signal)) as Publication | undefined;
      const publication =
        known ??
        (await createJsonOnce(
          analysis,
          key,
          await planFrom(await readPointer(stores, signal), run, commit, signal),
          signal,
        ));
      const { decision, snapshots, seq } = publication;
      log.info('publication planned', { runId: run.runId, attempt, decision, snapshots: snapshots.length, seq });
      return { decision, snapshots: snapshots.length, seq };
    },

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
          const { channelVersion, folder, files, measures, definitionsPending, definitionsDerived, lengthMismatch } =
            staged;
          log.info('snapshot staged', { runId: run.runId, channelVersion, folder, files });
          return {
            channelVersion,
            folder,
            files,
            measures,
            definitionsPending: definitionsPending.length,
            definitionsDerived,
            lengthMismatch,
          };
        },
      );
    },

    /** Writes the ledger and flips the pointer (C6–C8). After a lost answer nothing is cleaned up: the pointer tells what happened. */
    async commitDataset({ run, attempt }: PublicationInput): Promise<CommitResult> {
      const signal = cancellationSignal();
      const publication = (await readJson(analysis, stateKeys.publication(run, attempt), signal)) as Publication;
      const contribution = await readContribution(run, signal);
      const pointer = await readPointer(stores, signal);
      if (pointer.versions.head.ledger !== publication.baseLedger) return resolve(pointer, contribution);

      const staged = await pMap(
        publication.snapshots,
        async (_, index) => (await readJson(analysis, stateKeys.staged(run, attempt, index), signal)) as StagedSnapshot,
        { concurrency: TRANSFERS_AT_ONCE },
      );
      await pMap(staged, ({ folder }) => demandManifest(folder, signal), { concurrency: TRANSFERS_AT_ONCE });
      const base = await readLedger(analysis, publication.baseLedger, signal);
      const { draft } = replaceDay(base, contribution);
      const ledger = completeLedger(
        base,
        draft,
        publication.commit,
        new Map(staged.map((snapshot) => [snapshot.channelVersion, snapshot])),
      );
      const ledgerKey = await storeLedger(ledger, signal);
      const versions = nextVersions(pointer.versions, ledger, ledgerKey, new Date());
      const flip = await flipPointer(stores, publication.pointerEtag, gzipSync(serialiseVersions(versions)), signal);
      log.info('pointer flipped', { runId: run.runId, attempt, flip, seq: ledger.seq });
      return flip === 'committed'
        ? { outcome: 'committed', seq: ledger.seq }
        : resolve(await readPointer(stores, signal), contribution);
    },
  };

  async function planFrom(pointer: Pointer, run: RunRef, commit: string, signal: AbortSignal): Promise<Publication> {
    const contribution = await readContribution(run, signal);
    const decision = decide(pointer.ledger, contribution);
    const { head } = pointer.versions;
    const replacement = decision === 'publish' ? replaceDay(pointer.ledger, contribution) : undefined;
    const snapshots = (replacement?.affected ?? []).map((channelVersion): SnapshotPlan => {
      const entry = replacement?.draft.channelVersions.get(channelVersion);
      const parts = [
        ...(entry?.base === null || entry?.base === undefined ? [] : [entry.base.key]),
        ...(entry?.segments ?? []).map(({ key }) => key),
      ];
      return { channelVersion, previousFolder: pointer.versions.folders.get(channelVersion) ?? null, parts };
    });
    return { commit, decision, pointerEtag: pointer.etag, baseLedger: head.ledger, seq: head.seq, snapshots };
  }

  /** What a pointer that is not the expected one means for this run: its contribution is in, or newer data is, or neither. */
  function resolve(pointer: Pointer, contribution: DayContribution): CommitResult {
    const decision = decide(pointer.ledger, contribution);
    const outcome = decision === 'no-op' ? 'committed' : decision === 'superseded' ? 'superseded' : 'moved';
    return { outcome, seq: pointer.versions.head.seq };
  }

  async function readContribution(run: RunRef, signal: AbortSignal): Promise<DayContribution> {
    const stored = (await readJson(analysis, stateKeys.contribution(run), signal)) as Contribution;
    const { runId, day, planAt, planned, done, failed, missing, files } = stored;
    const segments = new Map(
      stored.segments.map(({ channelVersion, key, sha256, slots }): [string, Omit<Segment, 'day'>] => [
        channelVersion,
        { key, sha: sha256, slots },
      ]),
    );
    const fileLists = { processed: stored.filesProcessedKey, missing: stored.filesMissingKey };
    return {
      day,
      entry: {
        runId,
        planAt,
        planned,
        done,
        failed,
        missing,
        files: { processed: files.processed, missing: files.missing },
        fileLists,
      },
      segments,
    };
  }

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
      throw ApplicationFailure.nonRetryable(
        `Publication ${attempt} of ${run.runId} has no snapshot ${index}`,
        FailureType.StateDamaged,
      );
    const earlier = await stagedBefore(run, attempt, plan, signal);
    if (earlier !== undefined) return earlier;
    return inWorkFolder(settings.workDirectory, async (work) => {
      const previous = plan.previousFolder === null ? null : await readPrevious(plan.previousFolder, signal);
      const parts = await pMap(
        plan.parts,
        async (key, part) => {
          const path = join(work, `part-${part}`);
          await analysis.getToFile(key, path, { signal });
          return path;
        },
        { concurrency: TRANSFERS_AT_ONCE },
      );
      const rendered = join(work, 'folder');
      await mkdir(rendered);
      const { files, summary } = await threads.renderSnapshotFiles(
        { parts, previous, definitions: settings.definitions, folder: rendered },
        signal,
      );
      const folder = await claimFolder(plan, run, signal);
      await uploadFolder(folder, rendered, files, counts, signal);
      const manifest = serialiseManifest({ channelVersion: plan.channelVersion, segments: plan.parts, files });
      await published.createOnce(
        `${publishedPrefix}${folder}/${MANIFEST_NAME}`,
        gzipSync(manifest),
        JSON_HEADERS,
        signal,
      );
      const { pending, missing, mismatch } = summary.definitions;
      return {
        ...plan,
        folder,
        measures: summary.measures,
        rows: summary.rows,
        files: files.length,
        definitionsPending: pending,
        definitionsDerived: missing.length + mismatch.length,
        lengthMismatch: summary.lengthMismatch.submissions,
      };
    });
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
      ({ channelVersion, previousFolder, parts }) =>
        channelVersion === plan.channelVersion &&
        previousFolder === plan.previousFolder &&
        parts.join('\n') === plan.parts.join('\n'),
    );
    return index < 0
      ? undefined
      : ((await readJsonIfPresent(analysis, stateKeys.staged(run, attempt - 1, index), signal)) as
          StagedSnapshot | undefined);
  }

  async function readPrevious(folder: string, signal: AbortSignal): Promise<PreviousFiles> {
    const read = async (name: string): Promise<string> => {
      const { body } = await published.get(`${publishedPrefix}${folder}/${name}`, { signal });
      return (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString('utf8');
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
          JSON_HEADERS,
          signal,
        );
        counts.files += 1;
      },
      { concurrency: TRANSFERS_AT_ONCE },
    );
  }

  async function demandManifest(folder: string, signal: AbortSignal): Promise<void> {
    const key = `${publishedPrefix}${folder}/${MANIFEST_NAME}`;
    if ((await published.head(key, signal)) === undefined) {
      throw ApplicationFailure.nonRetryable(
        `s3://${published.bucket}/${key} is gone although the folder was staged`,
        FailureType.StateDamaged,
      );
    }
  }

  async function storeLedger(ledger: Ledger, signal: AbortSignal): Promise<string> {
    const text = serialiseLedger(ledger);
    const key = stateKeys.ledger(createHash('sha256').update(text).digest('hex'));
    await analysis.createOnce(key, gzipSync(text), { contentType: 'application/gzip' }, signal);
    return key;
  }
}

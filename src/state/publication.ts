/**
 * What the publishing activities of a run pass to each other: planned and staged snapshots. Stored once, so that all
 * agree.
 */
import pMap from 'p-map';
import type { Compaction, Fold } from '../pipeline/dataset/compaction.ts';
import { isChannelVersion } from '../pipeline/dataset/folder-name.ts';
import type { CompactedBase } from '../pipeline/dataset/ledger.ts';
import { readBase, readFolded, readSegment } from '../pipeline/dataset/ledger-document.ts';
import { PARQUET_NAME } from '../pipeline/dataset/parquet/aggregates-table.ts';
import type { HiddenSubmissions } from '../pipeline/dataset/snapshot.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectHeaders, ObjectStore } from '../ports.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { addressOf, type Codec, readDocument, readDocumentIfPresent, readOrCreate, undamaged } from './documents.ts';
import { stateKeys } from './keys.ts';

const CACHE_CONTROL = 'public, max-age=31536000, immutable';

/** Headers of a file of a published folder. Parquet is compressed inside: encoded as a whole, no part of it could be read. */
export function folderFileHeaders(name: string): ObjectHeaders {
  if (name === PARQUET_NAME) return { contentType: 'application/vnd.apache.parquet', cacheControl: CACHE_CONTROL };
  return { contentType: 'application/json', contentEncoding: 'gzip', cacheControl: CACHE_CONTROL };
}

const DECISIONS = ['publish', 'no-op', 'superseded', 'overlapping'] as const;

/** `overlapping`: a round has an input file that the data set counts already, so it must be planned again. */
export type PublicationDecision = (typeof DECISIONS)[number];

/** What an attempt to publish starts from. */
export type Publication = ReturnType<typeof readPublication>;
export type SnapshotPlan = ReturnType<typeof readSnapshotPlan>;
/** One staged folder; the first attempt to finish it wins. */
export type StagedSnapshot = ReturnType<typeof readStaged>;

function readPublication(root: StoredJson) {
  const displaced = root.optional('displaced')?.list((round) => round.text());
  return {
    commit: root.member('commit').text(),
    decision: oneOf(root.member('decision'), DECISIONS),
    pointerEtag: root.member('pointerEtag').text(),
    baseLedger: root.member('baseLedger').text(),
    seq: root.member('seq').count(),
    snapshots: root.member('snapshots').list(readSnapshotPlan),
    /** Rounds of continuous aggregation that the day replaces; absent in plans of earlier releases. */
    ...(displaced !== undefined && { displaced }),
  };
}

function readSnapshotPlan(stored: StoredJson) {
  const channelVersion = stored.member('channelVersion').textThat(isChannelVersion, 'a channel/version');
  const sealing = stored.optional('sealing');
  return {
    channelVersion,
    previousFolder: stored.member('previousFolder').nullOr((folder) => folder.text()),
    /** Keys of base and segments, in the order in which they are added. */
    parts: stored.member('parts').list((key) => key.text()),
    /** Old days that are folded on the way; absent when there are none. */
    ...(sealing !== undefined && { sealing: readCompaction(sealing) }),
  };
}

function readStaged(root: StoredJson) {
  const stored = root.optional('stored');
  return {
    ...readSnapshotPlan(root),
    /** Null when the stored data of the channel/version is gone or damaged: it stays as it is, the others are published. */
    folder: root.member('folder').nullOr((folder) => folder.text()),
    damage: root.member('damage').nullOr((damage) => damage.text()),
    measures: root.member('measures').count(),
    rows: root.member('rows').count(),
    files: root.member('files').count(),
    definitionsPending: root.member('definitionsPending').list((measure) => measure.text()),
    definitionsDerived: root.member('definitionsDerived').count(),
    lengthMismatch: root.member('lengthMismatch').count(),
    /** Absent in records of earlier releases. */
    hidden: root.optional('hidden')?.list(readHidden) ?? [],
    measuresLeftOut: root.optional('measuresLeftOut')?.count() ?? 0,
    rowsLeftOut: root.optional('rowsLeftOut')?.count() ?? 0,
    definitionFaults: root.optional('definitionFaults')?.list((fault) => fault.text()) ?? [],
    /** What the folder was rendered from, when that was compacted on the way. */
    ...(stored !== undefined && {
      stored: {
        base: stored.member('base').nullOr((base): CompactedBase => readBase(base)),
        segments: stored.member('segments').list(readSegment),
      },
    }),
  };
}

function readHidden(stored: StoredJson): HiddenSubmissions {
  return { measure: stored.member('measure').text(), submissions: stored.member('submissions').count() };
}

function readCompaction(stored: StoredJson): Compaction {
  return {
    base: readFold(stored.member('base')),
    beneath: stored.member('beneath').nullOr(readFold),
    kept: stored.member('kept').list(readSegment),
    segments: stored.member('segments').list(readSegment),
  };
}

function readFold(stored: StoredJson): Fold {
  return {
    days: stored.member('days').list((day) => day.text()),
    parts: stored.member('parts').list((key) => key.text()),
    existing: stored.member('existing').nullOr(readFolded),
  };
}

function oneOf<T extends string>(stored: StoredJson, values: readonly T[]): T {
  const value = values.find((each) => each === stored.value);
  return value ?? stored.fail(`one of ${values.join(', ')}`);
}

const PUBLICATION: Codec<Publication> = {
  what: 'the plan of a publication',
  parse: (text) => readPublication(StoredJson.document(text, 'bad_publication', 'plan of a publication')),
};
const STAGED: Codec<StagedSnapshot> = {
  what: 'the record of a staged snapshot',
  parse: (text) => readStaged(StoredJson.document(text, 'bad_staged', 'record of a staged snapshot')),
};

/** The one that is stored, or what `plan` brings. */
export async function publicationOf(
  store: ObjectStore,
  run: RunRef,
  attempt: number,
  plan: () => Promise<Publication>,
  signal: AbortSignal,
): Promise<Publication> {
  return (await readOrCreate(store, stateKeys.publication(run, attempt), PUBLICATION, plan, signal)).value;
}

/** @throws ApplicationFailure StateDamaged */
export async function readPublicationOf(
  store: ObjectStore,
  run: RunRef,
  attempt: number,
  signal: AbortSignal,
): Promise<Publication> {
  return readDocument(store, stateKeys.publication(run, attempt), PUBLICATION, signal);
}

/** The one that is stored, or what `stage` brings. */
export async function stagedSnapshot(
  store: ObjectStore,
  run: RunRef,
  attempt: number,
  index: number,
  stage: () => Promise<StagedSnapshot>,
  signal: AbortSignal,
): Promise<StagedSnapshot> {
  return (await readOrCreate(store, stateKeys.staged(run, attempt, index), STAGED, stage, signal)).value;
}

/** Undefined when that one was not staged. @throws ApplicationFailure StateDamaged */
export async function findStaged(
  store: ObjectStore,
  run: RunRef,
  attempt: number,
  index: number,
  signal: AbortSignal,
): Promise<StagedSnapshot | undefined> {
  return readDocumentIfPresent(store, stateKeys.staged(run, attempt, index), STAGED, signal);
}

const READS_AT_ONCE = 32;

/** All of an attempt, in order. @throws ApplicationFailure StateDamaged */
export async function readStagedSnapshots(
  store: ObjectStore,
  run: RunRef,
  attempt: number,
  plans: readonly SnapshotPlan[],
  signal: AbortSignal,
): Promise<StagedSnapshot[]> {
  return pMap(
    plans,
    async ({ channelVersion }, index) => {
      const key = stateKeys.staged(run, attempt, index);
      const staged = await readDocument(store, key, STAGED, signal);
      return undamaged(addressOf(store, key), STAGED.what, () => {
        if (staged.channelVersion === channelVersion) return staged;
        throw new InvalidDataError('bad_staged', `it is of ${staged.channelVersion}, its plan of ${channelVersion}`);
      });
    },
    { concurrency: READS_AT_ONCE },
  );
}

/** `contribution.json`: what a run adds to the data set. Stored once; the publishing activities and `verify` read it. */
import { InvalidDataError } from '../invalid-data.ts';
import type { ChunkRef } from '../run-ref.ts';
import { StoredJson } from '../stored-json.ts';
import type { Contribution } from './day-replacement.ts';
import { ENTRY_NAME } from './entry-name.ts';
import { isChannelVersion } from './folder-name.ts';
import { countFault } from './invariants.ts';

export type RunContribution = ReturnType<typeof readContribution>;

/** @throws InvalidDataError `bad_contribution`, also when its counts do not add up (I8): it must never be committed */
export function parseContribution(text: string): RunContribution {
  const contribution = readContribution(StoredJson.document(text, 'bad_contribution', 'contribution.json'));
  const fault = countFault(contribution);
  if (fault !== undefined) throw new InvalidDataError('bad_contribution', `contribution.json: ${fault} (I8)`);
  const names = contribution.segments.map(({ channelVersion }) => channelVersion);
  if (new Set(names).size !== names.length)
    throw new InvalidDataError('bad_contribution', 'contribution.json has a channel/version twice');
  return contribution;
}

function readContribution(root: StoredJson) {
  const files = root.member('files');
  const chunks = root.optional('chunks')?.list(readChunkRef);
  return {
    runId: root.member('runId').text(),
    /** `YYYYMMDD`, or the name of a round. */
    day: root.member('day').text(ENTRY_NAME),
    /** When the plan was stored, by the store's clock; the later plan wins the day. */
    planAt: root.member('planAt').instant(),
    planned: root.member('planned').count(),
    done: root.member('done').count(),
    failed: root.member('failed').count(),
    missing: root.member('missing').count(),
    files: {
      processed: files.member('processed').count(),
      missing: files.member('missing').count(),
      partial: files.member('partial').count(),
    },
    /** How many files are missing for which reason; absent in contributions of earlier releases. */
    missingReasons: root.optional('missingReasons')?.counts() ?? {},
    filesProcessedKey: root.member('filesProcessedKey').text(),
    filesMissingKey: root.member('filesMissingKey').text(),
    records: root.member('records').count(),
    skipped: root.member('skipped').counts(),
    /** The measures with most histograms left out; absent in contributions of earlier releases. */
    badHistograms: root.optional('badHistograms')?.counts() ?? {},
    dropped: root.member('dropped').counts(),
    failedTasks: root.member('failedTasks').counts(),
    segments: root.member('segments').list(readSegment),
    /** The states of the chunks that went in; absent in contributions of earlier releases. */
    ...(chunks !== undefined && { chunks }),
  };
}

function readSegment(stored: StoredJson) {
  const channelVersion = stored.member('channelVersion').textThat(isChannelVersion, 'a channel/version');
  return {
    channelVersion,
    key: stored.member('key').text(),
    sha256: stored.member('sha256').text(/^[0-9a-f]{16,64}$/),
    slots: stored.member('slots').count(),
  };
}

function readChunkRef(stored: StoredJson): ChunkRef {
  return {
    chunk: stored.member('chunk').count(),
    done: stored.member('done').count(),
    failed: stored.member('failed').count(),
  };
}

/** The part that goes into the ledger. */
export function ledgerContribution(run: RunContribution): Contribution {
  const { runId, day, planAt, planned, done, failed, missing, records, files, missingReasons } = run;
  return {
    day,
    entry: {
      runId,
      planAt,
      planned,
      done,
      failed,
      missing,
      records,
      files: { processed: files.processed, missing: files.missing },
      ...(Object.keys(missingReasons).length > 0 && { missingReasons }),
      fileLists: { processed: run.filesProcessedKey, missing: run.filesMissingKey },
    },
    segments: new Map(
      run.segments.map(({ channelVersion, key, sha256, slots }) => [channelVersion, { key, sha: sha256, slots }]),
    ),
  };
}

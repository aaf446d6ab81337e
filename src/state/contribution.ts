/** What a run adds to the data set: its segments, counts and lists of files. */
import { parseContribution, type RunContribution } from '../pipeline/dataset/contribution.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { addressOf, type Codec, readDocument, readOrCreate, undamaged } from './documents.ts';
import { runOfEntry, stateKeys } from './keys.ts';

const CONTRIBUTION: Codec<RunContribution> = { what: 'the contribution of a run', parse: parseContribution };

/** The one that is stored, or what `build` brings. */
export async function contributionOf(
  store: ObjectStore,
  run: RunRef,
  build: () => Promise<RunContribution>,
  signal: AbortSignal,
): Promise<{ readonly value: RunContribution; readonly isNew: boolean }> {
  return readOrCreate(store, stateKeys.contribution(run), CONTRIBUTION, build, signal);
}

/** @throws ApplicationFailure StateDamaged */
export async function readContribution(store: ObjectStore, run: RunRef, signal: AbortSignal): Promise<RunContribution> {
  const key = stateKeys.contribution(run);
  const contribution = await readDocument(store, key, CONTRIBUTION, signal);
  return undamaged(addressOf(store, key), CONTRIBUTION.what, () => belongingTo(run, contribution));
}

/** A document of another run, or one that names objects of others, must not become part of a commit. */
function belongingTo(run: RunRef, contribution: RunContribution): RunContribution {
  const { runId, day, segments, filesProcessedKey, filesMissingKey } = contribution;
  if (runOfEntry(day, runId).prefix !== run.prefix)
    throw new InvalidDataError('bad_contribution', `it is of run ${runId} of ${day}, not of ${run.prefix}`);
  const foreign =
    [filesProcessedKey, filesMissingKey].find((list) => !list.startsWith(run.prefix)) ??
    segments.find(({ channelVersion, key, sha256 }) => key !== stateKeys.segment(channelVersion, day, sha256))?.key;
  if (foreign === undefined) return contribution;
  throw new InvalidDataError('bad_contribution', `it names ${foreign}, which is none of its own objects`);
}

/** What a run adds to the data set: its segments, counts and lists of files. */
import { parseContribution, type RunContribution } from '../pipeline/dataset/contribution.ts';
import type { RunRef } from '../pipeline/run-ref.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readDocument, readOrCreate } from './documents.ts';
import { stateKeys } from './keys.ts';

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
  return readDocument(store, stateKeys.contribution(run), CONTRIBUTION, signal);
}

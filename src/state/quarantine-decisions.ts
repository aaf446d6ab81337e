/** What people have decided about quarantined things: that one is no problem, or that it goes for good. Each is recorded. */
import pMap from 'p-map';
import { isFailure } from '../failures.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, readDocumentIfPresent } from './documents.ts';
import { stateKeys } from './keys.ts';
import { findQuarantined, readQuarantined, shasBelow } from './quarantine.ts';

export type QuarantineDecision = ReturnType<typeof readDecision>;

function readDecision(root: StoredJson) {
  return {
    reason: root.member('reason').anyText(),
    /** Who said it. */
    by: root.member('by').anyText(),
    /** ISO, UTC. */
    at: root.member('at').text(),
  };
}

const DECISION: Codec<QuarantineDecision> = {
  what: 'a decision about a quarantined thing',
  parse: (text) => readDecision(StoredJson.document(text, 'bad_decision', 'decision')),
};

/** Which ones: by the first digits of their SHAs, or all that are older than an instant; null: all. */
export type QuarantineChoice = readonly string[] | { readonly before: Date | null };

const AT_ONCE = 16;

/** Why one is no problem; null: nobody has said so. One that cannot be read still says that somebody has decided. */
export async function readAcknowledged(
  analysis: ObjectStore,
  sha: string,
  signal: AbortSignal,
): Promise<QuarantineDecision | null> {
  try {
    return (await readDocumentIfPresent(analysis, stateKeys.quarantineAcknowledged(sha), DECISION, signal)) ?? null;
  } catch (error) {
    if (!isFailure(error, 'StateDamaged')) throw error;
    return { reason: error.message, by: '?', at: '?' };
  }
}

/**
 * From now on they are no problem; they stay where they are, and can be released.
 * @returns their SHAs
 * @throws InvalidDataError `bad_sha`, `unknown_sha`, `ambiguous_sha`, before anything is done
 */
export async function acknowledgeQuarantined(
  analysis: ObjectStore,
  choice: QuarantineChoice,
  decision: QuarantineDecision,
  signal: AbortSignal,
): Promise<string[]> {
  const chosen = await chosenShas(analysis, choice, signal);
  const body = Buffer.from(JSON.stringify(decision));
  await pMap(
    chosen,
    (sha) => analysis.put(stateKeys.quarantineAcknowledged(sha), body, { contentType: 'application/json' }, signal),
    { concurrency: AT_ONCE },
  );
  return chosen;
}

/**
 * They are problems again.
 * @returns the SHAs of those that were acknowledged
 * @throws InvalidDataError as above
 */
export async function withdrawQuarantined(
  analysis: ObjectStore,
  choice: QuarantineChoice,
  signal: AbortSignal,
): Promise<string[]> {
  const chosen = await chosenShas(analysis, choice, signal);
  const acknowledged = await shasBelow(analysis, stateKeys.allQuarantineAcknowledged, signal);
  const known = chosen.filter((sha) => acknowledged.has(sha));
  if (known.length > 0) await analysis.delete(known.map(stateKeys.quarantineAcknowledged), signal);
  return known;
}

/**
 * Takes them out for good. What went, why and by whom is recorded first; its content is gone afterwards.
 * @returns their SHAs
 * @throws InvalidDataError as above
 */
export async function purgeQuarantined(
  analysis: ObjectStore,
  choice: QuarantineChoice,
  decision: QuarantineDecision,
  signal: AbortSignal,
): Promise<string[]> {
  const chosen = await chosenShas(analysis, choice, signal);
  await pMap(
    chosen,
    async (sha) => {
      const { what, reason, message } = await readQuarantined(analysis, sha, signal);
      const record = Buffer.from(JSON.stringify({ ...decision, refused: { what, reason, message } }));
      await analysis.put(stateKeys.quarantinePurged(sha), record, { contentType: 'application/json' }, signal);
      // The entry last: whatever is left of an end in between is found by it again.
      await analysis.delete([stateKeys.quarantineReleased(sha), stateKeys.quarantineAcknowledged(sha)], signal);
      await analysis.delete([stateKeys.quarantine(sha)], signal);
    },
    { concurrency: AT_ONCE },
  );
  return chosen;
}

async function chosenShas(analysis: ObjectStore, choice: QuarantineChoice, signal: AbortSignal): Promise<string[]> {
  if ('before' in choice) {
    const { before } = choice;
    const found = await shasBelow(analysis, stateKeys.allQuarantined, signal);
    return [...found].filter(([, since]) => before === null || since < before).map(([sha]) => sha);
  }
  const chosen = new Set<string>();
  for (const each of choice) chosen.add((await findQuarantined(analysis, each, signal))[0]);
  return [...chosen];
}

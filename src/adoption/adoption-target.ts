/** What the published space holds before an adoption, and whether that may be replaced. */
import { dataSetStores, isOwnState } from '../state/owner.ts';
import { type Pointer, readPointer } from '../state/pointer.ts';
import { inflatedText } from '../state/documents.ts';
import { adoptedEntryOf } from '../pipeline/dataset/adoption/adopted-entry.ts';
import { isOurs } from '../pipeline/dataset/adoption/original-versions.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { publishedNames } from '../state/keys.ts';
import { ObjectMissingError } from '../ports.ts';
import type { OriginalSpace } from './original-space.ts';
import { type AdoptionInput, type AdoptionPorts, AdoptionRefused } from './adoption.ts';

interface OriginalMap {
  readonly body: Buffer;
  readonly modified: Date;
}

export type Target =
  /** The original's own map is there, and is replaced in place. */
  | { readonly kind: 'in-place'; readonly etag: string; readonly map: OriginalMap }
  /** An empty data set that was set up; the original is elsewhere. */
  | { readonly kind: 'empty'; readonly etag: string; readonly pointer: Pointer; readonly map: OriginalMap }
  | { readonly kind: 'adopted'; readonly ledger: Ledger };

/** @throws AdoptionRefused, ApplicationFailure WrongDataSet */
export async function adoptionTarget(
  ports: AdoptionPorts,
  { original, copy }: AdoptionInput,
  signal: AbortSignal,
): Promise<Target> {
  const { published, settings } = ports;
  const key = settings.publishedPrefix + publishedNames.versions;
  const place = `s3://${published.bucket}/${key}`;
  const stored = await getIfPresent(ports, key, signal);
  const ours = stored !== undefined && isOurs(textOrEmpty(stored.body));
  await isOwnState(dataSetStores(ports), signal);
  const pointer = ours ? await readPointer(dataSetStores(ports), signal) : undefined;
  if (pointer !== undefined) {
    const { entries, channelVersions, seq } = pointer.ledger;
    if (adoptedEntryOf(pointer.ledger) !== undefined) return { kind: 'adopted', ledger: pointer.ledger };
    if (entries.size + channelVersions.size > 0)
      throw new AdoptionRefused(
        `${place} is a data set of this application and has data in it (commit ${seq}): nothing can be adopted into it`,
      );
  }
  if (stored === undefined)
    throw new AdoptionRefused(
      `${place} does not exist. ${copy ? 'Begin an empty data set with "telemetry setup", then adopt into it' : 'Where the original published is named by TELEMETRY_PUBLISHED_BUCKET and TELEMETRY_PUBLISHED_PREFIX, or by --from'}`,
    );
  return copy ? fromElsewhere(original, place, pointer, signal) : inPlace(original, place, pointer, signal);
}

async function inPlace(
  original: OriginalSpace,
  place: string,
  pointer: Pointer | undefined,
  signal: AbortSignal,
): Promise<Target> {
  if (pointer !== undefined)
    throw new AdoptionRefused(
      `${place} is an empty data set of this application: name the place where the original published with --from`,
    );
  const map = await original.versions(signal);
  if (typeof map?.etag !== 'string') throw new AdoptionRefused(`${place} has just been deleted`);
  return { kind: 'in-place', etag: map.etag, map };
}

async function fromElsewhere(
  original: OriginalSpace,
  place: string,
  pointer: Pointer | undefined,
  signal: AbortSignal,
): Promise<Target> {
  if (pointer === undefined)
    throw new AdoptionRefused(
      `${place} is no data set of this application: adopt it in place, without --from, or set another TELEMETRY_PUBLISHED_PREFIX`,
    );
  const map = await original.versions(signal);
  if (map === undefined)
    throw new AdoptionRefused(
      `${original.name}${publishedNames.versions} does not exist: the original did not publish there`,
    );
  if (isOurs(textOrEmpty(map.body)))
    throw new AdoptionRefused(`${original.name} is a data set of this application, not one of the original`);
  return { kind: 'empty', etag: pointer.etag, pointer, map };
}

async function getIfPresent(
  { published }: AdoptionPorts,
  key: string,
  signal: AbortSignal,
): Promise<{ body: Buffer } | undefined> {
  try {
    return await published.get(key, { signal });
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined;
    throw error;
  }
}

/** A body that does not decompress is not ours; reading the map reports what is wrong with it. */
function textOrEmpty(body: Buffer): string {
  try {
    return inflatedText(body);
  } catch {
    return '';
  }
}

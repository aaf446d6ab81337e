/** The current commit: versions.json and its ledger. What cannot be read here ends the walk (I12, I5). */
import type { Pointer } from '../state/pointer.ts';
import { pointerFaults } from '../pipeline/dataset/invariants.ts';
import type { Ledger } from '../pipeline/dataset/ledger.ts';
import { parseLedger } from '../pipeline/dataset/ledger-document.ts';
import { parseVersions, type Versions } from '../pipeline/dataset/versions.ts';
import { publishedNames, stateKeys } from '../state/keys.ts';
import { RESTORE, RESTORE_POINTER } from './remedies.ts';
import type { Walk } from './walk.ts';

/** Undefined, with findings, when there is nothing to walk from. */
export async function readHead(walk: Walk): Promise<Pointer | undefined> {
  walk.step('versions.json');
  const pointer = await readVersions(walk);
  if (pointer === undefined) return undefined;
  const { versions, etag } = pointer;
  const ledger = await readLedger(walk, versions);
  if (ledger === undefined) return undefined;
  checkPointer(walk, versions, ledger);
  return { etag, versions, ledger };
}

async function readVersions(walk: Walk): Promise<{ versions: Versions; etag: string } | undefined> {
  const { published, settings } = walk.ports;
  const about = {
    invariant: 'I12',
    what: 'versions.json',
    action:
      'Put its last good version back (docs/operating.md, "Restore the data set"); never create an empty one. Only where nothing was ever published: run "telemetry setup"',
  } as const;
  const found = await walk.document(
    published,
    settings.publishedPrefix + publishedNames.versions,
    about,
    parseVersions,
  );
  return found === undefined ? undefined : { versions: found.value, etag: found.etag };
}

async function readLedger(walk: Walk, { head }: Versions): Promise<Ledger | undefined> {
  const what = `the ledger of commit ${head.seq}`;
  const found = await walk.document(
    walk.ports.analysis,
    head.ledger,
    { invariant: 'I4', what, action: RESTORE },
    parseLedger,
  );
  if (found === undefined) return undefined;
  if (stateKeys.ledger(found.sha256) !== head.ledger) {
    walk.error('I6', 'wrong-hash', walk.stateAddress(head.ledger), `${what} is not what its name says`, RESTORE);
  }
  return found.value;
}

/** Whether the pointer is that of its ledger, as it was checked before the commit. */
function checkPointer(walk: Walk, versions: Versions, ledger: Ledger): void {
  const where = walk.publishedAddress(publishedNames.versions);
  for (const { rule, kind, what } of pointerFaults(versions, ledger))
    walk.error(rule, kind, where, what, RESTORE_POINTER);
}

/** Whether versions.json is still as it was when the walk began. */
export async function isStillHead(walk: Walk, { etag }: Pointer): Promise<boolean> {
  const { published, settings } = walk.ports;
  return (await published.head(settings.publishedPrefix + publishedNames.versions, walk.signal))?.etag === etag;
}

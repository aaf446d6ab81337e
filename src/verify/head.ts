/** The current commit: versions.json and its ledger. What cannot be read here ends the walk (I12, I5). */
import type { DataSetStores, Pointer } from '../state/pointer.ts';
import { type Ledger, parseLedger } from '../pipeline/dataset/ledger.ts';
import { parseVersions, type Versions } from '../pipeline/dataset/versions.ts';
import { publishedNames, stateKeys } from '../state/keys.ts';
import { disagreeing } from './rules/sum-rules.ts';
import { MENDED, RESTORE } from './remedies.ts';
import type { Walk } from './walk.ts';

export function storesOf({ ports }: Walk): DataSetStores {
  const { analysis, published, settings } = ports;
  return { analysis, published, publishedPrefix: settings.publishedPrefix };
}

/** Undefined, with findings, when there is nothing to walk from. */
export async function readHead(walk: Walk): Promise<Pointer | undefined> {
  walk.step('versions.json');
  const pointer = await readVersions(walk);
  if (pointer === undefined) return undefined;
  const { versions, etag } = pointer;
  const ledger = await readLedger(walk, versions);
  if (ledger === undefined) return undefined;
  compare(walk, versions, ledger);
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

function compare(walk: Walk, versions: Versions, ledger: Ledger): void {
  const { head } = versions;
  const where = walk.publishedAddress(publishedNames.versions);
  for (const member of ['seq', 'commit', 'parent'] as const) {
    if (head[member] === ledger[member]) continue;
    const what = `$head has ${member} ${String(head[member])}, its ledger ${String(ledger[member])}`;
    walk.error('I5', 'wrong-parent', where, what, MENDED);
  }
  for (const name of disagreeing(versions, ledger)) {
    const [shown, named] = [versions.folders.get(name), ledger.channelVersions.get(name)?.folder];
    const what = `${name} is ${shown ?? 'not'} in versions.json, and ${named ?? 'not'} in its ledger`;
    walk.error('I4', 'damaged', where, what, MENDED);
  }
}

/** Whether versions.json is still as it was when the walk began. */
export async function isStillHead(walk: Walk, { etag }: Pointer): Promise<boolean> {
  const { published, settings } = walk.ports;
  return (await published.head(settings.publishedPrefix + publishedNames.versions, walk.signal))?.etag === etag;
}

/** The outcome for each folder of the original; stored once, so that an interrupted adoption continues after it. */
import { type AdoptionFault, adoptionReason } from '../pipeline/dataset/adoption/faults.ts';
import { readManifestFile } from '../pipeline/dataset/manifest.ts';
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, createDocumentOnce, readDocumentIfPresent } from './documents.ts';
import { stateKeys } from './keys.ts';

export type AdoptedFolder = ReturnType<typeof readAdoptedFolder>;

function readAdoptedFolder(root: StoredJson) {
  const base = root.member('base');
  return {
    channelVersion: root.member('channelVersion').text(),
    folder: root.member('folder').text(),
    /** Measures with rows, and rows. */
    measures: root.member('measures').count(),
    rows: root.member('rows').count(),
    faults: root.member('faults').list(readFault),
    base: {
      key: base.member('key').text(),
      sha: base.member('sha').text(),
      slots: base.member('slots').count(),
    },
    files: root.member('files').list(readManifestFile),
  };
}

function readFault(stored: StoredJson): AdoptionFault {
  const reason = adoptionReason(stored.member('reason').text());
  return {
    reason: reason ?? stored.member('reason').fail('a reason that this release knows'),
    what: stored.member('what').anyText(),
    count: stored.member('count').count(),
  };
}

const ADOPTED_FOLDER: Codec<AdoptedFolder> = {
  what: 'the record of an adopted folder',
  parse: (text) => readAdoptedFolder(StoredJson.document(text, 'bad_adopted_folder', 'record of an adopted folder')),
};

/** @param listing hash of what the folder held */
export async function findAdoptedFolder(
  store: ObjectStore,
  folder: string,
  listing: string,
  signal: AbortSignal,
): Promise<AdoptedFolder | undefined> {
  return readDocumentIfPresent(store, stateKeys.adoptedFolder(folder, listing), ADOPTED_FOLDER, signal);
}

export async function createAdoptedFolder(
  store: ObjectStore,
  listing: string,
  adopted: AdoptedFolder,
  signal: AbortSignal,
): Promise<AdoptedFolder> {
  const key = stateKeys.adoptedFolder(adopted.folder, listing);
  return createDocumentOnce(store, key, ADOPTED_FOLDER, adopted, signal);
}

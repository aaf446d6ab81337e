/** Spaces as the original published them: a map without `$head`, folders without manifests, lists in append order. */
import { gzipSync } from 'node:zlib';
import type { AdoptionInput, AdoptionResult } from '../../src/adoption/adoption.ts';
import { adoptSpace } from '../../src/adoption/adopt.ts';
import { spaceInBucket } from '../../src/adoption/original-space.ts';
import { type Application, PREFIX } from './application.ts';

/** Path below the space → text. */
export type OriginalFiles = Map<string, string>;

export const BOOL_FOLDER = '20131101000000-28-nightly';
export const REVISION = 'http://hg.mozilla.org/mozilla-central/rev/518f5bff0ae4';
export const ADOPTED_KEY = 'saved_session/Firefox/nightly/28.0a1/20131028030205.20131029.v2.log.aaaa.lzma';

/**
 * The worked example of docs/formats/published.md 5.2 after its first publish, and beside it a channel/version with a
 * measure without rows.
 */
export function workedExample(): OriginalFiles {
  const tree =
    '{"_id":0,"name":"reason","saved_session":{"_id":1,"name":"appName","Firefox":{"_id":2,"name":"OS","Linux":{"_id":3,"name":"osVersion","3.1":{"_id":4,"name":"arch","x86":{"_id":5}}},"WINNT":{"_id":6,"name":"osVersion","6.1":{"_id":7,"name":"arch","x86":{"_id":8},"x86-64":{"_id":9}}}}}}';
  const rows =
    '{"20131028": [[0, 4, 0, 4, -1, -1, 4, 0, 4, 5]], "20131029": [[3, 2, 0, 2, -1, -1, 2, 0, 5, 8], [1, 0, 0, 0, -1, -1, 0, 0, 1, 9]]}';
  const aurora = '20131031000000-27-aurora';
  return new Map([
    ['versions.json', JSON.stringify({ 'nightly/28': BOOL_FOLDER, 'aurora/27': aurora })],
    ['FILES_PROCESSED', `b\na\n${ADOPTED_KEY}\nb\n`],
    ['FILES_MISSING', `m\na\nm\n`],
    [`${BOOL_FOLDER}/BOOL-by-build-date.json`, rows],
    [`${BOOL_FOLDER}/BOOL-by-submission-date.json`, '{}'],
    [`${BOOL_FOLDER}/filter-tree.json`, tree],
    [`${BOOL_FOLDER}/histograms.json`, '{"BOOL": {"kind": "boolean", "description": "as then"}}'],
    [
      `${BOOL_FOLDER}/revisions.json`,
      JSON.stringify({ BOOL: { revision: REVISION, buildId: '20131029030201', length: 9 } }),
    ],
    [`${aurora}/NONE-by-build-date.json`, '{}'],
    [`${aurora}/NONE-by-submission-date.json`, '{}'],
    [`${aurora}/filter-tree.json`, '{"_id": 0, "name": "reason"}'],
    [`${aurora}/histograms.json`, '{"NONE": {}}'],
    [`${aurora}/revisions.json`, '{"NONE": {"revision": "", "buildId": "20131028004005", "length": 9}}'],
  ]);
}

/** Puts a space into the published bucket in place of the data set there; bodies as the original's: gzip, but not the lists. */
export function storeOriginal(app: Application, files: OriginalFiles, prefix = PREFIX): void {
  for (const key of app.published.keys(prefix)) app.published.contents.delete(key);
  for (const [name, text] of files)
    app.published.store(prefix + name, name.startsWith('FILES_') ? text : gzipSync(text));
}

export function adoptNow(app: Application, input: Partial<AdoptionInput> = {}): Promise<AdoptionResult> {
  return adoptSpace(
    app.ports(),
    { original: spaceInBucket(app.published, PREFIX), copy: false, dryRun: false, leaveOut: [], ...input },
    { step: '', channelVersions: 0, ready: 0, files: 0 },
    new AbortController().signal,
  );
}

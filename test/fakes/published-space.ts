/**
 * The published bucket as a reader sees it, and the invariants of docs/protocol.md 3 that must hold at every moment.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Ledger } from '../../src/pipeline/dataset/ledger.ts';
import { parseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { MANIFEST_NAME, parseManifest } from '../../src/pipeline/dataset/manifest.ts';
import { parseVersions, type Versions } from '../../src/pipeline/dataset/versions.ts';
import { publishedNames } from '../../src/state/keys.ts';
import { type Application, PREFIX, VERSIONS } from './application.ts';

export function versionsOf(app: Application): Versions {
  return parseVersions(app.published.text(VERSIONS));
}

export function ledgerOf(app: Application): Ledger {
  return parseLedger(app.analysis.text(versionsOf(app).head.ledger));
}

/** Folder contents by file name, decompressed. */
export function snapshotOf(app: Application, channelVersion: string): Map<string, string> {
  const prefix = `${PREFIX}${versionsOf(app).folders.get(channelVersion) ?? 'none'}/`;
  return new Map(app.published.keys(prefix).map((key) => [key.slice(prefix.length), app.published.text(key)]));
}

/** Submissions of GC_MS that a snapshot shows for a build day. */
export function submissionsOf(app: Application, channelVersion: string): number {
  const rows = JSON.parse(snapshotOf(app, channelVersion).get('GC_MS-by-build-date.json') ?? '{}') as Record<
    string,
    number[][]
  >;
  return Object.values(rows)
    .flat()
    .reduce((sum, row) => sum + (row.at(-2) ?? 0), 0);
}

/** I2, I4: whatever versions.json names is there, whole. */
export function assertWhole(app: Application): void {
  const { folders, head } = versionsOf(app);
  const ledger = ledgerOf(app);
  assert.equal(ledger.seq, head.seq);
  assert.equal(ledger.commit, head.commit);
  assert.deepEqual(new Map([...ledger.channelVersions].map(([name, { folder }]) => [name, folder])), new Map(folders));
  for (const folder of folders.values()) {
    const manifest = parseManifest(app.published.text(`${PREFIX}${folder}/${MANIFEST_NAME}`));
    for (const { name, bytes, sha256 } of manifest.files) {
      const body = app.published.contents.get(`${PREFIX}${folder}/${name}`)?.body ?? Buffer.alloc(0);
      assert.equal(body.length, bytes, name);
      assert.equal(createHash('sha256').update(body).digest('hex'), sha256, name);
    }
  }
}

/** I6: nothing below the prefix is ever written twice but the pointer and its projections. */
export function assertWrittenOnce(app: Application): void {
  const projections = Object.values(publishedNames).map((name) => PREFIX + name);
  const writes = app.trace.calls.filter(
    ({ service, method }) => service === 'published' && ['put', 'createOnce', 'replace', 'delete'].includes(method),
  );
  for (const { method, key } of writes) {
    if (key === VERSIONS) assert.equal(method, 'replace', key);
    else assert.equal(method, projections.includes(key) ? 'put' : 'createOnce', key);
  }
  const created = writes
    .filter(({ method, outcome }) => method === 'createOnce' && outcome !== 'failed')
    .map(({ key }) => key);
  assert.equal(new Set(created).size, created.length, 'an object was created twice');
}

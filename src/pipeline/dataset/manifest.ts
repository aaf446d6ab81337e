/**
 * `_manifest.json`, written last into a folder: a folder with it is complete, and can be verified by it
 * (docs/protocol.md C5).
 */
import { isChannelVersion } from './folder-name.ts';
import { StoredJson } from '../stored-json.ts';

export const MANIFEST_NAME = '_manifest.json';

export interface ManifestFile {
  /** Name inside the folder. */
  readonly name: string;
  /** Of the body as stored, compressed. */
  readonly bytes: number;
  /** Of the body as stored, compressed; hexadecimal. */
  readonly sha256: string;
}

/** It says nothing of commits: the folder may be staged, thrown away, or taken over by a later commit unchanged. */
export interface Manifest {
  readonly channelVersion: string;
  /** Keys of the objects the folder was rendered from: the base, if any, and segments. */
  readonly segments: readonly string[];
  readonly files: readonly ManifestFile[];
  /** Measures of these objects that are not shown (docs/formats/published.md 5.11). */
  readonly measuresLeftOut: number;
}

/** The text of `_manifest.json`; files by name and segments by key, so that their order says nothing. */
export function serialiseManifest(manifest: Manifest): string {
  return JSON.stringify({
    channelVersion: manifest.channelVersion,
    segments: manifest.segments.toSorted(),
    files: manifest.files
      .map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    // Only where there are some, so that folders without have the bytes that they always had.
    ...(manifest.measuresLeftOut > 0 && { measuresLeftOut: manifest.measuresLeftOut }),
  });
}

export function readManifestFile(file: StoredJson): ManifestFile {
  return {
    name: file.member('name').text(/^[^/]+$/),
    bytes: file.member('bytes').count(),
    sha256: file.member('sha256').text(/^[0-9a-f]{64}$/),
  };
}

/** @throws InvalidDataError `bad_manifest` */
export function parseManifest(json: string): Manifest {
  const root = StoredJson.parse(json, 'bad_manifest', MANIFEST_NAME);
  const channelVersion = root.member('channelVersion').textThat(isChannelVersion, 'a channel/version');
  const files = root.member('files').list(readManifestFile);
  if (new Set(files.map((file) => file.name)).size !== files.length) root.member('files').fail('without repeats');
  const segments = root.member('segments').items();
  const measuresLeftOut = root.optional('measuresLeftOut')?.count() ?? 0;
  return { channelVersion, segments: segments.map((key) => key.text()), files, measuresLeftOut };
}

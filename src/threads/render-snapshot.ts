/** File job: the segments of one channel/version → the files of its snapshot, compressed as they are published. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DefinitionFolder } from '../histogram-server/definition-folder.ts';
import type { DefinitionSource } from '../histograms/look-up.ts';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { Slot } from '../pipeline/aggregates/slot.ts';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import { defineFrom } from '../pipeline/dataset/measure-definition.ts';
import { parsePreviousSnapshot, type PreviousFiles } from '../pipeline/dataset/previous-snapshot.ts';
import { renderSnapshot, type SnapshotSummary } from '../pipeline/dataset/snapshot.ts';
import { readPart } from './part-file.ts';

export interface RenderSnapshotInput {
  /** Part files of the channel/version, base first, then days ascending. */
  readonly parts: readonly string[];
  readonly previous: PreviousFiles | null;
  readonly definitions: { readonly folder: string | null; readonly hosts: readonly string[] };
  /** Existing folder that takes the files. */
  readonly folder: string;
}

export interface RenderSnapshotResult {
  /** Name, size and hash of each file as it is stored, gzip included. */
  readonly files: readonly ManifestFile[];
  readonly summary: SnapshotSummary;
}

const NO_DEFINITIONS: DefinitionSource = { histograms: async () => undefined };

export async function renderSnapshotFiles({
  parts,
  previous,
  definitions,
  folder,
}: RenderSnapshotInput): Promise<RenderSnapshotResult> {
  const source =
    definitions.folder === null ? NO_DEFINITIONS : new DefinitionFolder(definitions.folder, definitions.hosts);
  const before = previous === null ? undefined : parsePreviousSnapshot(previous);
  const rendering = renderSnapshot({ slots: slotsOf(parts), previous: before, define: defineFrom(source, before) });
  const files: ManifestFile[] = [];
  for (let step = await rendering.next(); ; step = await rendering.next()) {
    if (step.done === true) return { files, summary: step.value };
    const { name, json } = step.value;
    // Node's gzip carries no time stamp, so equal content gives equal bytes.
    const stored = gzipSync(json);
    await writeFile(join(folder, name), stored);
    files.push({ name, bytes: stored.length, sha256: createHash('sha256').update(stored).digest('hex') });
  }
}

async function* slotsOf(parts: readonly string[]): AsyncGenerator<Slot> {
  for await (const { slot } of mergeParts(parts.map(readPart))) yield slot;
}

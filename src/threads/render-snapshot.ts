/** File job: the segments of one channel/version → the files of its snapshot, compressed as they are published. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { DefinitionSource } from '../histograms/look-up.ts';
import { mergeParts } from '../pipeline/aggregates/merge-parts.ts';
import type { Slot } from '../pipeline/aggregates/slot.ts';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import { defineFrom } from '../pipeline/dataset/measure-definition.ts';
import { parsePreviousSnapshot, type PreviousFiles } from '../pipeline/dataset/previous-snapshot.ts';
import { type RenderEnd, renderSnapshot, type SnapshotSummary } from '../pipeline/dataset/snapshot.ts';
import { DefinitionsByPort } from './definition-port.ts';
import { readPart } from './part-file.ts';

export interface RenderSnapshotInput {
  /** Part files of the channel/version, base first, then days ascending. */
  readonly parts: readonly string[];
  readonly previous: PreviousFiles | null;
  /** Answers with definitions; closed at the end. Null makes all of them derived ones. */
  readonly definitions: MessagePort | null;
  /** Existing folder that takes the files, each under the number of its place in `files`: never under a name from outside. */
  readonly folder: string;
  /** Show these and leave out all others, as a folder that was rendered before; else the rule decides. */
  readonly only?: ReadonlySet<string>;
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
  only,
}: RenderSnapshotInput): Promise<RenderSnapshotResult> {
  const byPort = definitions === null ? null : new DefinitionsByPort(definitions);
  try {
    const before = previous === null ? undefined : parsePreviousSnapshot(previous);
    const define = defineFrom(byPort ?? NO_DEFINITIONS, before);
    const render = (
      isLeftOut: (measure: string) => boolean,
    ): Promise<RenderEnd & Pick<RenderSnapshotResult, 'files'>> =>
      writeFiles(renderSnapshot({ slots: slotsOf(parts), previous: before, define, isLeftOut }), folder);
    const first = await render((measure) => only?.has(measure) === false);
    const leftOut = only === undefined ? first.unknown.leftOut() : NONE;
    // Which measures are a flood is known at its end; honest data has none, and is read once.
    const { files, summary } = leftOut.size === 0 ? first : await render((measure) => leftOut.has(measure));
    return { files, summary };
  } finally {
    byPort?.close();
  }
}

/** A tenth more bytes than the default level, in half its time. */
const GZIP_LEVEL = 4;

const NONE: ReadonlySet<string> = new Set();

async function writeFiles(
  rendering: ReturnType<typeof renderSnapshot>,
  folder: string,
): Promise<RenderEnd & Pick<RenderSnapshotResult, 'files'>> {
  const files: ManifestFile[] = [];
  for (let step = await rendering.next(); ; step = await rendering.next()) {
    if (step.done === true) return { files, ...step.value };
    const { name, json } = step.value;
    // Node's gzip carries no time stamp, so equal content gives equal bytes.
    const stored = gzipSync(json, { level: GZIP_LEVEL });
    // A thread has nothing else to do, and a promise for each of thousands of small files takes longer than the rest.
    writeFileSync(join(folder, String(files.length)), stored);
    files.push({ name, bytes: stored.length, sha256: createHash('sha256').update(stored).digest('hex') });
  }
}

async function* slotsOf(parts: readonly string[]): AsyncGenerator<Slot> {
  for await (const { slot } of mergeParts(parts.map(readPart))) yield slot;
}

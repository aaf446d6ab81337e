/** File job: the segments of one channel/version → the files of its snapshot, compressed as they are published. */
import { hash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { DefinitionSource } from '../histograms/look-up.ts';
import { mergePartBatches } from '../pipeline/aggregates/merge-parts.ts';
import type { Slot } from '../pipeline/aggregates/slot.ts';
import type { ManifestFile } from '../pipeline/dataset/manifest.ts';
import { defineFrom } from '../pipeline/dataset/measure-definition.ts';
import { parsePreviousSnapshot, type PreviousFiles } from '../pipeline/dataset/previous-snapshot.ts';
import { type RenderEnd, renderSnapshot, type SnapshotSummary } from '../pipeline/dataset/snapshot.ts';
import type { Summarise } from '../pipeline/dataset/summary.ts';
import { SummaryKernel } from '../kernels/summary-kernel.ts';
import { DefinitionsByPort } from './definition-port.ts';
import { readPart } from './part-file.ts';
import { TableFile } from './table-file.ts';
import { PiecesFile } from './text-file.ts';

export interface RenderSnapshotInput {
  /** Part files of the channel/version, base first, then days ascending. */
  readonly parts: readonly string[];
  readonly previous: PreviousFiles | null;
  /** Answers with definitions; closed at the end. Null makes all of them derived ones. */
  readonly definitions: MessagePort | null;
  /** New file that takes all files of the snapshot, one behind the other: a file each costs more than to render it. */
  readonly output: string;
  /** Renders the table for analysts as well, into a new file; its rows name the channel/version. */
  readonly table?: { readonly output: string; readonly channelVersion: string } | undefined;
  /** Show these and leave out all others, as a folder that was rendered before; else the rule decides. */
  readonly only?: ReadonlySet<string>;
}

/** Name, size and hash of a file as it is stored, gzip included. */
export interface RenderedFile extends ManifestFile {
  /** The local file that has it, and its first byte there. */
  readonly path: string;
  readonly start: number;
}

export interface RenderSnapshotResult {
  readonly files: readonly RenderedFile[];
  readonly summary: SnapshotSummary;
}

const NO_DEFINITIONS: DefinitionSource = { histograms: async () => undefined };

export async function renderSnapshotFiles({
  parts,
  previous,
  definitions,
  output,
  table,
  only,
}: RenderSnapshotInput): Promise<RenderSnapshotResult> {
  const byPort = definitions === null ? null : new DefinitionsByPort(definitions);
  try {
    const before = previous === null ? undefined : parsePreviousSnapshot(previous);
    const define = defineFrom(byPort ?? NO_DEFINITIONS, before);
    const render = (isLeftOut: (measure: string) => boolean): Promise<Rendered> =>
      withTable(table, (file) =>
        writeFiles(
          renderSnapshot({ slots: slotsOf(parts), previous: before, define, isLeftOut, summarise, table: file }),
          output,
        ),
      );
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

/** Of the thread. */
let kernel: SummaryKernel | undefined;

const summarise: Summarise = (file, length, simple) => (kernel ??= new SummaryKernel()).summarise(file, length, simple);

const NONE: ReadonlySet<string> = new Set();

type Rendered = RenderEnd & Pick<RenderSnapshotResult, 'files'>;

/** Renders, and the table beside it where one is wanted. */
async function withTable(
  table: RenderSnapshotInput['table'],
  render: (file?: TableFile) => Promise<Rendered>,
): Promise<Rendered> {
  if (table === undefined) return render();
  const file = new TableFile(table.output, table.channelVersion);
  try {
    const { files, ...rest } = await render(file);
    const written = file.end();
    // Without it the folder is whole for all other readers.
    if (written === null) return { files, ...rest };
    return { files: [...files, { ...written, path: table.output, start: 0 }], ...rest };
  } finally {
    file.close();
  }
}

async function writeFiles(rendering: ReturnType<typeof renderSnapshot>, output: string): Promise<Rendered> {
  const files: RenderedFile[] = [];
  const file = new PiecesFile(output);
  try {
    for (let step = await rendering.next(); ; step = await rendering.next()) {
      if (step.done === true) {
        file.flush();
        return { files, ...step.value };
      }
      const { name, json } = step.value;
      // Node's gzip carries no time stamp, so equal content gives equal bytes.
      const stored = compressed(json);
      files.push({ name, path: output, start: file.bytes, bytes: stored.length, sha256: hash('sha256', stored) });
      file.write(stored);
    }
  } finally {
    file.close();
  }
}

/** zlib clears its whole window for each file, and most files are far smaller. */
const MIN_WINDOW_BITS = 10;
const MAX_WINDOW_BITS = 15;
/** zlib finds nothing that far back in its window. */
const WINDOW_MARGIN = 262;
/** Of the compressed text; one of more than a chunk is put together of several. */
const MIN_CHUNK = 1 << 10;

/** The same bytes as with the largest window, since the window is larger than the text. */
function compressed(json: string | Buffer): Buffer {
  const text = typeof json === 'string' ? Buffer.from(json) : json;
  const windowBits = Math.min(
    MAX_WINDOW_BITS,
    Math.max(MIN_WINDOW_BITS, Math.ceil(Math.log2(text.length + WINDOW_MARGIN))),
  );
  return gzipSync(text, { level: GZIP_LEVEL, windowBits, chunkSize: Math.max(MIN_CHUNK, text.length >> 2) });
}

async function* slotsOf(parts: readonly string[]): AsyncGenerator<Slot[]> {
  for await (const batch of mergePartBatches(parts.map(readPart))) yield batch.map(({ slot }) => slot);
}

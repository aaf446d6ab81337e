/** The recorded histories: one event a line, so that a difference between two can be read. */
import { readdir, readFile } from 'node:fs/promises';

export const HISTORIES = new URL('../histories/', import.meta.url);
const NAME = /^([A-Za-z]+)\.[a-z0-9-]+\.v\d+\.json$/;

export interface RecordedHistory {
  /** File name. */
  readonly workflowId: string;
  readonly type: string;
  readonly history: unknown;
}

export async function readHistories(): Promise<RecordedHistory[]> {
  const names = (await readdir(HISTORIES)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => {
      const [, type] = NAME.exec(name) ?? [];
      if (type === undefined) throw new Error(`${name} is not named <workflow type>.<case>.v<n>.json`);
      return { workflowId: name, type, history: JSON.parse(await readFile(new URL(name, HISTORIES), 'utf8')) };
    }),
  );
}

/** What replay does not look at: names of machines and processes, ids and sizes of the server's. */
const LEFT_OUT = new Set(['identity', 'taskId', 'requestId', 'workerVersion', 'meteringMetadata', 'historySizeBytes']);

export function readableHistory(historyJson: string): string {
  const { events } = JSON.parse(historyJson) as { events: unknown[] };
  const lines = events.map((event) =>
    JSON.stringify(event, (name, value: unknown) => (LEFT_OUT.has(name) ? undefined : value)),
  );
  return `{"events":[\n${lines.join(',\n')}\n]}\n`;
}

/** `telemetry --local logs`: what the parts of the embedded stack have written, each line behind the name of its part. */
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../src/commands/command-error.ts';
import { print } from '../src/commands/terminal.ts';
import { stopSignal } from '../src/stop-signal.ts';

export interface LogsOptions {
  readonly follow?: boolean | undefined;
  readonly lines?: string | undefined;
}

const LOOK_EVERY_MS = 250;
const SHOWN = 20;

/** Shows the last lines of the parts that are named, or of all, and with `follow` what comes after them. */
export async function showLogs(
  directory: string,
  parts: readonly string[],
  { follow = false, lines = String(SHOWN) }: LogsOptions,
): Promise<void> {
  if (!/^\d{1,6}$/.test(lines)) throw new CommandError(`--lines ${lines}: give a number of lines`, { exitCode: 2 });
  const shown = await chosenParts(directory, parts);
  const ends = new Map<string, number>();
  for (const part of shown) {
    const text = await readFile(fileOf(directory, part), 'utf8');
    ends.set(part, Buffer.byteLength(text));
    show(
      part,
      text
        .trimEnd()
        .split('\n')
        .slice(Number(lines) === 0 ? Infinity : -Number(lines)),
    );
  }
  const signal = stopSignal();
  while (follow && !signal.aborted) {
    for (const part of shown) ends.set(part, await showFrom(directory, part, ends.get(part) ?? 0));
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function chosenParts(directory: string, parts: readonly string[]): Promise<readonly string[]> {
  const known = await logsIn(directory);
  const unknown = parts.find((part) => !known.includes(part));
  if (known.length === 0)
    throw new CommandError(`${directory} has no logs: no embedded stack has run there`, { exitCode: 2 });
  if (unknown !== undefined)
    throw new CommandError(`There is no log of ${unknown}; there are those of ${known.join(', ')}`, { exitCode: 2 });
  return parts.length === 0 ? known : parts;
}

async function logsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith('.log')).map((name) => name.slice(0, -'.log'.length));
}

/** Whole lines from there on. @returns where the next look begins */
async function showFrom(directory: string, part: string, start: number): Promise<number> {
  const file = await open(fileOf(directory, part));
  try {
    const { size } = await file.stat();
    // A file that became shorter was begun again.
    const from = size < start ? 0 : start;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const end = buffer.lastIndexOf('\n', bytesRead) + 1;
    if (end > 0) show(part, buffer.toString('utf8', 0, end).trimEnd().split('\n'));
    return from + end;
  } finally {
    await file.close();
  }
}

function show(part: string, lines: readonly string[]): void {
  for (const line of lines) if (line !== '') print(`${part}: ${line}`);
}

function fileOf(directory: string, part: string): string {
  return join(directory, `${part}.log`);
}

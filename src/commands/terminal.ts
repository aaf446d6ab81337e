/**
 * What commands write: results to standard output, everything else to standard error; one changing line on a terminal,
 * plain lines elsewhere. Much of it was written by others, so control characters are made visible here, and in cells of
 * tables line feeds too (docs/security.md T20).
 */
import { visibleLine, visibleText } from '../pipeline/plain-text.ts';

export function say(text: string): void {
  if (isQuiet) return;
  clearStatus();
  process.stderr.write(`${visibleText(text)}\n`);
}

/** Text of several lines, or a JSON document, which stays the same document. */
export function print(text: string): void {
  clearStatus();
  process.stdout.write(`${visibleText(text)}\n`);
}

/** Whether progress is one changing line; there is no colour anywhere, so `NO_COLOR` has nothing to turn off. */
export function isOnTerminal(): boolean {
  return process.stderr.isTTY;
}

let isQuiet = false;

/** From now on only results and errors are written. */
export function beQuiet(): void {
  isQuiet = true;
}

let status = '';

/** Shows the progress of long work. Without a terminal every new text is a line of its own. */
export function showStatus(given: string): void {
  const text = visibleLine(given);
  if (text === status || isQuiet) return;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
  else process.stderr.write(`${text}\n`);
  status = text;
}

function clearStatus(): void {
  if (status !== '' && process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  status = '';
}

/** Rows of texts as aligned columns. */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(visibleLine));
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

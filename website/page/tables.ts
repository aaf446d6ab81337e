/** Tables of what is shown, and their texts. */

type Cell = string | number | null;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe. */
export function csvOf({ columns, rows }: Table): string {
  const cell = (value: Cell): string => {
    if (value === null) return '';
    if (typeof value === 'number') return String(value);
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

export function jsonOf({ columns, rows }: Table): string {
  const records = rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place] ?? null])));
  return `${JSON.stringify(records, null, 1)}\n`;
}

/** A name that every file system takes. */
export function fileName(parts: readonly string[], ending: string): string {
  const name = parts
    .join('-')
    .replaceAll(/[^A-Za-z0-9._]+/g, '-')
    .slice(0, 120);
  return `${name}.${ending}`;
}

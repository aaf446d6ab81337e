/**
 * The numbers of histogram definitions, which real files give as numbers, texts or small sums
 * (docs/formats/histogram-server.md 6.5).
 */

const MAX_LENGTH = 64;
const MAX_RESULT = 2 ** 31 - 1;

/**
 * Named constants of the browser's source; also replaced, quotes included, in whole files
 * (docs/formats/histogram-server.md 6.6).
 */
export const KNOWN_SYMBOLS: ReadonlyMap<string, number> = new Map([
  ['JS::gcreason::NUM_TELEMETRY_REASONS', 101],
  // As older and newer files write it.
  ['js::gcreason::NUM_TELEMETRY_REASONS', 101],
  ['JS::GCReason::NUM_TELEMETRY_REASONS', 101],
  ['mozilla::StartupTimeline::MAX_EVENT_ID', 12],
]);

const TOKEN = /[ \t]*(?:(\d+|[A-Za-z_]\w*(?:::\w+)*)|([-+*/()]))[ \t]*/y;

/**
 * The value of a definition's number: an integer of 0 to 2^31−1, or a text of at most 64 characters made of integers,
 * known symbols, `+ - * /` (division without rest only), brackets and blanks. Never a language's own evaluation, since
 * these texts come from outside.
 * @returns undefined when it is anything else
 */
export function evaluateNumber(source: unknown): number | undefined {
  const value = typeof source === 'string' ? evaluateText(source) : source;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_RESULT) return undefined;
  return value + 0; // −0 becomes 0
}

function evaluateText(text: string): number | undefined {
  const tokens = text.length <= MAX_LENGTH ? tokensOf(text) : undefined;
  if (tokens === undefined) return undefined;
  const cursor = { tokens, next: 0 };
  const value = sum(cursor);
  return cursor.next === tokens.length ? value : undefined;
}

function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    tokens.push(match[1] ?? match[2] ?? '');
  }
  return tokens;
}

// Below, NaN marks an invalid expression: every operation passes it on.
interface Cursor {
  readonly tokens: readonly string[];
  next: number;
}

function sum(cursor: Cursor): number {
  let left = product(cursor);
  for (;;) {
    const operator = cursor.tokens[cursor.next];
    if (operator !== '+' && operator !== '-') return left;
    cursor.next += 1;
    const right = product(cursor);
    left = exact(operator === '+' ? left + right : left - right);
  }
}

function product(cursor: Cursor): number {
  let left = operand(cursor);
  for (;;) {
    const operator = cursor.tokens[cursor.next];
    if (operator !== '*' && operator !== '/') return left;
    cursor.next += 1;
    const right = operand(cursor);
    left = exact(operator === '*' ? left * right : left / right);
  }
}

function operand(cursor: Cursor): number {
  const token = cursor.tokens[cursor.next] ?? '';
  cursor.next += 1;
  if (token !== '(') return /^\d/.test(token) ? exact(Number(token)) : (KNOWN_SYMBOLS.get(token) ?? NaN);
  const inner = sum(cursor);
  const closed = cursor.tokens[cursor.next] === ')';
  cursor.next += 1;
  return closed ? inner : NaN;
}

function exact(value: number): number {
  return Number.isSafeInteger(value) ? value : NaN;
}

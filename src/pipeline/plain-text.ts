/**
 * What may be shown of texts that others wrote: no secrets, no tricks on terminals or mail headers
 * (docs/security.md T15, T20).
 */

// Everything but line feed and tab; C1 controls, the marks that turn the direction of writing, and the separators that
// some viewers break lines at as well.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi;
const QUERY = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s?"'<>]+)\?[^\s"'<>]*/gi;
const NAMED_SECRET =
  /((?:(?:secret|password|passwd|token|authorization|api[_-]?key)[\w-]*|x-amz-[a-z-]*(?:signature|credential|token))["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|(?:Bearer\s+|Basic\s+|AWS4-HMAC-SHA256\s+)?[^\s,;&"']+)/gi;
const HIDDEN = '…';
const MIN_SECRET = 6;

/**
 * Text of several lines in which control characters are visible: an escape character is `\u001b`. That is also how JSON
 * writes them, so that a document stays the same document.
 */
export function visibleText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(CONTROL, escaped);
}

/** The same in one line: line feeds and tabs are visible too. */
export function visibleLine(text: string): string {
  return visibleText(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Text of several lines in which control characters are visible, without credentials and query strings.
 * @param secrets values that must not appear in any form; short ones are ignored, they would hide half the text
 */
export function plainText(text: string, secrets: readonly string[] = []): string {
  return visibleText(withoutSecrets(text, secrets))
    .replaceAll(USER_INFO, `$1${HIDDEN}@`)
    .replaceAll(QUERY, `$1?${HIDDEN}`)
    .replaceAll(NAMED_SECRET, `$1${HIDDEN}`);
}

/** Text, also of JSON, in which none of these values appears. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let plain = text;
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET) continue;
    for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1)])) plain = plain.replaceAll(form, HIDDEN);
  }
  return plain;
}

/** The same in one line, for subjects and table cells. */
export function plainLine(text: string, maxLength = 200): string {
  const line = plainText(text).replaceAll(/\s+/g, ' ').trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}

/** The end of a text that is too long, from the beginning of a line on. */
export function textTail(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const tail = bytes.subarray(bytes.length - maxBytes).toString('utf8');
  return tail.slice(tail.indexOf('\n') + 1);
}

/** `1 day`, `2 days` */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

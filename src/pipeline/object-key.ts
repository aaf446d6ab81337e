/** Keys of objects that people or lists name. */

/** S3's limit, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/**
 * Control characters, and the separators that some readers break lines at: the lists of files have a key in each line, and
 * people read them on terminals.
 */
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;

export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

export function isObjectKey(text: string): boolean {
  return text !== '' && text.length <= MAX_KEY_BYTES && utf8Bytes(text) <= MAX_KEY_BYTES && !hasControl(text);
}

/** Workflows have neither Buffer nor TextEncoder. */
function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

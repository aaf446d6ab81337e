/** Texts of a run as Markdown, which is how the Web UI shows details. */

/** `code`, or a command in quotation marks. */
const CODE = /`[^`\n]+`|"(telemetry [^"`\n]+)"/g;
/** What Markdown, or the typography of the Web UI, would read as something else: a dash instead of `--`. */
const SPECIAL = /[\\`*_{}[\]()<>#+\-!|~$&"']/g;

/** One fact as a list item; a fact of several lines has a list of its own. */
export function detailsItem(name: string, fact: string): string {
  const lines = fact.split('\n').map(detailsText);
  return lines.length === 1
    ? `- ${name}: ${lines[0] ?? ''}`
    : [`- ${name}:`, ...lines.map((line) => `  - ${line}`)].join('\n');
}

/** Commands can be copied from it; anything else that came from outside is shown as it is. */
export function detailsText(text: string): string {
  let shown = '';
  let end = 0;
  for (const { 0: code, 1: command, index } of text.matchAll(CODE)) {
    shown += plain(text.slice(end, index)) + (command === undefined ? code : `\`${command}\``);
    end = index + code.length;
  }
  return shown + plain(text.slice(end));
}

function plain(text: string): string {
  return text.replace(SPECIAL, String.raw`\$&`);
}

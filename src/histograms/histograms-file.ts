/**
 * The text of a Histograms.json: whether a text is one, and the text with constants replaced
 * (docs/formats/histogram-server.md 6.6, 6.7).
 */
import { isTooDeep, MAX_NESTING } from '../pipeline/nesting.ts';
import type { RawDefinition } from './definition.ts';
import { KNOWN_SYMBOLS } from './expression.ts';
import type { Definitions } from './look-up.ts';

export type HistogramsFile =
  | { readonly definitions: Definitions; readonly fault?: undefined }
  /** A sentence on what is wrong, for logs and error answers. */
  | { readonly definitions?: undefined; readonly fault: string };

const MAX_PARSER_MESSAGE = 160;
const CONSTANTS = [...KNOWN_SYMBOLS, ['80 + 1', 81] as const];

/** The text with the known constants, quotes included, replaced by numbers: what `/histograms` has always answered. */
export function replaceConstants(text: string): string {
  return CONSTANTS.reduce((result, [constant, number]) => result.replaceAll(`"${constant}"`, String(number)), text);
}

/**
 * Reads the text of a Histograms.json, constants replaced. It must be an object of objects with a `kind`: a server's
 * error page or half a file must never pass for the definitions of a revision.
 */
export function parseHistogramsFile(text: string): HistogramsFile {
  let root: unknown;
  try {
    root = JSON.parse(replaceConstants(text));
  } catch (error) {
    // The place, and a few characters around it.
    return { fault: `not JSON: ${(error as Error).message.slice(0, MAX_PARSER_MESSAGE)}` };
  }
  if (!isObject(root)) return { fault: 'not a JSON object' };
  // Whoever writes such a definition again, into an answer or a folder, would run out of stack.
  if (isTooDeep(root)) return { fault: `nested deeper than ${MAX_NESTING} levels` };
  const definitions: Record<string, RawDefinition> = Object.create(null) as Record<string, RawDefinition>;
  for (const [name, definition] of Object.entries(root)) {
    if (!isDefinition(definition)) return { fault: `${JSON.stringify(name)} is not an object with a kind` };
    definitions[name] = definition;
  }
  return { definitions };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDefinition(value: unknown): value is RawDefinition {
  return isObject(value) && typeof value['kind'] === 'string';
}

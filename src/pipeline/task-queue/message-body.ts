/** How both SQS queues carry JSON: base64, standard alphabet, padded (docs/formats/queues.md 2.4). */
import { InvalidDataError } from '../invalid-data.ts';
import { isTooDeep, MAX_NESTING } from '../nesting.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TASK_ID = /^[0-9a-f-]{36}\/[1-9][0-9]{0,5}$/;

export function encodeBody(fields: Record<string, unknown>): string {
  return Buffer.from(bodyJson(fields), 'latin1').toString('base64');
}

/** The JSON inside a body: printable ASCII, so its length is its size in bytes. */
export function bodyJson(fields: Record<string, unknown>): string {
  return JSON.stringify(fields).replaceAll(/[^\x20-\x7e]/g, escapeUnit);
}

/**
 * @returns the fields, and whether the body was plain JSON, which is read but not what launchers write
 * @throws InvalidDataError `not_base64` or `bad_json`
 */
export function decodeBody(body: string): { fields: Record<string, unknown>; plain: boolean } {
  const text = body.trim();
  const plain = text.startsWith('{');
  if (!plain && (text === '' || !BASE64.test(text)))
    throw new InvalidDataError('not_base64', 'The message body is not base64');
  let parsed: unknown;
  try {
    parsed = JSON.parse(plain ? text : Buffer.from(text, 'base64').toString('utf8'));
  } catch (error) {
    throw new InvalidDataError('bad_json', `The message body is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new InvalidDataError('bad_json', 'The message body is JSON but no object');
  }
  if (isTooDeep(parsed))
    throw new InvalidDataError('bad_json', `The message body is nested deeper than ${MAX_NESTING} levels`);
  return { fields: parsed as Record<string, unknown>, plain };
}

export function isTaskId(id: unknown): id is string {
  return typeof id === 'string' && TASK_ID.test(id);
}

/** Run id and task number of a task id. */
export function splitTaskId(id: string): { runId: string; number: number } {
  const slash = id.indexOf('/');
  return { runId: id.slice(0, slash), number: Number(id.slice(slash + 1)) };
}

/** A list of texts without repeats, in order; undefined for anything else. */
export function stringList(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return [...new Set(value)];
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

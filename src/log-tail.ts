/** The last log lines of every workflow that this process worked for, so that an alert can show them. Bounded in all directions. */
import { LRUCache } from 'lru-cache';

const WORKFLOWS = 64;
const LINES = 200;
const LINE_BYTES = 4096;
const WORKFLOW_ID = /"workflowId":"((?:[^"\\]|\\.)*)"/;
/** Fields that the mail or the Web UI has already, or that only make lines long. */
const NOISE = new Set([
  ...['taskToken', 'part', 'time', 'level', 'msg', 'sdkComponent', 'isLocal', 'namespace', 'taskQueue', 'heartbeat'],
  ...['workflowId', 'workflowExecution', 'workflowRunId', 'runId', 'workflowType', 'activityId', 'activityType', 'day'],
]);

export class LogTail {
  readonly #lines = new LRUCache<string, string[]>({ max: WORKFLOWS });

  /** @param line one JSON object of the log; a line that is about no workflow is skipped */
  write(line: string): void {
    const id = WORKFLOW_ID.exec(line)?.[1];
    if (id === undefined) return;
    const workflowId = String(JSON.parse(`"${id}"`));
    const lines = this.#lines.get(workflowId) ?? [];
    lines.push(line);
    if (lines.length > LINES) lines.shift();
    this.#lines.set(workflowId, lines);
  }

  /**
   * For people, oldest first: time, what happened, fields in words.
   * @param runId of one of its runs; lines that do not say of which they are belong to all
   */
  of(workflowId: string, runId: string): string[] {
    return (this.#lines.peek(workflowId) ?? [])
      .map((line) => entryOf(line) ?? line.trim())
      .filter((entry) => typeof entry === 'string' || [undefined, runId].includes(runOf(entry)))
      .map((entry) => (typeof entry === 'string' ? entry : readable(entry)).slice(0, LINE_BYTES));
  }
}

type Entry = Readonly<Record<string, unknown>>;

function entryOf(line: string): Entry | undefined {
  try {
    return { ...(Object(JSON.parse(line)) as object) };
  } catch {
    return undefined;
  }
}

/** Of activities only: what workflows log may have an id of ours under the same name. */
function runOf({ workflowRunId }: Entry): string | undefined {
  return typeof workflowRunId === 'string' ? workflowRunId : undefined;
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug: ', 40: 'warning: ', 50: 'error: ', 60: 'fatal: ' };

/** `2013-10-30 13:31:05 tasks planned: files 57, tasks 1, skipped bad_json 3` */
function readable(entry: Entry): string {
  const { time, level, msg, attempt } = entry;
  const fields = Object.entries(entry).filter(([name]) => !NOISE.has(name) && name !== 'attempt');
  const shown = [
    ...(typeof attempt === 'number' && attempt > 1 ? [`attempt ${attempt}`] : []),
    ...fields.map(([name, value]) => inWords(name, value)).filter((text) => text !== ''),
  ].join(', ');
  const when = String(time).slice(0, 19).replace('T', ' ');
  return `${when} ${LEVELS[Number(level)] ?? ''}${String(msg)}${shown === '' ? '' : `: ${shown}`}`;
}

/** Of an error its message only: nobody reads a stack in a mail. Empty for what says nothing. */
function inWords(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  if (Array.isArray(value))
    return value.length === 0 ? '' : `${name} ${value.map((each) => inWords('', each).trim()).join(' ')}`;
  const fields = { ...value } as Entry;
  if (typeof fields['message'] === 'string') return `${name} ${once(fields['message'])}`;
  const words = Object.entries(fields).map(([key, each]) => inWords(key, each));
  const said = words.filter((text) => text !== '').join(' ');
  return said === '' ? '' : `${name} ${said}`;
}

/** An error's message ends with that of its cause, which a translated error shares. */
function once(message: string): string {
  const half = message.slice(0, (message.length - 2) / 2);
  return message === `${half}: ${half}` ? half : message;
}

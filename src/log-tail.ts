/** The last log lines of every workflow that this process worked for, so that an alert can show them. Bounded in all directions. */
import { LRUCache } from 'lru-cache';

const WORKFLOWS = 64;
const LINES = 200;
const LINE_BYTES = 4096;
const WORKFLOW_ID = /"workflowId":"((?:[^"\\]|\\.)*)"/;
/** Fields that the Web UI shows better, or that only make lines long. */
const NOISE = new Set([
  'taskToken',
  'part',
  'time',
  'level',
  'msg',
  'sdkComponent',
  'isLocal',
  'namespace',
  'taskQueue',
  'workflowId',
  'workflowExecution',
  'runId',
  'workflowType',
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

  /** For people, oldest first: time, level, message, fields. */
  of(workflowId: string): string[] {
    return (this.#lines.peek(workflowId) ?? []).map((line) => readable(line).slice(0, LINE_BYTES));
  }
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

function readable(line: string): string {
  let logged: unknown;
  try {
    logged = JSON.parse(line);
  } catch {
    return line.trim();
  }
  const entry: Record<string, unknown> = { ...(Object(logged) as object) };
  const fields = Object.entries(entry).filter(([name]) => !NOISE.has(name));
  const level = LEVELS[Number(entry['level'])] ?? '';
  const shown = fields.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [String(entry['time']), level, String(entry['msg']), ...shown].join(' ');
}

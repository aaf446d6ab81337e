/**
 * Places at which a test may break the application: named in the code, no-ops unless `FAILPOINTS` names them.
 * docs/protocol.md 4 says what must hold at each of them; `test/faults` injects and checks.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const FAILPOINTS = [
  'plan.afterPut',
  'enqueue.mid',
  'drain.afterReceive',
  'drain.afterReceipt',
  'drain.afterDelete',
  'merge.begin',
  'build.afterChunk',
  'stage.midFolder',
  'stage.beforeManifest',
  'flip.before',
  'flip.after',
  'proj.before',
  'gc.midDelete',
] as const;
export type FailpointName = (typeof FAILPOINTS)[number];

type Action =
  | { readonly kind: 'kill' | 'hang' }
  | { readonly kind: 'throw'; readonly error: string }
  | { readonly kind: 'delay' | 'block'; readonly ms: number }
  | { readonly kind: 'gate'; readonly file: string };

export interface Fault {
  readonly name: FailpointName;
  readonly action: Action;
  /** On which pass of the point it fires. */
  readonly pass: number;
}

const GATE_INTERVAL_MS = 20;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * Reads `point=action[@pass];…`. Actions: `kill` (SIGKILL), `throw:<error name>`, `delay:<time>`, `hang` (until the
 * activity is cancelled), `block:<time>` (the event loop stands still), `gate:<file>` (until the file exists).
 * @throws Error naming the part that is not understood
 */
export function parseFailpoints(text: string): Fault[] {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  return parts.map((part) => {
    const [, name, action, pass = '1'] = /^\s*([A-Za-z.]+)=(.+?)(?:@([1-9]\d*))?\s*$/.exec(part) ?? [];
    const known = FAILPOINTS.find((point) => point === name);
    if (known === undefined || action === undefined) {
      throw new Error(`"${part}": must be <point>=<action>[@pass], with one of the points ${FAILPOINTS.join(', ')}`);
    }
    return { name: known, action: parseAction(action), pass: Number(pass) };
  });
}

function parseAction(text: string): Action {
  const [, kind = '', argument = ''] = /^([a-z]+)(?::(.+))?$/.exec(text) ?? [];
  if (argument === '') {
    if (kind === 'kill' || kind === 'hang') return { kind };
  } else if (kind === 'throw') return { kind, error: argument };
  else if (kind === 'gate') return { kind, file: argument };
  else if (kind === 'delay' || kind === 'block') return { kind, ms: milliseconds(argument) };
  throw new Error(`"${text}": no action; there are kill, hang, throw:<name>, delay:<time>, block:<time>, gate:<file>`);
}

function milliseconds(text: string): number {
  const [, amount, unit = ''] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (amount === undefined) throw new Error(`"${text}": no time, such as 200ms, 8s or 2m`);
  return Number(amount) * (UNITS[unit] ?? 1);
}

interface Armed {
  readonly faults: readonly Fault[];
  /** Has a file for each fault that fired, so that a killed worker does not fire it again after a restart. */
  readonly marks: string;
  readonly passes: Map<FailpointName, number>;
}

let armed: Armed | undefined;

/** @param marks folder that remembers what has fired, for all processes that share it */
export function armFailpoints(faults: readonly Fault[], marks: string): void {
  if (faults.length === 0) return;
  mkdirSync(marks, { recursive: true });
  armed = { faults, marks, passes: new Map() };
}

/** Passes a point. A no-op unless the point is armed. */
export async function failpoint(name: FailpointName, signal?: AbortSignal): Promise<void> {
  if (armed === undefined) return;
  const pass = (armed.passes.get(name) ?? 0) + 1;
  armed.passes.set(name, pass);
  const fault = armed.faults.find((candidate) => candidate.name === name && candidate.pass === pass);
  if (fault !== undefined && isFirst(armed.marks, fault)) await act(name, fault.action, signal);
}

/** A gate holds every process that comes to it; anything else happens once. */
function isFirst(marks: string, { name, action, pass }: Fault): boolean {
  const suffix = action.kind === 'gate' ? `.${process.pid}` : '';
  try {
    writeFileSync(join(marks, `${name}@${pass}${suffix}`), '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function act(name: FailpointName, action: Action, signal: AbortSignal | undefined): Promise<void> {
  switch (action.kind) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return delay(60_000);
    case 'hang':
      for (;;) await delay(60_000, undefined, { signal });
    case 'throw':
      throw Object.assign(new Error(`failpoint ${name}`), { name: action.error });
    case 'delay':
      return delay(action.ms, undefined, { signal });
    case 'block': {
      const end = performance.now() + action.ms;
      while (performance.now() < end);
      return;
    }
    case 'gate':
      while (!existsSync(action.file)) await delay(GATE_INTERVAL_MS, undefined, { signal });
  }
}

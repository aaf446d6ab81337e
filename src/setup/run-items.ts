/**
 * The rule of a set-up: look at every item, create what is missing, change what differs only with `--fix`
 * (docs/operating.md 2).
 */
import { withDeadline } from '../deadline.ts';
import { findingOf, type ItemOutcome, type Look, type OutcomeState, type SetupItem } from './item.ts';

export interface RunOptions {
  /** Also change what exists and differs. */
  readonly fix: boolean;
  /** Called before an item begins, and when it has ended. */
  readonly onBegin?: (name: string) => void;
  readonly onEnd?: (outcome: ItemOutcome) => void;
}

/** For one look, creation or fix; each makes a few short calls to a service. */
const STEP_MS = 60_000;

/**
 * Goes through the items in their order. One that fails does not stop the others, only those that need it. What was
 * created or fixed is checked again, so `created` and `fixed` mean that it is now as it should be.
 */
export async function runItems(items: readonly SetupItem[], options: RunOptions): Promise<ItemOutcome[]> {
  const outcomes: ItemOutcome[] = [];
  const unusable = new Map<string, string>();
  for (const item of items) {
    options.onBegin?.(item.name);
    const { outcome, obstacle } = await runItem(item, unusable, options.fix);
    if (obstacle !== null) unusable.set(item.name, obstacle);
    outcomes.push(outcome);
    options.onEnd?.(outcome);
  }
  return outcomes;
}

interface Ended {
  readonly outcome: ItemOutcome;
  /** Why items that need this one cannot be looked at; null when they can. */
  readonly obstacle: string | null;
}

/** @param unusable obstacles by the item that they keep from being used */
async function runItem(item: SetupItem, unusable: ReadonlyMap<string, string>, fix: boolean): Promise<Ended> {
  const { name } = item;
  const obstacle = item.needs?.map((need) => unusable.get(need)).find((known) => known !== undefined);
  if (obstacle !== undefined)
    return { outcome: { name, state: 'skipped', facts: [`because of ${obstacle}`] }, obstacle };
  try {
    const { state, look } = await settle(item, fix);
    const blocks = look.blocks === true || state === 'missing' || state === 'refused';
    return { outcome: { name, state, facts: look.facts }, obstacle: blocks ? `${name}: ${state}` : null };
  } catch (error) {
    return { outcome: { name, state: 'failed', facts: [errorText(error)] }, obstacle: `${name}: failed` };
  }
}

async function settle(item: SetupItem, fix: boolean): Promise<{ state: OutcomeState; look: Look }> {
  const found = await withDeadline(STEP_MS, (signal) => item.look(signal));
  const change = { missing: item.create, differs: fix ? item.fix : undefined }[found.state as 'missing' | 'differs'];
  if (change === undefined) return { state: found.state, look: found };
  await withDeadline(STEP_MS, (signal) => change.call(item, signal));
  const look = await withDeadline(STEP_MS, (signal) => item.look(signal));
  if (look.state !== 'ok') return { state: look.state, look };
  if (found.state === 'missing') return { state: 'created', look };
  return { state: 'fixed', look: { ...look, facts: [...look.facts, ...found.facts.map((fact) => `before: ${fact}`)] } };
}

/** Names of errors whose text needs no prefix. */
const SAYS_ALL: ReadonlySet<string> = new Set(['Error', 'CommandError', 'UnreachableError']);

/** What went wrong, in one line: errors of refused connections have no text of their own. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join('; ');
  const { details } = error as { details?: unknown };
  const name = SAYS_ALL.has(error.name) || error.message.includes(error.name) ? '' : `${error.name}: `;
  const text = typeof details === 'string' && details !== '' ? details : error.message;
  return name + (text === '' ? 'no further explanation' : reasonIn(text));
}

/** The SDK's core quotes the whole of what its connection said: `… Os { code: 111, message: "Connection refused" }`. */
function reasonIn(text: string): string {
  return /^tonic::transport::Error.* message: "([^"]+)"/.exec(text)?.[1] ?? text;
}

/** @throws Error naming every item that needs attention */
export function assertGood(outcomes: readonly ItemOutcome[]): void {
  const bad = outcomes.flatMap((outcome) => findingOf(outcome) ?? []).filter(({ severity }) => severity === 'error');
  if (bad.length > 0) throw new Error(bad.map(({ where, what }) => `${where}: ${what}`).join('\n'));
}

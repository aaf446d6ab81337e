/** A fault test and its twin: the same story with a protection taken out, which must not end well. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { noteFault } from './fault-table.ts';
import { type MutationName, MUTATIONS } from './mutations.ts';
import { Scene, type SceneOptions } from './scene.ts';
import type { Stage } from './stage.ts';

interface Seen {
  /** How often the fault happened; at least once, or nothing was tested. */
  readonly times: number;
  readonly seen: string;
}

export interface FaultTest {
  /** Number in docs/faults.md, such as `F4`. */
  readonly id: string;
  readonly title: string;
  /** What is injected, for the table. */
  readonly injected: string;
  readonly scene?: SceneOptions;
  /** Injects, runs, and judges. */
  readonly story: (scene: Scene) => Promise<Seen>;
  readonly timeoutMs?: number;
  /** Part of the smoke set; `first`: one of each kind, which `npm test` runs. */
  readonly smoke?: 'first' | 'more';
  readonly twin?: { readonly without: MutationName; readonly fails: RegExp };
}

const TIMEOUT_MS = 180_000;

/** Sets of fault tests; all but `full` are without the twins. */
const SETS: Readonly<Record<string, readonly FaultTest['smoke'][]>> = {
  first: ['first'],
  more: ['more'],
  smoke: ['first', 'more'],
};
const chosen = SETS[process.env['TELEMETRY_FAULTS'] ?? 'full'];
/** Every fault test and its twin run, as `npm run test:faults` has them. */
export const isFull = chosen === undefined;
/** The short story: `npm test` has one fault test of each kind. */
export const isFirst = chosen === SETS['first'];

export function faultTest(stage: () => Promise<Stage>, test: FaultTest): void {
  const { id, title, injected, scene: options = {}, story, twin, smoke, timeoutMs: timeout = TIMEOUT_MS } = test;
  if (chosen?.includes(smoke) === false) return;
  it(`${id} ${title}`, { timeout }, async () => {
    const startedAt = performance.now();
    const { times, seen } = await inScene(await stage(), options, story);
    assert.ok(times > 0, `${id}: nothing was injected`);
    noteFault({ id, injected, times, seen, seconds: secondsSince(startedAt) });
  });
  if (twin === undefined || !isFull) return;
  const without = `without ${MUTATIONS[twin.without].without}`;
  it(`${id} twin: fails ${without}`, { timeout }, async () => {
    const startedAt = performance.now();
    let complaint = '';
    await assert.rejects(inScene(await stage(), { ...options, without: twin.without }, story), (error: Error) => {
      complaint = error.message.split('\n', 1)[0] ?? '';
      assert.match(error.message, twin.fails);
      return true;
    });
    noteFault({ id: `${id} twin`, injected: without, times: 1, seen: complaint, seconds: secondsSince(startedAt) });
  });
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10;
}

async function inScene(stage: Stage, options: SceneOptions, story: FaultTest['story']): Promise<Seen> {
  const scene = await Scene.open(stage, options);
  try {
    return await story(scene);
  } catch (error) {
    if (options.without === undefined) process.stderr.write(`${(await scene.logs()).slice(-6000)}\n`);
    throw error;
  } finally {
    await scene.close();
  }
}

/** The Temporal namespace: there, with a long enough retention, all search attributes, and a worker. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SEARCH_ATTRIBUTES } from '../names.ts';
import { type Look, ok, okUnless, type SetupItem } from './item.ts';
import { duration } from './queues.ts';

/** Operators look at last week's runs, and a missed week is noticed within a month. */
const RETENTION_SECONDS = 30 * 86_400;

/** gRPC's numbers. */
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
const PERMISSION_DENIED = 7;

/** Values of Temporal's IndexedValueType by the names of `SEARCH_ATTRIBUTES`. */
const TYPES: Readonly<Record<(typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES], number>> = { Keyword: 2 };
const TYPE_NAMES = ['unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

const POLL_MS = 250;

/** Connects on first use, once for all items. */
export interface TemporalAccess {
  readonly address: string;
  readonly namespace: string;
  connection(): Promise<Connection>;
}

function serverItemName({ address }: Pick<TemporalAccess, 'address'>): string {
  return `Temporal server ${address}`;
}

export function serverItem(temporal: TemporalAccess): SetupItem {
  return {
    name: serverItemName(temporal),
    look: async () => {
      const { serverVersion } = await (await temporal.connection()).workflowService.getSystemInfo({});
      return ok(`version ${serverVersion || 'unknown'}`);
    },
  };
}

export function namespaceItemName({ namespace }: Pick<TemporalAccess, 'namespace'>): string {
  return `Temporal namespace ${namespace}`;
}

export function namespaceItem(temporal: TemporalAccess): SetupItem {
  const { namespace } = temporal;
  return {
    name: namespaceItemName(temporal),
    needs: [serverItemName(temporal)],
    look: async () => lookAtNamespace(await temporal.connection(), namespace),
    create: async (signal) => {
      const connection = await temporal.connection();
      await permitted('create the namespace', () =>
        connection.workflowService.registerNamespace({
          namespace,
          description: 'Telemetry dashboard',
          workflowExecutionRetentionPeriod: msToTs(RETENTION_SECONDS * 1000),
        }),
      );
      // The parts of the server see it one after the other.
      await eventually(signal, async () => {
        await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
        return (await lookAtNamespace(connection, namespace)).state !== 'missing';
      });
    },
    fix: async () => {
      await keepClosedRuns(await temporal.connection(), namespace);
    },
  };
}

/** Compares the retention; a longer one is fine. */
export async function lookAtNamespace(connection: Connection, namespace: string): Promise<Look> {
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    const difference = `retention of closed runs is ${duration(seconds)}, should be ${duration(RETENTION_SECONDS)}`;
    return okUnless(seconds < RETENTION_SECONDS ? [difference] : [], `closed runs are kept for ${duration(seconds)}`);
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return { state: 'missing', facts: ['does not exist'] };
    throw error;
  }
}

/** Raises the retention to 30 days; a longer one stays. */
export async function keepClosedRuns(connection: Connection, namespace: string): Promise<void> {
  if ((await lookAtNamespace(connection, namespace)).state !== 'differs') return;
  await permitted('change the retention', () =>
    connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(RETENTION_SECONDS * 1000) },
    }),
  );
}

export function searchAttributesItemName(): string {
  return 'Temporal search attributes';
}

export function searchAttributesItem(temporal: TemporalAccess): SetupItem {
  const { namespace } = temporal;
  return {
    name: searchAttributesItemName(),
    needs: [namespaceItemName(temporal)],
    look: async () => lookAtSearchAttributes(await knownAttributes(temporal)),
    create: async (signal) => {
      const { operatorService } = await temporal.connection();
      const known = await knownAttributes(temporal);
      const lacking = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => known[name] === undefined);
      await permitted('add search attributes', () =>
        operatorService.addSearchAttributes({
          namespace,
          searchAttributes: Object.fromEntries(lacking.map(([name, type]) => [name, TYPES[type]])),
        }),
      );
      await eventually(signal, async () => lookAtSearchAttributes(await knownAttributes(temporal)).state !== 'missing');
    },
  };
}

async function knownAttributes(temporal: TemporalAccess): Promise<Readonly<Record<string, number>>> {
  const { operatorService } = await temporal.connection();
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace: temporal.namespace });
  return customAttributes;
}

/** @param known type numbers by name, as the server lists them */
export function lookAtSearchAttributes(known: Readonly<Record<string, number>>): Look {
  const wanted = Object.entries(SEARCH_ATTRIBUTES);
  const differences = wanted
    .filter(([name, type]) => known[name] !== undefined && known[name] !== TYPES[type])
    .map(([name, type]) => {
      const found = TYPE_NAMES[known[name] ?? 0] ?? 'of another type';
      return `${name} is ${found}, should be ${type}; a type cannot be changed: remove the attribute, then run setup again`;
    });
  if (differences.length > 0) return { state: 'differs', facts: differences, blocks: true };
  const lacking = wanted.filter(([name]) => known[name] === undefined).map(([name]) => name);
  if (lacking.length > 0) return { state: 'missing', facts: [`not known: ${lacking.join(', ')}`] };
  return ok(wanted.map(([name, type]) => `${name} (${type})`).join(', '));
}

/** Warns when no worker would run what the schedules start; not an error, since workers come after the set-up. */
export function workerItem(temporal: TemporalAccess, workerTaskQueue: string): SetupItem {
  return {
    name: `workers of ${workerTaskQueue}`,
    needs: [namespaceItemName(temporal)],
    look: async () => {
      const { workflowService } = await temporal.connection();
      const taskQueue = { name: workerTaskQueue };
      const { pollers } = await workflowService.describeTaskQueue({ namespace: temporal.namespace, taskQueue });
      const workers = [...new Set(pollers.map(({ identity }) => identity))];
      if (workers.length > 0) return ok(`polled by ${workers.length}: ${workers.join(', ')}`);
      return { state: 'warning', facts: ['no worker polls it: start "telemetry worker"'] };
    },
  };
}

async function eventually(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const answer = await isSo().catch((error: unknown) => {
      if (codeOf(error) === NOT_FOUND) return false;
      throw error;
    });
    if (answer) return;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Hosted servers leave such changes to their own tools. */
async function permitted(what: string, change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (![UNIMPLEMENTED, PERMISSION_DENIED].includes(codeOf(error) ?? 0)) throw error;
    throw new Error(`this server does not let us ${what} (${(error as Error).message}): do it with its own tools`, {
      cause: error,
    });
  }
}

function codeOf(error: unknown): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/**
 * Schedules: what the server runs, compared with what the code says. A pause belongs to the operators and is not a
 * difference.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type ScheduleClient,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
} from '@temporalio/client';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { type Applied, applySchedule } from '../schedules.ts';
import { type Look, okUnless, type SetupItem } from './item.ts';

export function scheduleItem(
  client: () => Promise<ScheduleClient>,
  wanted: ScheduleOptions,
  needs: readonly string[],
): SetupItem {
  const apply = async (): Promise<void> => {
    await applySchedule(await client(), wanted);
  };
  return {
    name: `schedule ${wanted.scheduleId}`,
    needs,
    look: async () => lookAtSchedule(await client(), wanted),
    create: apply,
    fix: apply,
  };
}

/** Creates or updates it; one that is as the code says is left alone. */
export async function applyWhereDifferent(
  client: ScheduleClient,
  wanted: ScheduleOptions,
): Promise<Applied | 'unchanged'> {
  const { state } = await lookAtSchedule(client, wanted);
  return state === 'ok' ? 'unchanged' : await applySchedule(client, wanted);
}

/** Compares times, policies and what is started; shows when it runs next, or why it is paused. */
export async function lookAtSchedule(client: ScheduleClient, wanted: ScheduleOptions): Promise<Look> {
  try {
    const actual = await client.getHandle(wanted.scheduleId).describe();
    return okUnless(scheduleDifferences(actual, wanted), ...scheduleFacts(actual));
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return { state: 'missing', facts: ['does not exist'] };
    throw error;
  }
}

type Described = Pick<ScheduleDescription, 'spec' | 'policies' | 'action'>;

/** One sentence for each part that is not as it should be. */
export function scheduleDifferences(actual: Described, wanted: ScheduleOptions): string[] {
  return [...specRows(actual, wanted), ...policyRows(actual, wanted), ...actionRows(actual, wanted)]
    .filter(([, found, should]) => !isDeepStrictEqual(found, should))
    .map(([what, found, should]) => `${what} is ${shown(found)}, should be ${shown(should)}`);
}

type Row = readonly [what: string, found: unknown, should: unknown];

function specRows({ spec }: Described, { spec: wanted }: ScheduleOptions): Row[] {
  const every = wanted.intervals?.map(({ every: interval }) => msToNumber(interval) / 1000) ?? [];
  return [
    ['the time', spec.calendars?.map(cronOf).toSorted() ?? [], (wanted.cronExpressions ?? []).toSorted()],
    ['the interval in seconds', spec.intervals?.map(({ every: interval }) => interval / 1000) ?? [], every],
    // The server leaves UTC out in part of its answers.
    ['the time zone', spec.timezone ?? 'UTC', wanted.timezone ?? 'UTC'],
  ];
}

function policyRows({ policies }: Described, { policies: wanted }: ScheduleOptions): Row[] {
  const rows: Row[] = [];
  if (wanted?.overlap !== undefined) rows.push(['the overlap policy', policies.overlap, wanted.overlap]);
  if (wanted?.catchupWindow !== undefined) {
    const seconds = msToNumber(wanted.catchupWindow) / 1000;
    rows.push(['the catch-up window in seconds', policies.catchupWindow / 1000, seconds]);
  }
  if (wanted?.pauseOnFailure !== undefined)
    rows.push(['pausing on failure', policies.pauseOnFailure, wanted.pauseOnFailure]);
  return rows;
}

function actionRows({ action }: Described, { action: wanted }: ScheduleOptions): Row[] {
  const type = typeof wanted.workflowType === 'string' ? wanted.workflowType : wanted.workflowType.name;
  return [
    ['the workflow type', action.workflowType, type],
    ['the workflow id', action.workflowId, wanted.workflowId],
    ['the worker task queue', action.taskQueue, wanted.taskQueue],
    ['the input', action.args ?? [], wanted.args ?? []],
    ['the summary', action.staticSummary, wanted.staticSummary],
    ['the details', action.staticDetails, wanted.staticDetails],
  ];
}

function shown(value: unknown): string {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(' and ') || 'none';
  return typeof value === 'string' ? value : JSON.stringify(value ?? 'none');
}

function scheduleFacts({ spec, state, info }: ScheduleDescription): string[] {
  const next = info.nextActionTimes[0]?.toISOString() ?? 'never';
  const times = `${spec.calendars?.map(cronOf).join(' and ') ?? ''} ${spec.timezone ?? 'UTC'}`;
  if (!state.paused) return [`${times}, next run ${next}`];
  return [`${times}, paused: ${state.note ?? 'without a note'}`];
}

type Calendar = NonNullable<ScheduleDescription['spec']['calendars']>[number];
type Range = Calendar['minute'][number] | Calendar['month'][number] | Calendar['dayOfWeek'][number];

const MONTHS = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(' ');
const WEEKDAYS = 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY'.split(' ');

/**
 * The server turns cron expressions into calendars; this is the way back: minute, hour, day, month, weekday, in numbers.
 * Seconds other than 0 and years, which cron does not know, are put before and behind.
 */
export function cronOf(calendar: Calendar): string {
  const second = field(calendar.second, 0, 59, Number);
  const parts = [
    ...(second === '0' ? [] : [`second ${second}:`]),
    field(calendar.minute, 0, 59, Number),
    field(calendar.hour, 0, 23, Number),
    field(calendar.dayOfMonth, 1, 31, Number),
    field(calendar.month, 1, 12, (name) => MONTHS.indexOf(String(name)) + 1),
    field(calendar.dayOfWeek, 0, 6, (name) => WEEKDAYS.indexOf(String(name))),
    ...(calendar.year.length === 0 ? [] : [`year ${field(calendar.year, 1, 9999, Number)}`]),
  ];
  return parts.join(' ');
}

function field(ranges: readonly Range[], first: number, last: number, numberOf: (value: unknown) => number): string {
  const texts = ranges.map(({ start, end, step }) => {
    const [from, to] = [numberOf(start), numberOf(end)];
    const every = step === 1 ? '' : `/${step}`;
    if (from === first && to === last) return `*${every}`;
    return from === to ? String(from) : `${from}-${to}${every}`;
  });
  return texts.join(',');
}

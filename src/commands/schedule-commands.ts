/** `schedules apply|list`. */
import type { Config } from '../config.ts';
import { schedules } from '../schedules.ts';
import { applyWhereDifferent } from '../setup/schedule-items.ts';
import { withTemporalClient } from './temporal-client.ts';
import { print, table } from './terminal.ts';

export async function applySchedules(config: Config): Promise<void> {
  await withTemporalClient(async (client) => {
    for (const schedule of schedules(config.TELEMETRY_WORKER_TASK_QUEUE)) {
      print(`${schedule.scheduleId}: ${await applyWhereDifferent(client.schedule, schedule)}`);
    }
  });
}

export async function listSchedules(json: boolean): Promise<void> {
  await withTemporalClient(async (client) => {
    const found: { id: string; next: string | null; paused: boolean; note: string | null; lastRun: string | null }[] =
      [];
    for await (const summary of client.schedule.list()) {
      const { scheduleId } = summary;
      const { state, info } = await client.schedule.getHandle(scheduleId).describe();
      const last = info.recentActions.at(-1);
      found.push({
        id: scheduleId,
        next: info.nextActionTimes[0]?.toISOString() ?? null,
        paused: state.paused,
        note: state.note ?? null,
        lastRun: last?.takenAt.toISOString() ?? null,
      });
    }
    if (json) print(JSON.stringify(found));
    else {
      const rows = found.map(({ id, next, paused, note, lastRun }) => [
        id,
        next ?? '-',
        paused ? `paused: ${note ?? ''}` : 'active',
        lastRun ?? 'never',
      ]);
      print(
        rows.length === 0
          ? 'no schedules; create them with "schedules apply"'
          : table([['SCHEDULE', 'NEXT RUN', 'STATE', 'LAST RUN'], ...rows]),
      );
    }
  });
}

/** Which activities of a run were tried more than once: a heartbeat that came too late shows there, and in nothing else. */
import type { Scene, StartedDay } from './scene.ts';

/** How many attempts of these runs' stagings came after a first one; each of them may have left a folder behind. */
export async function stagingsAgain(scene: Scene, runs: readonly StartedDay[]): Promise<number> {
  const again = await Promise.all(runs.map((run) => triedAgain(scene, run)));
  return again.flat().filter((activity) => activity === 'stageSnapshot').length;
}

/** `mergeChunk`, once for each attempt of a call of it after the first. */
export async function triedAgain(scene: Scene, { workflowId }: StartedDay): Promise<string[]> {
  const { events } = await scene.stage.client.workflow.getHandle(workflowId).fetchHistory();
  const types = new Map(
    (events ?? []).map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityType?.name ?? '',
    ]),
  );
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    new Array<string>(Math.max(0, (started?.attempt ?? 1) - 1)).fill(
      types.get(String(started?.scheduledEventId)) ?? '',
    ),
  );
}

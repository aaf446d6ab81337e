/** Which activities of a run were tried more than once: a heartbeat that came too late shows there, and in nothing else. */
import type { Scene, StartedDay } from './scene.ts';

/** `mergeChunk`, once for each call of it that needed a second attempt. */
export async function triedAgain(scene: Scene, { workflowId }: StartedDay): Promise<string[]> {
  const { events } = await scene.stage.client.workflow.getHandle(workflowId).fetchHistory();
  const types = new Map(
    (events ?? []).map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityType?.name ?? '',
    ]),
  );
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    (started?.attempt ?? 0) > 1 ? [types.get(String(started?.scheduledEventId)) ?? ''] : [],
  );
}

/** Which activities of a run were tried more than once: a heartbeat that came too late shows there, and in nothing else. */
import type { Scene, StartedDay } from './scene.ts';

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

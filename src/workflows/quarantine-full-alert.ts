/** When a done queue holds more bad messages than the quarantine takes: one alert, while the run goes on. */
import { workflowInfo } from '@temporalio/workflow';
import { type AlertSubject, notifyOrLog } from './alerting.ts';

export class QuarantineFullAlert {
  readonly #doneQueue: string;
  readonly #subject: Omit<AlertSubject, 'alertId'> | null;
  #raised = false;

  /** @param subject null: the run has no alerts, so it only notes the flood */
  constructor(doneQueue: string, subject: Omit<AlertSubject, 'alertId'> | null) {
    this.#doneQueue = doneQueue;
    this.#subject = subject;
  }

  get raised(): boolean {
    return this.#raised;
  }

  /** @param held bad messages that a drain left on the queue; absent in histories from before there was a cap */
  async note({ held }: { readonly held?: number }): Promise<void> {
    if (this.#raised || held === undefined || held === 0) return;
    this.#raised = true;
    if (this.#subject === null) return;
    const warning = `${this.#doneQueue} holds more bad messages than TELEMETRY_QUARANTINE_PER_HOUR lets into quarantine. They stay on the queue, which is drained slowly; good ones still get in. Find out who sends them: "telemetry quarantine list" shows what was taken (docs/security.md).`;
    await notifyOrLog({ ...this.#subject, alertId: workflowInfo().runId }, { kind: 'underway', warnings: [warning] });
  }
}

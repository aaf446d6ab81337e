/** The state of alerts: failures that are still open, and which channel has taken which alert. */
import { StoredJson } from '../pipeline/stored-json.ts';
import type { ObjectStore } from '../ports.ts';
import { type Codec, createDocumentOnce, readDocumentIfPresent } from './documents.ts';
import { stateKeys } from './keys.ts';

/** An open failure: stored when a run fails, removed when a later one about the same ends well. */
export type OpenFailure = ReturnType<typeof readOpenFailure>;

function readOpenFailure(root: StoredJson) {
  return {
    job: root.member('job').text(),
    about: root.member('about').text(),
    workflowId: root.member('workflowId').text(),
    runId: root.member('runId').text(),
    failedAt: root.member('failedAt').text(),
    type: root.member('type').nullOr((type) => type.text()),
    message: root.member('message').anyText(),
  };
}

export const OPEN_FAILURE: Codec<OpenFailure> = {
  what: 'an open failure',
  parse: (text) => readOpenFailure(StoredJson.document(text, 'bad_alert', 'open failure')),
};

/** The subject of an alert, for people who look into the bucket. */
export const ALERT_SUBJECT: Codec<{ readonly subject: string }> = {
  what: 'the mark of an alert',
  parse: (text) => ({
    subject: StoredJson.document(text, 'bad_alert', 'mark of an alert').member('subject').anyText(),
  }),
};

/** Undefined when no failure of the job about this is open. @throws ApplicationFailure StateDamaged */
export async function findOpenFailure(
  store: ObjectStore,
  job: string,
  about: string,
  signal: AbortSignal,
): Promise<OpenFailure | undefined> {
  return readDocumentIfPresent(store, stateKeys.openFailure(job, about), OPEN_FAILURE, signal);
}

/** The first failure stays, because alerts say since when. */
export async function openFailure(store: ObjectStore, failure: OpenFailure, signal: AbortSignal): Promise<void> {
  await createDocumentOnce(store, stateKeys.openFailure(failure.job, failure.about), OPEN_FAILURE, failure, signal);
}

export async function closeFailure(store: ObjectStore, job: string, about: string, signal: AbortSignal): Promise<void> {
  await store.delete([stateKeys.openFailure(job, about)], signal);
}

/** An alert of a run, as far as its delivery is noted. */
export class Delivery {
  readonly #store: ObjectStore;
  readonly #alertId: string;
  readonly #kind: string;
  readonly #subject: string;
  readonly #signal: AbortSignal;

  constructor(store: ObjectStore, alert: { id: string; kind: string; subject: string }, signal: AbortSignal) {
    this.#store = store;
    this.#alertId = alert.id;
    this.#kind = alert.kind;
    this.#subject = alert.subject;
    this.#signal = signal;
  }

  /** From now on it counts as undelivered. */
  async begin(): Promise<void> {
    await this.#mark(stateKeys.undelivered(this.#alertId, this.#kind));
  }

  async isTakenBy(channel: string): Promise<boolean> {
    const mark = stateKeys.delivered(this.#alertId, this.#kind, channel);
    return (await this.#store.head(mark, this.#signal)) !== undefined;
  }

  async noteTaken(channel: string): Promise<void> {
    await this.#mark(stateKeys.delivered(this.#alertId, this.#kind, channel));
  }

  /** Every channel has taken it. */
  async end(): Promise<void> {
    await this.#store.delete([stateKeys.undelivered(this.#alertId, this.#kind)], this.#signal);
  }

  async #mark(key: string): Promise<void> {
    await createDocumentOnce(this.#store, key, ALERT_SUBJECT, { subject: this.#subject }, this.#signal);
  }
}

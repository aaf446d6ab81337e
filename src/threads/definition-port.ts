/**
 * How a file job in a thread gets at histogram definitions: it asks the process by revision URL over a message port. So
 * the process looks each revision up once for all its threads, and remembers failures.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { parseHistogramsFile } from '../histograms/histograms-file.ts';
import type { Definitions, DefinitionSource } from '../histograms/look-up.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';

/** The text of a revision's Histograms.json; undefined when it is not available now. A later call may find it. */
export type FindHistogramsFile = (revisionUrl: string) => Promise<string | undefined>;

/** It may quote what others wrote, and the workflow's history keeps it. */
const MAX_FAULT = 500;

interface Question {
  readonly id: number;
  readonly revisionUrl: string;
}
interface Answer {
  readonly id: number;
  readonly text: string | undefined;
}

interface AnsweringPort {
  readonly port: MessagePort;
  /** What was wrong with files that are there. */
  readonly faults: () => string[];
  readonly close: () => void;
}

/** A port to hand to a thread; every question that comes out of it is answered by `find` until it is closed. */
export function answeringPort(find: FindHistogramsFile): AnsweringPort {
  const { port1, port2 } = new MessageChannel();
  const faults = new Set<string>();
  port1.on('message', ({ id, revisionUrl }: Question) => {
    const answer = (text: string | undefined): void => {
      port1.postMessage({ id, text } satisfies Answer);
    };
    // A missing definition must not hold data back.
    find(revisionUrl).then(answer, (error: unknown) => {
      if (error instanceof InvalidDataError) faults.add(error.message.slice(0, MAX_FAULT));
      answer(undefined);
    });
  });
  return {
    port: port2,
    faults: () => [...faults],
    close: () => {
      port1.close();
    },
  };
}

/** The thread's end. Remembers every revision it asked for: a job names a few dozen. */
export class DefinitionsByPort implements DefinitionSource {
  readonly #port: MessagePort;
  readonly #known = new Map<string, Promise<Definitions | undefined>>();
  readonly #waiting = new Map<number, (text: string | undefined) => void>();
  #asked = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', ({ id, text }: Answer) => {
      this.#settle(id, text);
    });
    // After the other end is closed, no answer comes.
    port.on('close', () => {
      for (const id of this.#waiting.keys()) this.#settle(id, undefined);
    });
  }

  async histograms(revision: string): Promise<Definitions | undefined> {
    let known = this.#known.get(revision);
    if (known === undefined) {
      known = this.#ask(revision);
      this.#known.set(revision, known);
    }
    return known;
  }

  close(): void {
    this.#port.close();
  }

  async #ask(revisionUrl: string): Promise<Definitions | undefined> {
    const id = (this.#asked += 1);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#waiting.set(id, resolve);
    this.#port.postMessage({ id, revisionUrl } satisfies Question);
    const text = await promise;
    return text === undefined ? undefined : parseHistogramsFile(text).definitions;
  }

  #settle(id: number, text: string | undefined): void {
    this.#waiting.get(id)?.(text);
    this.#waiting.delete(id);
  }
}

/** One walk over both buckets: what it reads is counted, whatever is missing or damaged becomes a finding and never an error. */
import { createHash } from 'node:crypto';
import { readStored, StoredDamage } from './stored-content.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { compareFindings, type FindingKind, type Rule, type VerifyFinding } from './rules/finding.ts';
import { ObjectMissingError, type ObjectStore, type StoredObject } from '../ports.ts';
import type { VerifyCounts, VerifyOptions, VerifyPorts, VerifyReport } from './verification.ts';

/** The parts that all findings about an object share. */
export interface About {
  readonly invariant: Rule;
  /** The object's name for people: `the segment of 20131029`. */
  readonly what: string;
  /** What to do when it is gone or damaged. */
  readonly action: string;
}

const MAX_OF_A_KIND = 200;

export class Walk {
  readonly ports: VerifyPorts;
  readonly quick: boolean;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly counts: VerifyCounts = {
    days: 0,
    rounds: 0,
    folders: 0,
    adopted: 0,
    rendered: 0,
    superseded: 0,
    earlierCommits: 0,
    collectedRuns: 0,
    objects: 0,
    bytes: 0,
  };
  readonly #progress: NonNullable<VerifyOptions['progress']>;
  readonly #findings: VerifyFinding[] = [];
  readonly #kinds = new Map<string, number>();
  readonly #severities = { error: 0, note: 0 };

  constructor(ports: VerifyPorts, options: VerifyOptions, signal: AbortSignal) {
    this.ports = ports;
    this.quick = options.quick === true;
    this.now = options.now ?? new Date();
    this.signal = signal;
    this.#progress = options.progress ?? { step: '', objects: 0, bytes: 0 };
  }

  get errors(): number {
    return this.#severities.error;
  }

  step(text: string): void {
    this.#progress.step = text;
  }

  error(invariant: Rule, kind: FindingKind, where: string, what: string, action: string): void {
    this.#add({ invariant, kind, severity: 'error', what, where, action });
  }

  note(invariant: Rule, kind: FindingKind, where: string, what: string, action: string): void {
    this.#add({ invariant, kind, severity: 'note', what, where, action });
  }

  stateAddress(key: string): string {
    return `s3://${this.ports.analysis.bucket}/${key}`;
  }

  publishedAddress(name: string): string {
    return `s3://${this.ports.published.bucket}/${this.ports.settings.publishedPrefix}${name}`;
  }

  /** As stored; undefined, and a finding, when there is none. */
  async get(store: ObjectStore, key: string, about: About): Promise<(StoredObject & { body: Buffer }) | undefined> {
    return this.#unlessMissing(store, key, about, async () => {
      const stored = await store.get(key, { signal: this.signal });
      this.counted(stored.body.length);
      return stored;
    });
  }

  /** The same into a local file. */
  async file(store: ObjectStore, key: string, path: string, about: About): Promise<StoredObject | undefined> {
    return this.#unlessMissing(store, key, about, async () => {
      const stored = await store.getToFile(key, path, { signal: this.signal });
      this.counted(stored.size);
      return stored;
    });
  }

  /** A stored document, compressed or not; undefined, and a finding, when it is missing or damaged. */
  async document<T>(
    store: ObjectStore,
    key: string,
    about: About,
    parse: (text: string) => T,
  ): Promise<{ readonly value: T; readonly sha256: string; readonly etag: string } | undefined> {
    const stored = await this.get(store, key, about);
    if (stored === undefined) return undefined;
    try {
      const text = await readStored(stored.body);
      return { value: parse(text), sha256: createHash('sha256').update(text).digest('hex'), etag: stored.etag };
    } catch (error) {
      if (!(error instanceof InvalidDataError) && !(error instanceof StoredDamage)) throw error;
      const where = `s3://${store.bucket}/${key}`;
      this.error(about.invariant, 'damaged', where, `${about.what} is damaged: ${error.message}`, about.action);
      return undefined;
    }
  }

  report(versions: string, commit: VerifyReport['commit']): VerifyReport {
    return {
      at: this.now.toISOString(),
      quick: this.quick,
      commit,
      versions,
      counts: this.counts,
      errors: this.#severities.error,
      notes: this.#severities.note,
      findings: this.#findings.toSorted(compareFindings),
    };
  }

  async #unlessMissing<T>(
    store: ObjectStore,
    key: string,
    about: About,
    read: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ObjectMissingError)) throw error;
      this.error(about.invariant, 'missing', `s3://${store.bucket}/${key}`, `${about.what} is gone`, about.action);
      return undefined;
    }
  }

  counted(bytes: number): void {
    this.counts.objects += 1;
    this.counts.bytes += bytes;
    this.#progress.objects = this.counts.objects;
    this.#progress.bytes = this.counts.bytes;
  }

  #add(finding: VerifyFinding): void {
    const kind = `${finding.severity} ${finding.invariant} ${finding.kind}`;
    const known = this.#kinds.get(kind) ?? 0;
    this.#kinds.set(kind, known + 1);
    this.#severities[finding.severity] += 1;
    if (known < MAX_OF_A_KIND) this.#findings.push(finding);
  }
}

/** What the application needs of an object store and of SQS queues. `src/aws` has the real ones, tests have fakes. */
import type { Alert } from './alerts/alert.ts';
import type { InputFile } from './pipeline/task-queue/pack.ts';

export interface StoredObject {
  readonly etag: string;
  /** Bytes, as stored. */
  readonly size: number;
}

export interface ObjectHeaders {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly cacheControl?: string;
}

/** What to store: bytes, or a file that is read while it is sent. */
export type ObjectBody = Buffer | FileBody;

export interface FileBody {
  readonly path: string;
  /** First byte; 0 by default. */
  readonly start?: number;
  readonly size: number;
}

export interface Folder {
  readonly kind: 'folder';
  readonly name: string;
}
export type ListedObject = { readonly kind: 'object'; readonly etag: string; readonly lastModified: Date } & InputFile;

/** One bucket. Every call ends early when its signal aborts, and times out by itself. */
export interface ObjectStore {
  readonly bucket: string;
  /** @throws ObjectMissingError; PreconditionFailedError when `ifMatch` no longer holds */
  get(key: string, options?: { ifMatch?: string; signal?: AbortSignal }): Promise<StoredObject & { body: Buffer }>;
  /** Writes the object to a new local file. Same errors. */
  getToFile(key: string, path: string, options?: { ifMatch?: string; signal?: AbortSignal }): Promise<StoredObject>;
  /** Undefined when there is no such object. */
  head(key: string, signal?: AbortSignal): Promise<(StoredObject & { readonly lastModified: Date }) | undefined>;
  put(key: string, body: ObjectBody, headers?: ObjectHeaders, signal?: AbortSignal): Promise<StoredObject>;
  /** Stores only where nothing is; `exists` says that something was, and leaves it. */
  createOnce(
    key: string,
    body: ObjectBody,
    headers?: ObjectHeaders,
    signal?: AbortSignal,
  ): Promise<'created' | 'exists'>;
  /**
   * Replaces the object that has this ETag. One try: the caller resolves what an unclear answer means.
   * @throws PreconditionFailedError, ObjectMissingError; anything else leaves the outcome unknown
   */
  replace(
    key: string,
    ifMatch: string,
    body: ObjectBody,
    headers?: ObjectHeaders,
    signal?: AbortSignal,
  ): Promise<StoredObject>;
  /** Objects and groups of keys up to the delimiter, all pages; order is the store's. */
  list(prefix: string, delimiter?: '/' | '.', signal?: AbortSignal): AsyncIterable<Folder | ListedObject>;
  /** Every object whose key begins so. */
  objects(prefix: string, signal?: AbortSignal): AsyncIterable<ListedObject>;
  /** Names of the folders directly below a prefix that ends in a slash, or is empty. */
  folders(prefix: string, signal?: AbortSignal): AsyncIterable<string>;
  delete(keys: readonly string[], signal?: AbortSignal): Promise<void>;
}

/** `objects` of a store, by its `list`. */
export async function* onlyObjects(entries: AsyncIterable<Folder | ListedObject>): AsyncGenerator<ListedObject> {
  for await (const entry of entries) if (entry.kind === 'object') yield entry;
}

/** `folders` of a store, by its `list`. */
export async function* onlyFolders(
  entries: AsyncIterable<Folder | ListedObject>,
  prefix: string,
): AsyncGenerator<string> {
  for await (const entry of entries) if (entry.kind === 'folder') yield entry.name.slice(prefix.length, -1);
}

export class ObjectMissingError extends Error {
  override readonly name = 'ObjectMissingError';
}

export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError';
}

export interface ReceivedMessage {
  readonly body: string;
  readonly receiptHandle: string;
  /** How often the message was handed out, this time included. */
  readonly receiveCount: number;
  /** When it was sent, by SQS's clock. */
  readonly sentAt: Date;
}

/** How many messages a queue holds, about. */
export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface QueueSettings {
  readonly visibilitySeconds: number;
  readonly delaySeconds: number;
  readonly retentionSeconds: number;
}

/** SQS queues, by name. Every call throws QueueMissingError when there is no such queue. */
export interface MessageQueues {
  /** Sends at most 10 messages; resolves with the positions that SQS refused. */
  send(queue: string, bodies: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
  /** Long poll for at most 10 messages, or fewer. */
  receive(
    queue: string,
    options: { waitSeconds: number; visibilitySeconds: number; maxMessages?: number; signal?: AbortSignal },
  ): Promise<readonly ReceivedMessage[]>;
  /** Deletes at most 10; resolves with how many SQS did not delete (they come again, which is harmless). */
  deleteMessages(queue: string, receiptHandles: readonly string[], signal?: AbortSignal): Promise<number>;
  /**
   * From now on a received message stays hidden for this long; 0 gives it to the next receiver.
   * @throws ReceiptExpiredError when the message is no longer ours
   */
  changeVisibility(queue: string, receiptHandle: string, seconds: number, signal?: AbortSignal): Promise<void>;
  depth(queue: string, signal?: AbortSignal): Promise<QueueDepth>;
  maxMessageBytes(queue: string, signal?: AbortSignal): Promise<number>;
  create(queue: string, settings: QueueSettings, signal?: AbortSignal): Promise<void>;
  /** Removes a queue; one that is gone already is fine. */
  remove(queue: string, signal?: AbortSignal): Promise<void>;
  names(prefix: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** The queue's address. */
  url(queue: string, signal?: AbortSignal): Promise<string>;
}

export class QueueMissingError extends Error {
  override readonly name = 'QueueMissingError';
}

/** A service gave no answer at all. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  /** Environment variable that says where the service is. */
  readonly setting: string;

  constructor(message: string, setting: string, options?: ErrorOptions) {
    super(message, options);
    this.setting = setting;
  }
}

/** A message was handed to somebody else, or deleted, since it was received. */
export class ReceiptExpiredError extends Error {
  override readonly name = 'ReceiptExpiredError';
}

/** A way to reach people. */
export interface AlertChannel {
  /** Short, for logs and state keys. */
  readonly name: string;
  /** @param id the same for a repeated send */
  send(alert: Alert, id: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the channel would take an alert, as far as that shows without sending one. */
  verify(): Promise<void>;
  close(): void;
}

export { PassingError } from './pipeline/passing-error.ts';

/** What a set-up needs of the services beyond the application's own ports; `src/aws/provision.ts` has the real ones. */

/** One rule of a bucket's CORS configuration, in S3's words. */
export interface CorsRule {
  readonly AllowedOrigins: readonly string[];
  readonly AllowedMethods: readonly string[];
  readonly AllowedHeaders?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly MaxAgeSeconds?: number;
}

/** Buckets of one account. */
export interface BucketAdministration {
  /** Whether policies may ask for `s3:if-match` and `s3:if-none-match`. A store that does not know them may refuse all writes then. */
  readonly knowsWriteConditions: boolean;
  exists(bucket: string): Promise<boolean>;
  /** Fine when this account has it already. */
  create(bucket: string): Promise<void>;
  /** JSON text; null when the bucket has none. */
  policy(bucket: string): Promise<string | null>;
  setPolicy(bucket: string, policy: string): Promise<void>;
  cors(bucket: string): Promise<readonly CorsRule[]>;
  setCors(bucket: string, rules: readonly CorsRule[]): Promise<void>;
}

/** Attributes of an SQS queue by SQS's names, all as text. */
export type QueueAttributes = Readonly<Record<string, string>>;

export interface QueueAdministration {
  /** All attributes; null when there is no such queue. */
  attributes(queue: string): Promise<QueueAttributes | null>;
  create(queue: string, attributes: QueueAttributes): Promise<void>;
  setAttributes(queue: string, attributes: QueueAttributes): Promise<void>;
}

/**
 * Who may read the data set: everybody the objects under its prefix, pages of any origin by GET and HEAD
 * (docs/formats/published.md A19).
 */
import { type Look, okUnless, type SetupItem } from './item.ts';
import type { BucketAdministration, CorsRule } from './ports.ts';

interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}

export type NamedStatement = Statement & { readonly Sid: string };

/** The statements by which everybody reads, by Sid. */
export function wantedStatements(bucket: string, prefix: string): NamedStatement[] {
  return [
    {
      // One for each prefix: a bucket may hold several data sets.
      Sid: `PublicRead${prefix.replaceAll(/[^A-Za-z0-9]/g, '')}`,
      Effect: 'Allow',
      Principal: '*',
      Action: ['s3:GetObject'],
      Resource: [`arn:aws:s3:::${bucket}/${prefix}*`],
    },
  ];
}

export function publicReadItem(
  admin: BucketAdministration,
  bucket: string,
  prefix: string,
  needs: readonly string[],
): SetupItem {
  const write = async (): Promise<void> => {
    const wanted = wantedStatements(bucket, prefix);
    await admin.setPolicy(bucket, mergedPolicy(await admin.policy(bucket), wanted));
  };
  return {
    name: `public read of s3://${bucket}/${prefix}`,
    needs,
    look: async () => lookAtPolicy(await admin.policy(bucket), bucket, prefix),
    create: write,
    fix: write,
  };
}

/** @param policy the bucket's policy as JSON text, null for none */
export function lookAtPolicy(policy: string | null, bucket: string, prefix: string): Look {
  if (policy === null) return { state: 'missing', facts: ['the bucket has no policy'] };
  const resource = `arn:aws:s3:::${bucket}/${prefix}`;
  const readers = statementsOf(policy)
    .filter((statement) => statement.Effect === 'Allow' && allowsReading(statement, resource))
    .map(readerOf)
    .filter((reader) => reader !== null);
  const differences =
    readers.length > 0 ? [] : [`the policy lets nobody read ${resource}*; others' statements are kept by --fix`];
  return okUnless(differences, `read by ${[...new Set(readers)].join(' and ')}`);
}

function allowsReading({ Action: actions, Resource: resources }: Statement, resource: string): boolean {
  const isRead = list(actions).some((action) => ['s3:GetObject', 's3:Get*', 's3:*', '*'].includes(action));
  return (
    isRead && list(resources).some((allowed) => allowed.endsWith('*') && resource.startsWith(allowed.slice(0, -1)))
  );
}

/** Everybody, or a CloudFront distribution, through which everybody reads (docs/security.md T18). */
function readerOf({ Principal: principal, Condition: condition }: Statement): string | null {
  const { AWS: aws, Service: service } = (isObject(principal) ? principal : {}) as {
    AWS?: unknown;
    Service?: unknown;
  };
  // A condition names the distribution; for other principals it narrows "everybody" down.
  if (list(service).includes('cloudfront.amazonaws.com')) return 'CloudFront';
  const isEverybody = principal === '*' || list(aws).includes('*');
  return isEverybody && condition === undefined ? 'everybody' : null;
}

/** The policy with the wanted statements in it; statements of the same Sid are replaced, all others kept. */
export function mergedPolicy(policy: string | null, wanted: readonly NamedStatement[]): string {
  const kept = policy === null ? [] : statementsOf(policy);
  const sids = new Set<string | undefined>(wanted.map(({ Sid: sid }) => sid));
  const statements = [...kept.filter(({ Sid: sid }) => !sids.has(sid)), ...wanted];
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

export function statementsOf(policy: string): Statement[] {
  const document: unknown = JSON.parse(policy);
  const statements = isObject(document) && 'Statement' in document ? document.Statement : [];
  return [statements].flat().filter((statement): statement is Statement => isObject(statement));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The texts of a member that may be a single one or a list. */
export function list(value: unknown): string[] {
  return [value].flat().filter((each) => typeof each === 'string');
}

const WANTED_CORS: CorsRule = {
  AllowedOrigins: ['*'],
  AllowedMethods: ['GET', 'HEAD'],
  AllowedHeaders: ['*'],
  ExposeHeaders: ['ETag'],
  MaxAgeSeconds: 3_600,
};

export function corsItem(admin: BucketAdministration, bucket: string, needs: readonly string[]): SetupItem {
  const write = async (): Promise<void> => {
    // S3 takes the first rule that fits a request, so ours goes before narrower ones.
    await admin.setCors(bucket, [WANTED_CORS, ...(await admin.cors(bucket))]);
  };
  return {
    name: `CORS of s3://${bucket}`,
    needs,
    look: async () => lookAtCors(await admin.cors(bucket)),
    create: write,
    fix: write,
  };
}

/** @param rules those of the published bucket */
export function lookAtCors(rules: readonly CorsRule[]): Look {
  if (rules.length === 0) return { state: 'missing', facts: ['the bucket has no CORS rules'] };
  const lacking = WANTED_CORS.AllowedMethods.filter(
    (method) =>
      !rules.some(
        ({ AllowedOrigins, AllowedMethods }) => AllowedOrigins.includes('*') && AllowedMethods.includes(method),
      ),
  );
  const differences = lacking.map((method) => `no rule allows ${method} to pages of any origin (*)`);
  return okUnless(differences, 'GET and HEAD for pages of any origin');
}

/**
 * The bucket itself refuses every PUT of `versions.json` without a condition: a second publisher, or a manual upload,
 * loses no commit (docs/security.md T13).
 */
import { publishedNames } from '../state/keys.ts';
import { type Look, ok, type SetupItem } from './item.ts';
import type { BucketAdministration } from './ports.ts';
import { list, mergedPolicy, type NamedStatement, statementsOf } from './published-access.ts';

/** `If-None-Match` is for `setup`, which begins the data set; every commit has `If-Match`. */
const UNCONDITIONAL = { 's3:if-match': 'true', 's3:if-none-match': 'true' } as const;

/** The statement that the policy of the published bucket needs. CopyObject knows no such conditions, so it is refused as well. */
export function guardStatement(bucket: string, prefix: string): NamedStatement {
  return {
    Sid: `PointerByConditionOnly${prefix.replaceAll(/[^A-Za-z0-9]/g, '')}`,
    Effect: 'Deny',
    Principal: '*',
    Action: ['s3:PutObject'],
    Resource: [pointerArn(bucket, prefix)],
    Condition: { Null: UNCONDITIONAL },
  };
}

function pointerArn(bucket: string, prefix: string): string {
  return `arn:aws:s3:::${bucket}/${prefix}${publishedNames.versions}`;
}

export function pointerGuardItem(
  admin: BucketAdministration,
  bucket: string,
  prefix: string,
  needs: readonly string[],
): SetupItem {
  const write = async (): Promise<void> => {
    await admin.setPolicy(bucket, mergedPolicy(await admin.policy(bucket), [guardStatement(bucket, prefix)]));
  };
  return {
    name: `guard of s3://${bucket}/${prefix}${publishedNames.versions}`,
    needs,
    look: async () =>
      admin.knowsWriteConditions ? lookAtGuard(await admin.policy(bucket), bucket, prefix) : NOT_ON_THIS_STORE,
    create: write,
    fix: write,
  };
}

const NOT_ON_THIS_STORE: Look = {
  state: 'warning',
  facts: [
    'not set: only AWS is known to understand conditions of writes in policies, other stores may then refuse every commit',
    'runs commit by If-Match all the same; give no other program credentials that may write there',
  ],
};

/** @param policy the bucket's policy as JSON text, null for none */
export function lookAtGuard(policy: string | null, bucket: string, prefix: string): Look {
  const denials = (policy === null ? [] : statementsOf(policy)).filter(
    ({ Effect, Action: actions, Resource: resources }) =>
      Effect === 'Deny' &&
      list(actions).includes('s3:PutObject') &&
      list(resources).includes(pointerArn(bucket, prefix)),
  );
  if (denials.length === 0) return { state: 'missing', facts: ['the policy lets a PUT without a condition through'] };
  if (denials.some(({ Condition: condition }) => deniesUnconditional(condition)))
    return ok('only PUTs with If-Match or If-None-Match');
  return { state: 'differs', facts: ['a statement denies PUTs of it, but not just those without a condition'] };
}

/** Exactly our condition, or the stricter one that wants If-Match also of the first commit. */
function deniesUnconditional(condition: unknown): boolean {
  const [operator, ...others] = Object.entries((condition ?? {}) as Record<string, unknown>);
  if (operator?.[0] !== 'Null' || others.length > 0) return false;
  const keys = Object.entries(operator[1] as Record<string, unknown>);
  return (
    keys.some(([key]) => key === 's3:if-match') &&
    keys.every(([key, value]) => Object.hasOwn(UNCONDITIONAL, key) && String(value) === 'true')
  );
}

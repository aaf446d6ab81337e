/** What an IAM policy says to a request: as much of IAM as the policies of deploy/iam use, refusing anything else. */
import { readFileSync } from 'node:fs';

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Conditions;
}

export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the request, such as `s3:if-match`; a key that is not here is null. */
  readonly context: Readonly<Record<string, string>>;
}

/** An action or resource of a statement, for people. */
type Part = string;

export class Policy {
  readonly statements: readonly PolicyStatement[];

  /** @param values what stands for the `{PLACEHOLDERS}`; one that is missing here is an error */
  constructor(text: string, values: Readonly<Record<string, string>>) {
    const filled = text.replaceAll(/\{([A-Z_]+)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`Nothing is given for {${name}}`);
      return value;
    });
    this.statements = (JSON.parse(filled) as { Statement: PolicyStatement[] }).Statement;
  }

  static ofFile(file: string, values: Readonly<Record<string, string>>): Policy {
    return new Policy(readFileSync(new URL(`../../deploy/iam/${file}`, import.meta.url), 'utf8'), values);
  }

  /** A Deny wins; without an Allow the answer is no. */
  allows(request: PolicyRequest): boolean {
    const effects = this.statements.filter((statement) => applies(statement, request)).map(({ Effect }) => Effect);
    return effects.includes('Allow') && !effects.includes('Deny');
  }

  /** Actions and resources of Allow statements that none of the requests needs. */
  unused(requests: readonly PolicyRequest[]): Part[] {
    return this.statements
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap((statement) => {
        const mine = requests.filter((request) => applies(statement, request));
        const actions = statement.Action.filter((action) => !mine.some((request) => like(action, request.action)));
        const resources = statement.Resource.filter(
          (resource) => !mine.some((request) => like(resource, request.resource)),
        );
        return [...actions, ...resources].map((part) => `${statement.Sid}: ${part}`);
      });
  }
}

function applies({ Action: actions, Resource: resources, Condition = {} }: PolicyStatement, request: PolicyRequest) {
  return (
    actions.some((action) => like(action, request.action)) &&
    resources.some((resource) => like(resource, request.resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, request.context[key], [wanted].flat())),
    )
  );
}

function holds(operator: string, value: string | undefined, wanted: readonly string[]): boolean {
  switch (operator) {
    case 'Null':
      return wanted.includes(String(value === undefined));
    case 'Bool':
    case 'StringEquals':
      return value !== undefined && wanted.includes(value);
    case 'StringLike':
      return value !== undefined && wanted.some((pattern) => like(pattern, value));
    case 'ArnNotEquals':
      return value === undefined || !wanted.includes(value);
    default:
      throw new Error(`The condition operator ${operator} is unknown here`);
  }
}

/** `*` stands for any text, slashes too; `?` for one character. */
function like(pattern: string, text: string): boolean {
  const literal = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

/*
 * As much of how AWS decides on requests as the policies of terraform/modules/aws/buckets need: IAM's documentation,
 * "Policy evaluation logic" and "Condition operators".
 */

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | { readonly AWS: string | readonly string[] };
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Request {
  readonly principal: string;
  /** `s3:PutObject` */
  readonly action: string;
  readonly resource: string;
  /** By key; a key that the request does not have is absent. */
  readonly context: Readonly<Record<string, string>>;
}

/** Whether a bucket's policy lets a request of another account through; a denial is named by its statement. */
export function decide(
  statements: readonly Statement[],
  request: Request,
): 'allowed' | 'not allowed' | `denied: ${string}` {
  const matching = statements.filter((statement) => matches(statement, request));
  const denial = matching.find(({ Effect }) => Effect === 'Deny');
  if (denial) return `denied: ${denial.Sid}`;
  return matching.length > 0 ? 'allowed' : 'not allowed';
}

function matches({ Principal, Action, Resource, Condition = {} }: Statement, request: Request): boolean {
  const isMeant =
    Principal === '*' || list(Principal.AWS).some((arn) => like(arn.replace(/:root$/, ':*'), request.principal));
  return (
    isMeant &&
    list(Action).some((action) => like(action, request.action)) &&
    list(Resource).some((resource) => like(resource, request.resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, request.context[key], list(values))),
    )
  );
}

function holds(operator: string, given: string | undefined, values: readonly string[]): boolean {
  switch (operator) {
    case 'Null':
      return values.includes(String(given === undefined));
    case 'Bool':
      return given !== undefined && values.includes(given);
    case 'ArnNotLike':
      // Negated operators hold where there is no such key.
      return given === undefined || !values.some((pattern) => like(pattern, given));
    default:
      throw new Error(`${operator} is not known here`);
  }
}

/** `*` is any text, `?` any character. */
function like(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

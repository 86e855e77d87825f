import type { z } from 'zod';
import { quoted, type Spelling } from './near.ts';
import type { Path } from './place.ts';

type Issue = z.core.$ZodIssue;

/** One thing that a schema does not allow, in a sentence. */
export interface Problem {
  readonly path: Path;
  /** The key itself is wrong, not what it holds. */
  readonly atKey: boolean;
  readonly detail: string;
}

/** Everything that a schema does not allow about a value; none if it does allow it. `fields` are the keys to suggest. */
export function problemsOf(
  schema: z.ZodObject,
  value: unknown,
  spelling: Spelling,
  fields: readonly string[] = Object.keys(schema.shape),
): Problem[] {
  return issuesOf(schema, value, spelling).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key],
          atKey: true,
          detail: spelling.unknown('key', key, fields),
        }))
      : [{ path: issue.path, atKey: issue.code === 'invalid_key', detail: sentence(issue, value) }],
  );
}

/**
 * zod passes a schema's refinements over while a field has the wrong type or a key is unknown. So that all faults show
 * at once, they are asked again of the value with those fields made good.
 */
function issuesOf(schema: z.ZodObject, value: unknown, spelling: Spelling): Issue[] {
  const error = describe(spelling);
  const issues = (schema.safeParse(value, { error }).error?.issues ?? []).flatMap(branch);
  const blocking = issues.filter(
    ({ code }) => code === 'invalid_type' || code === 'invalid_key' || code === 'unrecognized_keys',
  );
  if (blocking.length === 0) return issues;
  const refined = (schema.safeParse(repaired(value, blocking), { error }).error?.issues ?? []).flatMap(branch);
  const isNew = (late: Issue) =>
    late.code === 'custom' &&
    !issues.some(({ path, message }) => message === late.message && isWithin(late.path, path)) &&
    !blocking.some(({ code, path }) => code !== 'unrecognized_keys' && isWithin(late.path, path));
  return [...issues, ...refined.filter(isNew)];
}

/** What none of several forms allows is told as what the form that was probably meant says of it. */
function branch(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isOther = (forms: readonly Issue[]) =>
    forms.some(({ code, path }) => code === 'invalid_type' && path.length === 0);
  const meant = issue.errors.find((issues) => !isOther(issues)) ?? issue.errors[0] ?? [];
  return meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(branch);
}

const isWithin = (path: Path, outer: Path): boolean => outer.every((key, index) => path[index] === key);

function repaired(value: unknown, issues: readonly Issue[]): unknown {
  const copy = structuredClone(value);
  for (const [index, issue] of issues.entries()) {
    const holder = valueAt(copy, issue.code === 'unrecognized_keys' ? issue.path : issue.path.slice(0, -1));
    const key = issue.path.at(-1);
    if (typeof holder !== 'object' || holder === null) continue;
    if (issue.code === 'unrecognized_keys') for (const unknown of issue.keys) Reflect.deleteProperty(holder, unknown);
    else if (key !== undefined && issue.code === 'invalid_key') Reflect.deleteProperty(holder, key);
    else if (key !== undefined && issue.code === 'invalid_type')
      Reflect.set(holder, key, standIn(issue.expected, index));
  }
  return copy;
}

/** A value of the type expected, no two texts alike. */
function standIn(expected: string, index: number): unknown {
  switch (expected) {
    case 'string':
      return `stand-in-${index}`;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'record':
    case 'object':
      return {};
    default:
      return 1;
  }
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (holder, key) =>
      typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)
        ? Reflect.get(holder, key)
        : undefined,
    value,
  );
}

/** A schema's own messages come first; zod asks this for every other. */
const describe =
  (spelling: Spelling): z.core.$ZodErrorMap =>
  (issue) => {
    switch (issue.code) {
      case 'invalid_type':
      case 'invalid_value': {
        const expected = issue.code === 'invalid_type' ? typeName(issue.expected) : oneOf(issue.values.map(String));
        if (issue.input === undefined) return `Missing "${String(issue.path?.at(-1))}": expected ${expected}`;
        return `Expected ${expected}; found ${found(issue.input)}${hint(issue, spelling)}`;
      }
      case 'too_small':
        return `Expected at least ${amount(issue.minimum, issue.origin)}; found ${size(issue.input)}`;
      case 'too_big':
        return `Expected at most ${amount(issue.maximum, issue.origin)}; found ${size(issue.input)}`;
      case 'invalid_key':
        return issue.issues[0]?.message;
      default:
        return undefined;
    }
  };

const oneOf = (values: readonly string[]): string =>
  values.length === 1 ? `"${values[0]}"` : `one of ${values.join(', ')}`;

function hint(issue: z.core.$ZodRawIssue, spelling: Spelling): string {
  const { input } = issue;
  if (issue.code === 'invalid_value' && typeof input === 'string') {
    const near = spelling.near(input, issue.values.map(String));
    return near === undefined ? '' : `; did you mean "${near}"?`;
  }
  if (issue.code !== 'invalid_type') return '';
  if (issue.expected === 'string' && (typeof input === 'number' || typeof input === 'boolean'))
    return '. Put it in quotes';
  if (issue.expected === 'array' && typeof input === 'string') return `. Write [${input.slice(0, 60)}]`;
  return '';
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  record: 'a mapping',
  object: 'a mapping',
};
const typeName = (type: string): string => typeNames[type] ?? type;

/** A value as a message shows it. */
export function found(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return quoted(value);
  return `the ${typeof value === 'number' ? 'number ' : 'value '}${String(value)}`;
}

function amount(limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${limit} character${limit === 1 ? '' : 's'}`;
  if (origin === 'array') return limit === 1 ? '1 entry' : `${limit} entries`;
  return String(limit);
}

const size = (input: unknown): string =>
  typeof input === 'string' || Array.isArray(input)
    ? input.length === 0
      ? 'none'
      : String(input.length)
    : String(input);

/** A message in full: with what was found where the schema's own does not say it, and its full stop. */
function sentence(issue: Issue, value: unknown): string {
  const key = issue.path.at(-1);
  const text =
    issue.code === 'invalid_format'
      ? found(valueAt(value, issue.path))
      : issue.code === 'invalid_key'
        ? found(key)
        : undefined;
  const message = text === undefined ? issue.message : `${issue.message}; found ${text}`;
  return /[.?]$/.test(message) ? message : `${message}.`;
}

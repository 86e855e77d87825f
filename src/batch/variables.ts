import { type Checking, tellAll } from './checking.ts';
import { type VariableDeclaration, type VariableType, variableSchema } from './file.ts';
import { found, problemsOf } from './issues.ts';
import { type Where, within } from './report.ts';
import { escaped, hasReference, mapTexts, variablesIn, withoutEscapes } from './template.ts';

/** A variable with its value. */
interface Variable {
  /** As a file would have it: escapes not undone, references of the batch around it not resolved. */
  readonly value: unknown;
  /** Its length as JSON. */
  readonly size: number;
  /** The request's name for it, where it is secret; its value is then not here. */
  readonly secret?: string;
  /** What is wrong with it has been told; nothing is to be said of what it is used for. */
  readonly broken?: true;
}
export type Variables = ReadonlyMap<string, Variable>;

/** Values for variables, and where each is given. */
export interface Given {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where a value or, without a name, all of them are given; undefined where that is outside the files. */
  readonly at: (name: string) => Where | undefined;
  /** From a request: texts take the type that is declared, and nothing in them refers to anything. */
  readonly fromRequest: boolean;
}

const broken: Variable = { value: undefined, size: 0, broken: true };

/** The variables that a batch declares, with what it is given for them. Reports all that is wrong with either. */
export function readVariables(declared: unknown, at: Where, given: Given, checking: Checking): Variables {
  const variables = new Map<string, Variable>();
  const isMapping = typeof declared === 'object' && declared !== null && !Array.isArray(declared);
  for (const [name, raw] of isMapping ? Object.entries(declared) : []) {
    variables.set(name, readVariable(name, raw, within(at, name), given, checking));
  }
  const names = [...variables.keys()];
  for (const name of Object.keys(given.values)) {
    if (variables.has(name)) continue;
    checking.report.tell(given.at(name) ?? within(at, name), checking.spelling.unknown('variable', name, names), 'key');
  }
  return variables;
}

function readVariable(name: string, raw: unknown, at: Where, given: Given, checking: Checking): Variable {
  const { report, spelling } = checking;
  const problems = problemsOf(variableSchema, raw, spelling);
  tellAll(problems, at, report);
  const declaration = variableSchema.safeParse(raw).data;
  if (!declaration) return broken;
  const { type, secret } = declaration;
  const hasDefault = declaration.default !== undefined;
  if (hasDefault && secret) {
    report.tell(
      within(at, 'default'),
      'A secret variable has no default: a file is no place for secrets. Give its value with the request.',
    );
    return broken;
  }
  if (secret && type !== 'string') {
    report.tell(within(at, 'type'), `A secret variable is a string; found "${type}".`);
    return broken;
  }
  const fault = hasDefault ? faultOf(declaration, declaration.default) : undefined;
  if (fault !== undefined) report.tell(within(at, 'default'), fault);
  if (Object.hasOwn(given.values, name)) return readGiven(name, declaration, at, given, checking);
  if (fault !== undefined) return broken;
  if (hasDefault) return variableOf(mapTexts(declaration.default, escaped));
  report.tell(
    at,
    `The variable "${name}" has no value: expected ${typeNames[type]}. Give it one${secret ? '' : ', or a default'}.`,
    'key',
  );
  return broken;
}

function readGiven(
  name: string,
  declaration: VariableDeclaration,
  at: Where,
  given: Given,
  { report }: Checking,
): Variable {
  const raw = given.values[name];
  const where = given.at(name) ?? at;
  if (!given.fromRequest && typeof raw === 'string' && hasReference(raw))
    return referring(name, raw, declaration, where, report);
  const value = given.fromRequest ? converted(declaration.type, raw) : withoutEscapes(raw);
  if (declaration.secret && !given.fromRequest) {
    report.tell(
      where,
      `"${name}" is secret, and this is its value in clear. Expected a secret variable, alone: "\${variables.NAME}".`,
    );
    return broken;
  }
  const fault = faultOf(declaration, value);
  if (fault !== undefined) {
    report.tell(where, `The value given for "${name}": ${fault}`);
    return broken;
  }
  if (declaration.secret) return { value: undefined, size: name.length + 13, secret: name };
  return variableOf(given.fromRequest ? mapTexts(value, escaped) : raw);
}

/** A value of the batch around it that is known only later, or is secret. */
function referring(
  name: string,
  raw: string,
  { secret }: VariableDeclaration,
  where: Where,
  report: Checking['report'],
): Variable {
  const [own, ...others] = variablesIn(raw);
  if (own === undefined && !secret) return variableOf(raw);
  if (own !== undefined && others.length === 0 && raw === `\${variables.${own}}` && secret)
    return { value: undefined, size: own.length + 13, secret: own };
  const detail =
    own === undefined
      ? `"${name}" is secret: expected a secret variable, alone: "\${variables.NAME}".`
      : secret
        ? `Expected "\${variables.${own}}" alone: a secret variable cannot be part of a text here.`
        : `"${own}" is secret, and "${name}" is not: declare it with "secret: true".`;
  report.tell(where, detail);
  return broken;
}

const variableOf = (value: unknown): Variable => ({ value, size: JSON.stringify(value)?.length ?? 0 });

const typeNames: Readonly<Record<VariableType, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list',
  object: 'a mapping',
};

/** A text as the type that is declared, where it can be read as one. */
function converted(type: VariableType, value: unknown): unknown {
  if (typeof value !== 'string' || type === 'string') return value;
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  if (type !== 'list' && type !== 'object')
    return /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const isOfType: Readonly<Record<VariableType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  list: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/** Why a variable cannot have this value; a secret is not repeated. */
function faultOf(
  { type, secret, enum: values, minimum, maximum }: VariableDeclaration,
  value: unknown,
): string | undefined {
  const told = secret ? '' : `; found ${found(value)}`;
  if (!isOfType[type](value)) {
    const hint =
      type === 'string' && (typeof value === 'number' || typeof value === 'boolean') ? '. Put it in quotes' : '';
    const json = typeof value === 'string' && (type === 'list' || type === 'object') ? '. Write it as JSON' : '';
    return `Expected ${typeNames[type]}${told}${hint}${json}.`;
  }
  if (values && !values.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value))) {
    return `Expected one of ${values.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))).join(', ')}${told}.`;
  }
  if (typeof value !== 'number') return undefined;
  if (minimum !== undefined && value < minimum) return `Expected at least ${minimum}${told}.`;
  if (maximum !== undefined && value > maximum) return `Expected at most ${maximum}${told}.`;
  return undefined;
}

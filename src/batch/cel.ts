import { Environment, EvaluationError, ParseError, TypeError as TypeFault } from '@marcbachmann/cel-js';

/**
 * CEL as conditions have it (https://cel.dev). Whole numbers and others may be mixed. An expression is bounded in size,
 * so that what decides it is never busy for long.
 */
export const celEnvironment = withMixedNumbers(
  new Environment({ homogeneousAggregateLiterals: false, limits: { maxAstNodes: 400, maxDepth: 40 } })
    .registerVariable('variables', 'map')
    .registerVariable('operations', 'map')
    .registerVariable('each', 'map'),
);

function withMixedNumbers(environment: Environment): Environment {
  const operators: Readonly<Record<string, (one: number, other: number) => number>> = {
    '+': (one, other) => one + other,
    '-': (one, other) => one - other,
    '*': (one, other) => one * other,
    '/': (one, other) => one / other,
  };
  for (const [sign, act] of Object.entries(operators)) {
    const mixed = (one: number | bigint, other: number | bigint): number => act(Number(one), Number(other));
    environment.registerOperator(`int ${sign} double: double`, mixed);
    environment.registerOperator(`double ${sign} int: double`, mixed);
  }
  return environment;
}

/** A value as CEL knows it: whole numbers are `int`. */
export function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toCel(entry)]));
}

const texts = String.raw`"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'`;
const token = new RegExp(String.raw`${texts}|\boperations(?:\.[A-Za-z_](?:[\w-]*\w)?)+`, 'g');

/**
 * In CEL a hyphen is a minus; in `operations.db-1.outputs.address` it belongs to the name, and so gives way to `_`: the
 * length stays, and with it every place. Texts in quotes stay as they are.
 */
export const plainCel = (expression: string): string =>
  expression.replaceAll(token, (match) => (match.startsWith('operations') ? match.replaceAll('-', '_') : match));

/** A mapping in which what has a hyphen in its name is found by its plain name as well. */
export function withPlainNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, withPlainNames(entry)] as const);
  const plain = entries.map(([key, entry]) => [key.replaceAll('-', '_'), entry] as const);
  return Object.fromEntries([...plain, ...entries]);
}

/** What is wrong with an expression in a sentence, and where in it. */
export function detailOf(error: unknown): string {
  if (!(error instanceof ParseError || error instanceof TypeFault || error instanceof EvaluationError)) throw error;
  const summary = error.summary
    .replace('Unexpected token: EOF', 'the expression ends too early')
    .replaceAll(/dyn<(\w+)>/g, '$1');
  return `${summary} (at character ${(error.range?.start ?? 0) + 1}).`;
}

import { operationStates } from '../domain/batch.ts';
import { MillwrightError } from '../errors.ts';
import { celEnvironment, detailOf, plainCel } from './cel.ts';
import type { Checking } from './checking.ts';
import { holds } from './condition.ts';
import { type LookedAt, namesIn } from './condition-names.ts';
import type { Condition } from './file.ts';
import type { Where } from './report.ts';
import type { Scope } from './substitute.ts';
import { hasReference, visitStrings } from './template.ts';

/** A `when` that has no fault by itself. */
export interface When {
  readonly expression: string;
  readonly looks: readonly LookedAt[];
  readonly variables: readonly string[];
  readonly readsEach: boolean;
}

const eachFields = ['key', 'value', 'index'];

/** Reads a condition, reporting what is wrong with it; undefined where something is. */
export function readWhen(
  expression: string,
  scope: Scope,
  hasEach: boolean,
  at: Where,
  { report, spelling }: Checking,
): When | undefined {
  const cel = plainCel(expression);
  const faults: { readonly detail: string; readonly at: number }[] = [];
  try {
    const parsed = celEnvironment.parse(cel);
    const names = namesIn(parsed.ast, expression);
    faults.push(...names.faults);
    const add = (offset: number, detail: string) => faults.push({ detail, at: offset });
    const known = [...scope.variables.keys()];
    for (const { name, at: offset } of names.variables) {
      const variable = scope.variables.get(name);
      if (!variable) add(offset, spelling.unknown('variable', name, known));
      else if (variable.secret !== undefined)
        add(offset, `The variable "${name}" is secret: no condition may look at it.`);
    }
    for (const { field, at: offset } of names.each) {
      if (!hasEach)
        add(offset, 'There is no "each" here: it stands for the member of a "forEach", which this operation has not.');
      else if (field !== undefined && !eachFields.includes(field))
        add(offset, spelling.unknown('part', field, eachFields, ' of "each"'));
    }
    for (const { state, at: offset } of names.states) {
      if (!operationStates.some((one) => one === state)) add(offset, spelling.unknown('state', state, operationStates));
    }
    const { valid, type, error } = parsed.check();
    if (!valid && faults.length === 0) {
      faults.push({ detail: `This is no condition: ${detailOf(error)}`, at: 0 });
    } else if (valid && type !== 'bool' && type !== 'dyn') {
      add(0, `Expected a condition that is true or false; this one is a ${type}.`);
    }
    for (const { detail, at: offset } of faults) report.tell(at, told(detail, offset, expression));
    const broken = names.variables.some(({ name }) => scope.variables.get(name)?.broken);
    if (faults.length > 0 || broken) return undefined;
    return {
      expression,
      looks: names.operations,
      variables: [...new Set(names.variables.map(({ name }) => name))],
      readsEach: names.each.length > 0,
    };
  } catch (error) {
    report.tell(at, `This is no condition in CEL: ${detailOf(error)}`);
    return undefined;
  }
}

const told = (detail: string, offset: number, expression: string): string =>
  offset === 0 || detail.includes('(at character') || expression.length < 20
    ? detail
    : `${detail.replace(/\.$/, '')} (at character ${offset + 1}).`;

/** A condition with what it may look at; what can be decided already is tried, so that what cannot is told now. */
export function conditionOf(when: When, scope: Scope, at: Where, { report }: Checking): Condition {
  const condition: Condition = {
    expression: when.expression,
    variables: Object.fromEntries(when.variables.map((name) => [name, scope.variables.get(name)?.value])),
    ...(when.readsEach && scope.each && { each: scope.each }),
    scope: scope.prefix,
  };
  if (when.looks.length > 0 || refers(condition)) return condition;
  try {
    holds([condition], () => undefined);
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    report.tell(at, error.message);
  }
  return condition;
}

function refers({ variables, each }: Condition): boolean {
  let found = false;
  visitStrings([variables, each?.value], (text) => {
    found ||= hasReference(text);
  });
  return found;
}

import { MillwrightError } from '../errors.ts';
import { celEnvironment, detailOf, plainCel, toCel, withPlainNames } from './cel.ts';
import { namesIn } from './condition-names.ts';
import type { Condition } from './file.ts';
import { referencesIn, resolveTemplates } from './template.ts';

/** What a condition may know of an operation whose turn has come and gone. */
export interface Passed {
  readonly state: string;
  /** Left out where it gave none. */
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
}

/** The ids of the operations that conditions look at: what `holds` will ask for. */
export function operationsIn(conditions: readonly Condition[]): string[] {
  const ids = new Set<string>();
  for (const { expression, scope, variables, each } of conditions) {
    for (const { id } of namesIn(celEnvironment.parse(plainCel(expression)).ast, expression).operations)
      ids.add(scope + id);
    for (const { operationId } of referencesIn([variables, each?.value])) ids.add(operationId);
  }
  return [...ids];
}

/**
 * Whether all conditions hold. `operations` gives what is known of an operation by its id. One that looks at an output
 * of what was itself left out does not hold. Throws `invalid`, with the expression and where in it, for one that cannot
 * be decided: an output that is not there, or a result that is neither true nor false.
 */
export function holds(
  conditions: readonly Condition[],
  operations: (operationId: string) => Passed | undefined,
): boolean {
  return conditions.every((condition) => decide(condition, operations));
}

function decide(condition: Condition, operations: (operationId: string) => Passed | undefined): boolean {
  const { expression, scope } = condition;
  const parsed = celEnvironment.parse(plainCel(expression));
  const { operations: looked } = namesIn(parsed.ast, expression);
  const known = looked.map(({ id }) => [id, operations(scope + id)] as const);
  const leftOut = known.some(([, passed]) => passed?.state === 'SKIPPED' && !passed.outputs);
  try {
    const { variables, each } = condition;
    const values = resolveTemplates({ variables, each: each ?? {} }, (id) => operations(id)?.outputs);
    const result: unknown = parsed({
      ...Object(toCel(values)),
      operations: withPlainNames(
        Object.fromEntries(
          known.map(([id, passed]) => [
            id,
            { state: passed?.state ?? 'PENDING', outputs: toCel(passed?.outputs ?? {}) },
          ]),
        ),
      ),
    });
    if (typeof result === 'boolean') return result;
  } catch (error) {
    if (leftOut) return false;
    const detail = detailOf(error);
    throw new MillwrightError('invalid', `The condition ${JSON.stringify(expression)} cannot be decided: ${detail}`, {
      cause: error,
    });
  }
  throw new MillwrightError(
    'invalid',
    `The condition ${JSON.stringify(expression)} is neither true nor false. Compare its result with something.`,
  );
}

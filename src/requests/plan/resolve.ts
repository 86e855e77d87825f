import type { BatchOperation } from '../../batch/file.ts';
import { referencesIn, resolveTemplates } from '../../batch/template.ts';

/** What an operation gives, as far as a plan can know: the rest comes when it is made anew, or has run. */
export interface Outputs {
  readonly known: Readonly<Record<string, unknown>>;
  readonly rest: Unknown | undefined;
}
/** `new`: of what is made, or made anew. `run`: of a call or a wait. */
export type Unknown = 'new' | 'run';

/** A `with` as far as it can be known: its fields with their references resolved, and those that have to wait. */
export interface Resolved {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly unknown: ReadonlyMap<string, Unknown>;
}

export function resolveKnown(
  given: Readonly<Record<string, unknown>>,
  outputs: (operationId: string) => Outputs | undefined,
  secrets: Readonly<Record<string, string>>,
): Resolved {
  const fields: Record<string, unknown> = {};
  const unknown = new Map<string, Unknown>();
  for (const [field, value] of Object.entries(given)) {
    const waits = referencesIn(value).flatMap(({ operationId, path }) => unknownAt(outputs(operationId), path));
    if (waits.length > 0) unknown.set(field, waits.includes('new') ? 'new' : 'run');
    else
      fields[field] = resolveTemplates(
        value,
        (id) => outputs(id)?.known,
        (name) => secrets[name],
      );
  }
  return { fields, unknown };
}

function unknownAt(outputs: Outputs | undefined, path: string): Unknown[] {
  if (!outputs) return ['new'];
  const [name = ''] = path.split('.');
  return outputs.rest === undefined || Object.hasOwn(outputs.known, name) ? [] : [outputs.rest];
}

/** The outputs that a file itself says, as they stand in a `with` or beside it. */
const said = ['name', 'cidr', 'sizeGib'] as const;

/**
 * What an operation will give for certain, by the file alone. `byId` finds those it refers to; a reference to an output
 * that is not said leaves its own unsaid.
 */
export function knownOutputs(
  operation: BatchOperation,
  byId: (id: string) => BatchOperation | undefined,
  depth = 0,
): Record<string, unknown> {
  const { region, provider } = operation;
  const outputs: Record<string, unknown> = { ...(region && { region }), ...(provider && { provider }) };
  for (const field of said) {
    const value = operation.with[field];
    if (value === undefined) continue;
    const references = referencesIn(value);
    const known = new Map(
      references.map(({ operationId }) => {
        const other = depth < deepest ? byId(operationId) : undefined;
        return [operationId, other ? knownOutputs(other, byId, depth + 1) : {}];
      }),
    );
    const isSaid = references.every(({ operationId, path }) => Object.hasOwn(known.get(operationId) ?? {}, path));
    if (isSaid) outputs[field] = resolveTemplates(value, (id) => known.get(id));
  }
  return outputs;
}

/** A name that is made of a name that is made of a name: further, nobody goes. */
const deepest = 8;

import { checkWith } from '../../batch/with.ts';
import type { There } from '../../db/queries/plan.ts';
import type { ActRequest } from '../../domain/acts.ts';
import { takenFor } from '../../domain/change.ts';
import { type ActType, partsOf } from '../../domain/kinds.ts';
import { asBefore, moveFor } from '../../domain/life.ts';
import type { PlanDifference } from '../../domain/plan.ts';
import { nothingToDo, prepareAct } from '../acts/index.ts';
import type { Catalog } from '../catalog.ts';
import { canonical } from './compare.ts';
import { type Decision, Refusal } from './decision.ts';
import type { Resolved } from './resolve.ts';
import type { Situation } from './situation.ts';

interface Planning {
  readonly decision: Pick<Decision, 'operation' | 'name' | 'there'> & { readonly action: 'change' };
  readonly type: ActType;
  readonly resolved: Resolved;
  readonly there: There;
  readonly situation: Situation;
  readonly catalog: Catalog;
}

/** What an act on a resource that is there, and rests, will change. Throws `Refusal` where its state does not allow it. */
export async function planAct({ decision, type, resolved, there, situation, catalog }: Planning): Promise<Decision> {
  const unsure = { ...decision, differences: [], reasons: ['what it asks for is known after apply'] };
  const view = situation.view(there.id);
  if (!view) return unsure;
  const { name: _, ...body } = checkWith(type, {}, resolved.fields);
  let somethingElse = false;
  const prepared = await prepareAct({ type, body } as ActRequest, {
    there: view,
    catalog,
    find: (kind, reference) => {
      const known = situation.find({ kind, reference });
      if (known) return Promise.resolve(known);
      somethingElse = true;
      return Promise.reject(new Refusal());
    },
  }).catch((error: unknown) => {
    // What it names may be made before its turn, which tells.
    if (somethingElse) return undefined;
    throw error;
  });
  if (!prepared) return unsure;
  if (prepared === nothingToDo) return { ...decision, action: 'none', differences: [], reasons: [] };
  const { kind, verb } = partsOf(type);
  const { from, done } = moveFor(kind, verb);
  if (!from.includes(there.status)) {
    const detail = `The ${kind} "${there.name}" is ${there.status}, and "${verb}" can be asked of one that is ${from.join(' or ')}.`;
    throw new Refusal({ code: 'conflict', pointer: '/with/name', detail });
  }
  const { change } = prepared;
  const state = done === asBefore || done === there.status ? [] : [differs('status', there.status, done)];
  const fields = Object.entries(change?.requested ?? {}).flatMap(([field, after]) => {
    const before = there.requested[field] ?? null;
    return canonical(before) === canonical(after) ? [] : [differs(field, before, after)];
  });
  const differences = [...state, ...fields];
  const reasons = differences.length === 0 ? [verb] : [];
  return { ...decision, differences, reasons, quota: change?.quota && takenFor(change.quota) };
}

const differs = (field: string, before: unknown, after: unknown): PlanDifference => ({
  field,
  before,
  after,
  replaces: null,
});

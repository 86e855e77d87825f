import type { BatchOperation } from '../../batch/file.ts';
import { outputsFrom } from '../../db/queries/outputs.ts';
import type { ResourceView } from '../../db/queries/resources.ts';
import { isActType, kindOf } from '../../domain/kinds.ts';
import type { Decision } from './decision.ts';
import { knownOutputs, type Outputs } from './resolve.ts';

/** What an operation will give, as far as its decision lets one know. */
export function outputsAfter(
  { operation, action, there, name }: Decision,
  view: ResourceView | undefined,
  outputs: ReadonlyMap<string, Outputs>,
  byId: ReadonlyMap<string, BatchOperation>,
): Outputs {
  const kind = kindOf(operation.type);
  if (!kind) return operation.type === 'group.join' ? ofMembers(operation, outputs) : { known: {}, rest: 'run' };
  const stays = there && (action === 'none' || (action === 'change' && !isActType(operation.type)));
  if (stays)
    return view ? { known: outputsFrom(`${kind}.create`, view), rest: undefined } : { known: {}, rest: undefined };
  const own = knownOutputs(operation, (id) => byId.get(id));
  if (action === 'delete') return { known: there ? { id: there.id, name: there.name } : { ...own, name }, rest: 'new' };
  return { known: name === undefined ? own : { ...own, name }, rest: 'new' };
}

/** `{ <key>: <the member's outputs> }`: known when all of them are. */
function ofMembers({ id, dependsOn }: BatchOperation, outputs: ReadonlyMap<string, Outputs>): Outputs {
  const known: Record<string, unknown> = {};
  let rest: Outputs['rest'];
  for (const member of dependsOn.filter((dependency) => dependency.startsWith(`${id}/`))) {
    const given = outputs.get(member);
    if (given?.rest === undefined) known[member.slice(id.length + 1)] = given?.known ?? {};
    else if (rest !== 'new') rest = given.rest;
  }
  return { known, rest };
}

import type { Sql } from 'postgres';
import { usersOf } from '../../db/queries/plan.ts';
import { namesOf } from '../refusals.ts';
import type { Decision, PlanFault } from './decision.ts';

/** Faults of what would be deleted or made anew while something uses it that stays as it is; by operation. */
export async function faultsOfUse(
  sql: Sql,
  decisions: ReadonlyMap<string, Decision>,
): Promise<ReadonlyMap<string, readonly PlanFault[]>> {
  const going = new Map(
    [...decisions].flatMap(([id, { action, there }]) =>
      there && (action === 'delete' || action === 'replace') ? [[there.id, { id, action, there }] as const] : [],
    ),
  );
  const users = await usersOf(
    sql,
    [...going.values()].map(({ there }) => there.id),
  );
  const staying = Map.groupBy(
    users.filter(({ id }) => !going.has(id)),
    ({ usedId }) => usedId,
  );
  return new Map(
    [...staying].flatMap(([usedId, by]) => {
      const used = going.get(usedId);
      if (!used) return [];
      const deed = used.action === 'replace' ? 'would be replaced' : 'would be deleted';
      const detail = `${used.there.kind} "${used.there.name}" ${deed}, and is in use by ${namesOf(by)}, which the file neither replaces nor deletes. Take them into the file, or delete them first.`;
      return [[used.id, [{ code: 'conflict' as const, pointer: '/with/name', detail }]] as const];
    }),
  );
}

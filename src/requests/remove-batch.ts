import type { Sql } from 'postgres';
import type { BatchFile, BatchOperation } from '../batch/file.ts';
import { dependantsFirst } from '../batch/graph.ts';
import { batchToDelete, type ResourceOperation } from '../db/queries/batch-resources.ts';
import { kindOf } from '../domain/kinds.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';

/**
 * The batch that deletes what another made or found as it is, dependants first. Throws `not_found`, or `conflict` while
 * the other is still at work.
 */
export async function deletionOf(sql: Sql, caller: Caller, reference: string): Promise<BatchFile> {
  const batch = await batchToDelete(sql, caller.project.id, reference);
  if (!batch) throw new MillwrightError('not_found', `There is no batch "${reference}" in this project.`);
  const { name, version, parallelLimit, jobId, hasEnded, operations } = batch;
  if (!hasEnded) {
    throw new MillwrightError(
      'conflict',
      `Batch "${name}" has not ended. Cancel it, which takes back what it did: "millwright job cancel ${jobId} --reason …"; or wait for its end.`,
      { jobId },
    );
  }
  return {
    name,
    version,
    parallelLimit,
    // A deletion cannot be undone: one that fails waits for a decision, and whatever does not depend on it is deleted.
    onFailure: 'hold',
    replace: 'forbid',
    limits: {},
    secrets: {},
    operations: deletions(operations),
  };
}

function deletions(operations: readonly ResourceOperation[]): BatchOperation[] {
  const made = new Set<string>();
  const kept = operations.filter(({ type, resourceId }) => {
    // What stands for no resource keeps its place, so that those before and after it stay in order.
    if (!kindOf(type)) return true;
    if (!type.endsWith('.create') || resourceId === null || made.has(resourceId)) return false;
    made.add(resourceId);
    return true;
  });
  if (made.size === 0) return [];
  const own = new Map(kept.map((operation) => [operation.id, operation]));
  return dependantsFirst(kept).map(({ id, dependsOn }) => {
    const common = { id, dependsOn, softDependsOn: [], conditions: [] };
    const operation = own.get(id);
    const kind = operation && kindOf(operation.type);
    return kind
      ? // By its id: its name may be another's by now.
        { ...common, type: `${kind}.delete` as const, with: { name: operation.resourceId } }
      : { ...common, type: 'group.join' as const, with: {} };
  });
}

import type { Sql } from 'postgres';
import { outputsOf } from '../../batch/outputs.ts';
import { type OperationType, partsOf } from '../../domain/kinds.ts';
import { type ResourceView, resourceById } from './resources.ts';

/** What an operation gives to those that depend on it, taken from its resource. */
export function outputsFrom(type: OperationType, view: ResourceView): Record<string, unknown> {
  const fields: Readonly<Record<string, unknown>> = { ...view };
  return Object.fromEntries(outputsOf(type).map((name) => [name, fields[name]]));
}

/** The outputs of these operations of a batch, as far as they have any. */
export async function outputsFor(
  sql: Sql,
  batchId: string,
  operationIds: readonly string[],
): Promise<ReadonlyMap<string, Record<string, unknown>>> {
  const rows = await sql<{ id: string; type: OperationType; resourceId: string }[]>`
    SELECT id, type, resource_id AS "resourceId" FROM batch_operations
    WHERE batch_id = ${batchId} AND id = ANY(${[...operationIds]}) AND resource_id IS NOT NULL AND state IN ('SUCCEEDED', 'UNCHANGED')`;
  const found = await Promise.all(
    rows.map(async ({ id, type, resourceId }) => {
      const view = await resourceById(sql, partsOf(type).kind, resourceId);
      return view ? [[id, outputsFrom(type, view)] as const] : [];
    }),
  );
  return new Map(found.flat());
}

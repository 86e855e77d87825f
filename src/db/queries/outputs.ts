import type { Sql } from 'postgres';
import { outputsOf } from '../../batch/outputs.ts';
import type { OperationState } from '../../domain/batch.ts';
import { type BatchOperationType, joinType, kindOf, type ResourceKind } from '../../domain/kinds.ts';
import { type ResourceView, resourcesById } from './resources.ts';

type Outputs = Record<string, unknown>;

/** What an operation gives to those that depend on it, taken from its resource. */
export function outputsFrom(type: BatchOperationType, view: ResourceView): Outputs {
  const fields: Readonly<Outputs> = { ...view };
  return Object.fromEntries(outputsOf(type).map((name) => [name, fields[name]]));
}

interface Row {
  readonly id: string;
  readonly type: BatchOperationType;
  readonly state: OperationState;
  readonly resourceId: string | null;
  readonly outputs: Outputs | null;
}

/** An operation as others see it: in a condition, or by a reference. */
export interface SeenOperation {
  readonly state: OperationState;
  /** None where it has not been done. */
  readonly outputs?: Outputs;
}

/** These operations of a batch (all where none are named) as others see them. Those of a group's end are the outputs of its members, by their keys. */
export async function seenOperations(
  sql: Sql,
  batchId: string,
  operationIds?: readonly string[],
): Promise<ReadonlyMap<string, SeenOperation>> {
  if (operationIds?.length === 0) return new Map();
  const rows = await sql<Row[]>`
    WITH asked AS (
      SELECT id, type FROM batch_operations
      WHERE batch_id = ${batchId} ${operationIds ? sql`AND id = ANY(${[...operationIds]})` : sql``}
    )
    SELECT o.id, o.type, o.state, o.resource_id AS "resourceId", o.outputs FROM batch_operations o
    WHERE o.batch_id = ${batchId} AND (o.id IN (SELECT id FROM asked)
      OR EXISTS (SELECT FROM asked a WHERE a.type = ${joinType} AND starts_with(o.id, a.id || '/')))
    ORDER BY o.position`;
  const views = await viewsOf(sql, rows);
  const seen = new Map<string, SeenOperation>();
  for (const row of rows) {
    const outputs = outputsOfRow(row, views);
    seen.set(row.id, { state: row.state, ...(outputs ? { outputs } : {}) });
  }
  for (const { id, type, state } of rows) {
    if (type === joinType) seen.set(id, { state, outputs: outputsOfMembers(id, rows, seen) });
  }
  return seen;
}

/** The outputs of these operations of a batch (of all where none are named), as far as they have any. */
export async function outputsFor(
  sql: Sql,
  batchId: string,
  operationIds?: readonly string[],
): Promise<ReadonlyMap<string, Outputs>> {
  const seen = await seenOperations(sql, batchId, operationIds);
  return new Map([...seen].flatMap(([id, { outputs }]) => (outputs ? [[id, outputs] as const] : [])));
}

/** The resources of all rows, one query for each kind. */
async function viewsOf(sql: Sql, rows: readonly Row[]): Promise<ReadonlyMap<string, ResourceView>> {
  const ids = new Map<ResourceKind, string[]>();
  for (const { type, resourceId } of rows) {
    const kind = kindOf(type);
    if (kind && resourceId) ids.set(kind, [...(ids.get(kind) ?? []), resourceId]);
  }
  const views = await Promise.all([...ids].map(([kind, ids]) => resourcesById(sql, kind, ids)));
  return new Map(views.flatMap((ofKind) => [...ofKind]));
}

function outputsOfRow(
  { type, state, resourceId, outputs }: Row,
  views: ReadonlyMap<string, ResourceView>,
): Outputs | undefined {
  if (state !== 'SUCCEEDED' && state !== 'UNCHANGED') return undefined;
  if (outputs) return outputs;
  const view = views.get(resourceId ?? '');
  return view && outputsFrom(type, view);
}

/** In the order of the file; what a condition left out gives nothing. */
function outputsOfMembers(id: string, rows: readonly Row[], seen: ReadonlyMap<string, SeenOperation>): Outputs {
  const members = rows.flatMap((row) => {
    const key = row.id.startsWith(`${id}/`) ? row.id.slice(id.length + 1) : '/';
    const outputs = seen.get(row.id)?.outputs;
    return key.includes('/') || !outputs ? [] : [[key, outputs] as const];
  });
  return Object.fromEntries(members);
}

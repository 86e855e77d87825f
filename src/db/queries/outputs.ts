import type { Sql } from 'postgres';
import { outputsOf } from '../../batch/outputs.ts';
import {
  type BatchOperationType,
  isOperationType,
  kindOf,
  type OperationType,
  type ResourceKind,
  resourceKinds,
} from '../../domain/kinds.ts';
import { type ResourceView, resourcesById } from './resources.ts';

/** What an operation gives to those that depend on it, taken from its resource. */
export function outputsFrom(type: OperationType, view: ResourceView): Record<string, unknown> {
  const fields: Readonly<Record<string, unknown>> = { ...view };
  return Object.fromEntries(outputsOf(type).map((name) => [name, fields[name]]));
}

/** The outputs of these operations of a batch (of all where none are named), as far as they have any. */
export async function outputsFor(
  sql: Sql,
  batchId: string,
  operationIds?: readonly string[],
): Promise<ReadonlyMap<string, Record<string, unknown>>> {
  const rows = await sql<OutputRow[]>`
    SELECT id, type, resource_id AS "resourceId", outputs FROM batch_operations
    WHERE batch_id = ${batchId} ${operationIds ? sql`AND id = ANY(${[...operationIds]})` : sql``}
      AND state IN ('SUCCEEDED', 'UNCHANGED') AND (resource_id IS NOT NULL OR outputs IS NOT NULL)`;
  const found = await Promise.all(resourceKinds.map((kind) => resourcesById(sql, kind, idsOf(rows, kind))));
  const views = new Map(found.flatMap((ofKind) => [...ofKind]));
  return new Map(
    rows.flatMap(({ id, type, resourceId, outputs }) => {
      const view = resourceId === null ? undefined : views.get(resourceId);
      if (outputs) return [[id, outputs] as const];
      return view && isOperationType(type) ? [[id, outputsFrom(type, view)] as const] : [];
    }),
  );
}

interface OutputRow {
  readonly id: string;
  readonly type: BatchOperationType;
  readonly resourceId: string | null;
  readonly outputs: Record<string, unknown> | null;
}

const idsOf = (rows: readonly OutputRow[], kind: ResourceKind): string[] =>
  rows.flatMap(({ type, resourceId, outputs }) =>
    resourceId !== null && outputs === null && kindOf(type) === kind ? [resourceId] : [],
  );

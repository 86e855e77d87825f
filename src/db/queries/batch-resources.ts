import type { Sql } from 'postgres';
import { isId } from '../../domain/common.ts';
import type { BatchOperationType } from '../../domain/kinds.ts';

/** An operation of a batch, with the resource that it made or found; null where it has made none. */
export interface ResourceOperation {
  readonly id: string;
  readonly type: BatchOperationType;
  readonly dependsOn: readonly string[];
  readonly resourceId: string | null;
}

/** A batch whose resources are to be deleted. */
export interface BatchToDelete {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly parallelLimit: number;
  readonly jobId: string;
  readonly hasEnded: boolean;
  readonly operations: readonly ResourceOperation[];
}

/**
 * A batch by id, or the newest of this name that makes anything: the batch that deletes what it made has the same name.
 * Undefined where there is none in the project.
 */
export async function batchToDelete(
  sql: Sql,
  projectId: string,
  reference: string,
): Promise<BatchToDelete | undefined> {
  const [batch] = await sql<Omit<BatchToDelete, 'operations'>[]>`
    SELECT b.id, b.name, b.version, b.parallel_limit AS "parallelLimit", b.job_id AS "jobId", j.ended_at IS NOT NULL AS "hasEnded"
    FROM batches b JOIN jobs j ON j.id = b.job_id
    WHERE b.project_id = ${projectId} AND ${isId(reference) ? sql`b.id = ${reference}` : sql`b.name = ${reference}`}
    ORDER BY EXISTS (SELECT FROM batch_operations o WHERE o.batch_id = b.id AND o.type LIKE '%.create') DESC, b.id DESC LIMIT 1`;
  if (!batch) return undefined;
  const operations = await sql<ResourceOperation[]>`
    SELECT id, type, depends_on || soft_depends_on AS "dependsOn", resource_id AS "resourceId"
    FROM batch_operations WHERE batch_id = ${batch.id} ORDER BY position`;
  return { ...batch, operations };
}

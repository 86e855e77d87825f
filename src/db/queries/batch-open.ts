import type { Sql } from 'postgres';
import { type Outcome, ReadySet } from '../../batch/graph.ts';
import type { OperationState, PlanAction } from '../../domain/batch.ts';
import type { BatchOperationType } from '../../domain/kinds.ts';
import { iso } from './iso.ts';

/** An operation of a batch that is not done, with what it will be. */
export interface OpenOperation {
  readonly id: string;
  readonly type: BatchOperationType;
  readonly action: PlanAction;
  readonly state: OperationState;
  /** Where its resource is, or is to be. */
  readonly region: string | null;
  readonly provider: string | null;
  readonly dependsOn: readonly string[];
  readonly softDependsOn: readonly string[];
  /** Of a wait, as the file has them. */
  readonly duration: string | number | null;
  readonly time: string | null;
  readonly startedAt: string | null;
  readonly waitUntil: string | null;
}

/** Those of a batch that are not done, in the order of its file; what failed is among them. */
export async function openOperations(sql: Sql, batchId: string): Promise<readonly OpenOperation[]> {
  return await sql.unsafe<OpenOperation[]>(
    `SELECT o.id, o.type, o.action, o.state, coalesce(r.region, o.region) AS region, coalesce(r.provider, o.provider) AS provider,
      o.depends_on AS "dependsOn", o.soft_depends_on AS "softDependsOn", o.spec -> 'duration' AS duration, o.spec ->> 'time' AS time,
      ${iso('o.started_at')} AS "startedAt", ${iso('o.wait_until')} AS "waitUntil"
    FROM batch_operations o LEFT JOIN resources r ON r.id = o.resource_id
    WHERE o.batch_id = $1 AND o.state NOT IN ('SUCCEEDED', 'UNCHANGED', 'SKIPPED') ORDER BY o.position`,
    [batchId],
    { prepare: true },
  );
}

/** Whether a batch is to begin nothing. */
export async function isPaused(sql: Sql, batchId: string): Promise<boolean> {
  const rows = await sql`SELECT FROM batches WHERE id = ${batchId} AND paused_at IS NOT NULL`;
  return rows.length > 0;
}

/** Those that will never begin, since what they depend on failed: as the batch's schedule has it. */
export function blockedAmong(open: readonly OpenOperation[]): ReadonlySet<string> {
  const failed = open.flatMap(({ id, state }): [string, Outcome][] =>
    state === 'FAILED' || state === 'CANCELED' ? [[id, 'failed']] : [],
  );
  return new Set(failed.length === 0 ? [] : new ReadySet(open, new Map(failed)).takeBlocked());
}

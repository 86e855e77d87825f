import type { Sql } from 'postgres';
import { oldSuffix } from '../../batch/schedule.ts';
import { type Active, type BatchNow, namedAtMost, type Pending, type Pressure } from '../../batch/waits.ts';
import { activeStates, nextAtMost } from '../../domain/batch-progress.ts';
import type { BatchOperationType } from '../../domain/kinds.ts';
import { blockedAmong, openOperations } from './batch-open.ts';
import { iso } from './iso.ts';

export async function batchNow(sql: Sql, batchId: string): Promise<BatchNow> {
  const [row] = await sql.unsafe<BatchNow[]>(
    `SELECT b.id, b.job_id AS "jobId", j.state, j.rollback, b.on_failure AS "onFailure", b.parallel_limit AS "parallelLimit", b.limits,
      ${iso('b.paused_at')} AS "pausedAt", b.paused_by AS "pausedBy", ${iso('b.created_at')} AS "createdAt",
      ${iso('j.started_at')} AS "startedAt", ${iso('j.ended_at')} AS "endedAt",
      (SELECT o.id FROM batch_operations o WHERE o.batch_id = b.id AND o.state IN ('FAILED', 'CANCELED')
        AND coalesce(o.policy ->> 'onFailure', b.on_failure) = 'rollback' ORDER BY o.position LIMIT 1) AS "stoppedBy",
      CASE WHEN b.limits = '{}' THEN '{}' ELSE ARRAY(SELECT n.id FROM batch_operations o
        JOIN batch_operations n ON n.batch_id = o.batch_id AND n.id || $2 = o.id
        WHERE o.batch_id = b.id AND o.state = 'SUCCEEDED' AND right(o.id, length($2)) = $2 AND n.state = 'PENDING') END AS "halfReplaced"
    FROM batches b JOIN jobs j ON j.id = b.job_id WHERE b.id = $1`,
    [batchId, oldSuffix],
    { prepare: true },
  );
  if (!row) throw new Error(`batch ${batchId} is not in the database`);
  if (row.halfReplaced.length === 0) return row;
  // What will never be whole has given up its place.
  const blocked = blockedAmong(await openOperations(sql, batchId));
  return { ...row, halfReplaced: row.halfReplaced.filter((id) => !blocked.has(id)) };
}

export type ActiveRow = Active & {
  readonly type: BatchOperationType;
  readonly resource: string | null;
};

/** The operations that have begun and not ended, each with its job and the step that it is at; the longest first. */
export async function activeOperations(sql: Sql, batchId: string): Promise<readonly ActiveRow[]> {
  return await sql.unsafe<ActiveRow[]>(
    `SELECT o.id, o.type, o.state, o.region, ${iso('o.started_at')} AS "startedAt", ${iso('o.wait_until')} AS "waitUntil",
      CASE WHEN o.type = 'wait.approval' THEN o.spec ->> 'message' END AS message, o.spec ->> 'role' AS role,
      j.resource_name AS resource, j.id AS "jobId", j.state AS "jobState", j.error, ${iso('j.next_attempt_at')} AS "nextAttemptAt",
      s.name AS step, coalesce(s.attempts, 0) AS attempts, ${iso('s.started_at')} AS "stepStartedAt", ${iso('s.ended_at')} AS "stepEndedAt"
    FROM batch_operations o
    LEFT JOIN jobs j ON j.id = CASE WHEN o.state IN ('ROLLING_BACK', 'ROLLBACK_FAILED') THEN o.rollback_job_id ELSE o.job_id END
    LEFT JOIN LATERAL (SELECT * FROM job_steps x WHERE x.job_id = j.id ORDER BY x.ended_at IS NULL DESC, x.position DESC LIMIT 1) s ON true
    WHERE o.batch_id = $1 AND o.state = ANY($2::text[]) ORDER BY o.started_at, o.position`,
    [batchId, [...activeStates]],
    { prepare: true },
  );
}

/** What ends a dependency: what a condition left out counts as done, and a soft one may end in any way. */
const isMet = (dependency: string, isSoft: string): string =>
  `(${dependency}.state IN ('SUCCEEDED', 'UNCHANGED', 'SKIPPED') OR (${isSoft} AND ${dependency}.state NOT IN ('PENDING', 'RUNNING', 'WAITING')))`;

/** Each operation that has not begun, beside each that it waits or waited for. */
const dependencies = `batch_operations p
  CROSS JOIN LATERAL (SELECT unnest(p.depends_on) AS id, false AS soft UNION ALL SELECT unnest(p.soft_depends_on), true) d
  JOIN batch_operations x ON x.batch_id = p.batch_id AND x.id = d.id`;

/** What these operations (all, where none are named) that have not begun wait for; those without a dependency left out. */
export async function pendingOperations(
  sql: Sql,
  batchId: string,
  only?: readonly string[],
): Promise<readonly Pending[]> {
  return await sql.unsafe<Pending[]>(
    `SELECT p.id, count(*) FILTER (WHERE NOT met)::int AS unmet, ${iso('max(p.ended_at)')} AS "readyAt",
      coalesce(jsonb_agg(jsonb_build_object('id', p.dependency, 'state', p.state, 'jobState', j.state, 'error', coalesce(p.error, j.error)) ORDER BY p.position)
        FILTER (WHERE NOT met AND nth <= ${namedAtMost}), '[]') AS named
    FROM (
      SELECT p.id, x.id AS dependency, x.state, x.error, x.ended_at, x.position, x.job_id, ${isMet('x', 'd.soft')} AS met,
        row_number() OVER (PARTITION BY p.id, ${isMet('x', 'd.soft')} ORDER BY x.position) AS nth
      FROM ${dependencies}
      WHERE p.batch_id = $1 AND p.state = 'PENDING' ${only ? 'AND p.id = ANY($2::text[])' : ''}
    ) p LEFT JOIN jobs j ON j.id = p.job_id AND NOT met AND nth <= ${namedAtMost} AND p.state <> 'PENDING'
    GROUP BY p.id`,
    only ? [batchId, [...only]] : [batchId],
    { prepare: true },
  );
}

/** How many have not begun, by what keeps them from it, and which begin next. */
export interface PendingCounts {
  readonly operations: number;
  readonly group: number;
  readonly ready: number;
  readonly next: { readonly id: string; readonly type: BatchOperationType }[];
}

export async function pendingCounts(sql: Sql, batchId: string, { fullGroups }: Pressure): Promise<PendingCounts> {
  const [row] = await sql.unsafe<PendingCounts[]>(
    `WITH waits AS MATERIALIZED (
      SELECT p.id, bool_or(NOT ${isMet('x', 'd.soft')}) AS blocked, max(x.ended_at) AS ready_at FROM ${dependencies}
      WHERE p.batch_id = $1 AND p.state = 'PENDING' GROUP BY p.id
    ), pending AS MATERIALIZED (
      SELECT p.id, p.type, p.position, w.ready_at, coalesce(w.blocked, false) AS blocked,
        p.id <> ALL($3::text[]) AND EXISTS (SELECT FROM unnest($2::text[]) g WHERE starts_with(p.id, g || '/')) AS full
      FROM batch_operations p LEFT JOIN waits w ON w.id = p.id WHERE p.batch_id = $1 AND p.state = 'PENDING'
    )
    SELECT count(*) FILTER (WHERE blocked)::int AS operations, count(*) FILTER (WHERE "full" AND NOT blocked)::int AS group,
      count(*) FILTER (WHERE NOT "full" AND NOT blocked)::int AS ready,
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', n.id, 'type', n.type)) FROM (
        SELECT id, type FROM pending WHERE NOT blocked AND NOT "full" ORDER BY ready_at NULLS FIRST, position LIMIT ${nextAtMost}) n), '[]') AS next
    FROM pending`,
    [batchId, fullGroups.map(({ id }) => id), fullGroups.flatMap(({ members }) => [...members])],
    { prepare: true },
  );
  return row ?? { operations: 0, group: 0, ready: 0, next: [] };
}

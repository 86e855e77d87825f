import type { Sql } from 'postgres';
import {
  type Active,
  type BatchNow,
  type Pending,
  type Pressure,
  pressureOf,
  waitOfActive,
  waitOfPending,
} from '../../batch/waits.ts';
import type { BatchOperationView, OperationState } from '../../domain/batch.ts';
import { activeStates, type Wait } from '../../domain/batch-progress.ts';
import { type ActiveRow, activeOperations, batchNow, pendingOperations } from './batch-waits.ts';
import { iso } from './iso.ts';
import { outputsFor } from './outputs.ts';
import { type Page, type PageRequest, placeAfter, toPage } from './pages.ts';

/** Whether a region has no worker. */
export type IsAway = (region: string) => boolean;

/** A batch with all that is under way in it, read once for whatever is asked of it. */
export interface BatchMoment {
  readonly batch: BatchNow;
  readonly active: readonly ActiveRow[];
  readonly pressure: Pressure;
}

export async function momentOf(sql: Sql, batchId: string): Promise<BatchMoment> {
  const [batch, active] = await Promise.all([batchNow(sql, batchId), activeOperations(sql, batchId)]);
  return { batch, active, pressure: pressureOf(batch, active) };
}

type OperationRow = Omit<BatchOperationView, 'outputs' | 'waitingFor'> & { readonly position: number };

const fields = `o.id, o.position, o.type, o.region, o.provider, o.depends_on AS "dependsOn", o.state,
  CASE WHEN j.id IS NOT NULL THEN j.id END AS "jobId",
  CASE WHEN r.id IS NOT NULL THEN jsonb_build_object('id', r.id, 'kind', r.kind, 'name', r.name) END AS resource,
  o.error, ${iso('o.started_at')} AS "startedAt", ${iso('o.ended_at')} AS "endedAt"`;
const related = 'LEFT JOIN jobs j ON j.id = o.job_id LEFT JOIN resources r ON r.id = o.resource_id';

/** All of a batch's operations, in the order of its file. */
export async function allOperations(
  sql: Sql,
  batchId: string,
  moment: BatchMoment,
  isAway: IsAway,
): Promise<BatchOperationView[]> {
  const [rows, outputs, pending] = await Promise.all([
    sql.unsafe<OperationRow[]>(
      `SELECT ${fields} FROM batch_operations o ${related} WHERE o.batch_id = $1 ORDER BY o.position`,
      [batchId],
      { prepare: true },
    ),
    outputsFor(sql, batchId),
    moment.batch.endedAt ? [] : pendingOperations(sql, batchId),
  ]);
  return rows.map(viewer(moment, pending, outputs, isAway));
}

/** A page in the order of the file, of those in these states (of all, where none are named). */
export async function listOperations(
  sql: Sql,
  batchId: string,
  states: readonly OperationState[],
  page: PageRequest,
  isAway: IsAway,
): Promise<Page<BatchOperationView>> {
  // One walk along the index for each state: what is in others is not looked at, however much there is of it.
  const chosen =
    states.length === 0
      ? `SELECT * FROM batch_operations WHERE batch_id = $1 AND position > $2 ORDER BY position LIMIT $3`
      : `SELECT x.* FROM unnest($4::text[]) s CROSS JOIN LATERAL (
          SELECT * FROM batch_operations WHERE batch_id = $1 AND state = s AND position > $2 ORDER BY position LIMIT $3) x
        ORDER BY x.position LIMIT $3`;
  const rows = await sql.unsafe<OperationRow[]>(
    `SELECT ${fields} FROM (${chosen}) o ${related} ORDER BY o.position`,
    [batchId, placeAfter(page.cursor) ?? -1, page.limit + 1, ...(states.length === 0 ? [] : [[...new Set(states)]])],
    { prepare: true },
  );
  const ids = (wanted: readonly OperationState[]): string[] =>
    rows.filter(({ state }) => wanted.includes(state)).map(({ id }) => id);
  const begun = ids(['PENDING', ...activeStates]).length > 0;
  const [moment, pending, outputs] = await Promise.all([
    begun ? momentOf(sql, batchId) : undefined,
    pendingOperations(sql, batchId, ids(['PENDING'])),
    outputsFor(sql, batchId, ids(['SUCCEEDED', 'UNCHANGED'])),
  ]);
  return toPage(rows, page.limit, viewer(moment, pending, outputs, isAway), ({ position }) => position);
}

function viewer(
  moment: BatchMoment | undefined,
  pending: readonly Pending[],
  outputs: ReadonlyMap<string, Record<string, unknown>>,
  isAway: IsAway,
): (row: OperationRow) => BatchOperationView {
  const active = new Map<string, Active>(moment?.active.map((one) => [one.id, one]));
  const waiting = new Map(pending.map((one) => [one.id, one]));
  const waitOf = ({ id, state }: OperationRow): Wait | null => {
    if (!moment) return null;
    if (state === 'PENDING') {
      const free = { id, unmet: 0, named: [], readyAt: null };
      return waitOfPending(moment.batch, moment.pressure, waiting.get(id) ?? free);
    }
    const one = active.get(id);
    return one ? waitOfActive(moment.batch, one, isAway) : null;
  };
  return (row) => {
    const { position: _, ...view } = row;
    return { ...view, waitingFor: waitOf(row), outputs: outputs.get(row.id) ?? null };
  };
}

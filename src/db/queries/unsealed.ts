import type { Sql } from 'postgres';
import type { ResourceKind } from '../../domain/kinds.ts';
import type { StartableJob } from '../../domain/start.ts';

/** What releases before secrets were sealed left behind, a page at a time, by id. */
export interface CreateJobRow {
  readonly id: string;
  readonly kind: ResourceKind;
  readonly resourceId: string;
  readonly input: StartableJob['input'];
}

export async function createJobsAfter(
  sql: Sql,
  kinds: readonly ResourceKind[],
  after: string,
  limit: number,
): Promise<readonly CreateJobRow[]> {
  return await sql<CreateJobRow[]>`
    SELECT id, resource_kind AS kind, resource_id AS "resourceId", input FROM jobs
    WHERE id > ${after} AND type = ANY(${kinds.map((kind) => `${kind}.create`)}) ORDER BY id LIMIT ${limit}`;
}

export interface OperationSpecRow {
  readonly batchId: string;
  readonly id: string;
  readonly type: string;
  readonly spec: object;
}

export async function operationsAfter(
  sql: Sql,
  kinds: readonly ResourceKind[],
  after: Pick<OperationSpecRow, 'batchId' | 'id'>,
  limit: number,
): Promise<readonly OperationSpecRow[]> {
  return await sql<OperationSpecRow[]>`
    SELECT batch_id AS "batchId", id, type, spec FROM batch_operations
    WHERE (batch_id, id) > (${after.batchId}, ${after.id}) AND type = ANY(${kinds.map((kind) => `${kind}.create`)})
    ORDER BY batch_id, id LIMIT ${limit}`;
}

export async function replaceJobInput(sql: Sql, id: string, input: object): Promise<void> {
  await sql.unsafe('UPDATE jobs SET input = $2::text::jsonb WHERE id = $1', [id, JSON.stringify(input)]);
}

export async function replaceOperationSpec(
  sql: Sql,
  { batchId, id }: Pick<OperationSpecRow, 'batchId' | 'id'>,
  spec: object,
): Promise<void> {
  await sql.unsafe('UPDATE batch_operations SET spec = $3::text::jsonb WHERE batch_id = $1 AND id = $2', [
    batchId,
    id,
    JSON.stringify(spec),
  ]);
}

/** The plain hash of user data that was kept beside a VM, replaced by what is kept of it now. */
export async function replaceUserDataHash(sql: Sql, resourceId: string, userData: unknown): Promise<void> {
  await sql.unsafe(
    `UPDATE resources SET requested = requested - 'userDataSha256' || jsonb_build_object('userData', $2::text::jsonb)
     WHERE id = $1 AND requested ? 'userDataSha256'`,
    [resourceId, JSON.stringify(userData)],
  );
}

import type { Sql, TransactionSql } from 'postgres';
import type { JobType } from '../../domain/job.ts';
import type { ResourceKind } from '../../domain/kinds.ts';
import { usableStates } from '../../domain/life.ts';
import type { QuotaUse } from '../../domain/quota.ts';
import type { StartableJob } from '../../domain/start.ts';
import { isQuotaShort } from '../client.ts';

/** Who asks, from where, and under which key. */
export interface Asked {
  readonly organizationId: string;
  readonly projectId: string;
  /** For the audit log: the token's name, or what else acted. */
  readonly actor: string;
  readonly origin: string | null;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
}

export interface NewJob {
  readonly id: string;
  readonly type: JobType;
  readonly workflowId: string;
  readonly input: StartableJob['input'];
  readonly batchId: string | null;
  readonly operationId: string | null;
  readonly parentJobId: string | null;
  /** Where there is nothing to run, the state in which it ends at once. */
  readonly endedAs?: 'SUCCEEDED';
}

export interface NewResource {
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly provider: string;
  readonly region: string;
  readonly deletionProtection: boolean;
  readonly requested: object;
  readonly quota: QuotaUse;
  /** The kind's own table's row, by column name. */
  readonly row: object;
  /** Ids of the resources it needs, in order. */
  readonly uses: readonly string[];
}

/**
 * What every accepted request leaves beside its resource: idempotency key, opened audit entry (closed when the job
 * ends), event. `new_job` has one row or none.
 */
const traces = `
  idempotency AS (
    INSERT INTO idempotency_keys (project_id, key, request_hash, job_id)
    SELECT r.project_id, r.idempotency_key, r.request_hash, j.id FROM r, new_job j WHERE r.idempotency_key IS NOT NULL
  ),
  audit AS (
    INSERT INTO audit_entries (act_id, phase, organization_id, project_id, actor, origin, action, resource_kind, resource_id, resource_name, job_id)
    SELECT j.id, 'opened', r.organization_id, r.project_id, r.actor, r.origin, j.type, j.resource_kind, j.resource_id, j.resource_name, j.id FROM r, new_job j
  ),
  event AS (
    INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, resource_status,
      job_id, parent_job_id, job_sequence, type, data)
    SELECT r.organization_id, r.project_id, j.resource_id, j.resource_kind, j.resource_name, r.status,
      j.id, r.parent_job_id, 0, 'job.accepted', jsonb_build_object(
      'jobId', j.id, 'type', j.type, 'operationId', j.operation_id,
      'resource', jsonb_build_object('kind', j.resource_kind, 'name', j.resource_name),
      'state', j.state, 'rollback', 'none', 'step', NULL, 'error', NULL)
    FROM r, new_job j
  )`;

const request = `r AS MATERIALIZED (
  SELECT * FROM jsonb_to_record($1::text::jsonb) AS r(
    organization_id uuid, project_id uuid, actor text, origin text, idempotency_key text, request_hash text,
    job_id uuid, type text, workflow_id text, input jsonb, batch_id uuid, operation_id text, parent_job_id uuid, job_state text,
    id uuid, kind text, name text, status text, labels jsonb, provider text, region text, deletion_protection boolean,
    requested jsonb, quota jsonb, "row" jsonb, uses uuid[], usable text[],
    vms bigint, vcpus bigint, memory_mib bigint, storage_gib bigint, networks bigint, volumes bigint)
)`;

const newJob = (from: string): string => `new_job AS (
    INSERT INTO jobs (id, organization_id, project_id, type, resource_id, resource_kind, resource_name, region, batch_id, operation_id, input, workflow_id, state, ended_at)
    SELECT r.job_id, r.organization_id, r.project_id, r.type, t.id, t.kind, t.name, t.region, r.batch_id, r.operation_id, r.input, r.workflow_id,
      coalesce(r.job_state, 'PENDING'), CASE WHEN r.job_state IS NOT NULL THEN now() END
    FROM r, ${from} t
    RETURNING id, type, state, resource_id, resource_kind, resource_name, operation_id, created_at, ended_at
  )`;

/** The resources that a create needs, locked so that none can be deleted under it; all there, or it takes no quota. */
const needs = {
  locked: `used AS MATERIALIZED (
    SELECT x.id FROM resources x, r
    WHERE x.id = ANY(r.uses) AND x.project_id = r.project_id AND x.deleted_at IS NULL AND x.status = ANY(r.usable)
    FOR SHARE OF x
  ),`,
  allThere: 'AND (SELECT count(*) FROM used) = cardinality(r.uses)',
  recorded: `uses AS (
    INSERT INTO resource_uses (user_id, used_id, position)
    SELECT resource.id, u.id, u.position - 1 FROM resource, r, unnest(r.uses) WITH ORDINALITY AS u(id, position)
  ),`,
};
const noNeeds = { locked: '', allThere: '', recorded: '' };

/**
 * The whole acceptance of a create, one statement: the resources it needs locked, quota taken, resource, job,
 * idempotency key, audit row and event written; or nothing at all, when a needed resource is not usable or the quota
 * does not suffice (no row comes back), or when a name or key is taken (a unique violation).
 */
const createInto = (table: string, { locked, allThere, recorded }: typeof needs): string => `WITH ${request},
  ${locked}
  taken AS (
    UPDATE quotas q SET vms = q.vms + r.vms, vcpus = q.vcpus + r.vcpus, memory_mib = q.memory_mib + r.memory_mib,
      storage_gib = q.storage_gib + r.storage_gib, networks = q.networks + r.networks, volumes = q.volumes + r.volumes
    FROM r
    WHERE q.project_id = r.project_id
      AND q.vms + r.vms <= q.vms_limit AND q.vcpus + r.vcpus <= q.vcpus_limit
      AND q.memory_mib + r.memory_mib <= q.memory_mib_limit AND q.storage_gib + r.storage_gib <= q.storage_gib_limit
      AND q.networks + r.networks <= q.networks_limit AND q.volumes + r.volumes <= q.volumes_limit
      ${allThere}
    RETURNING q.project_id
  ),
  resource AS (
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, deletion_protection, requested, quota, current_job_id)
    SELECT r.id, r.organization_id, r.project_id, r.kind, r.name, r.status, r.labels, r.provider, r.region, r.deletion_protection, r.requested, r.quota, r.job_id
    FROM r, taken
    RETURNING id, kind, name, region
  ),
  kind_row AS (
    INSERT INTO ${table} SELECT k.* FROM resource, r, jsonb_populate_record(NULL::${table}, r."row") k
  ),
  ${recorded}
  ${newJob('resource')},
  ${traces}
  SELECT created_at AS "createdAt" FROM new_job`;

const deleteStatement = `WITH ${request},
  resource AS (
    UPDATE resources x SET status = r.status, status_reason = NULL, current_job_id = r.job_id, updated_at = now()
    FROM r WHERE x.id = r.id AND x.current_job_id IS NULL
    RETURNING x.id, x.kind, x.name, x.region
  ),
  ${newJob('resource')},
  ${traces}
  SELECT created_at AS "createdAt" FROM new_job`;

const batchStatement = `WITH ${request},
  target AS (SELECT r.id, 'batch'::text AS kind, r.name, NULL::text AS region FROM r),
  ${newJob('target')},
  batch AS (
    INSERT INTO batches (id, organization_id, project_id, name, version, parallel_limit, on_failure, job_id)
    SELECT r.id, r.organization_id, r.project_id, r.name, b.version, b.parallel_limit, b.on_failure, j.id
    FROM r, new_job j, jsonb_to_record(r."row") AS b(version int, parallel_limit int, on_failure text)
    RETURNING id
  ),
  operations AS (
    INSERT INTO batch_operations (batch_id, id, position, type, region, provider, depends_on, spec, state, resource_id)
    SELECT batch.id, o.id, o.position, o.type, o.region, o.provider, o.depends_on, o.spec, o.state, o.resource_id
    FROM batch, r, jsonb_to_recordset(r."row" -> 'operations') AS o(
      id text, position int, type text, region text, provider text, depends_on text[], spec jsonb, state text, resource_id uuid)
  ),
  closed AS (
    INSERT INTO audit_entries (act_id, phase, outcome) SELECT j.id, 'closed', j.state FROM new_job j WHERE j.ended_at IS NOT NULL
  ),
  ${traces}
  SELECT created_at AS "createdAt" FROM new_job`;

/** A kind that uses nothing is spared the look at what it uses: it would cost a fifth of the statement. */
const createStatements = {
  vm: createInto('vms', needs),
  lonelyVm: createInto('vms', noNeeds),
  network: createInto('networks', noNeeds),
  volume: createInto('volumes', noNeeds),
} as const;

const createStatementOf = ({ kind, uses }: NewResource): string =>
  createStatements[kind === 'vm' && uses.length === 0 ? 'lonelyVm' : kind];

const parameters = (asked: Asked, job: NewJob): object => ({
  organization_id: asked.organizationId,
  project_id: asked.projectId,
  actor: asked.actor,
  origin: asked.origin,
  idempotency_key: asked.idempotencyKey,
  request_hash: asked.requestHash,
  job_id: job.id,
  type: job.type,
  workflow_id: job.workflowId,
  input: job.input,
  batch_id: job.batchId,
  operation_id: job.operationId,
  parent_job_id: job.parentJobId,
  job_state: job.endedAs ?? null,
});

/** When the job was accepted; undefined where nothing was written. */
async function run(sql: Sql | TransactionSql, statement: string, parameter: object): Promise<Date | undefined> {
  const [row] = await sql.unsafe<{ createdAt: Date }[]>(statement, [JSON.stringify(parameter)], { prepare: true });
  return row?.createdAt;
}

/** Undefined: a needed resource is not usable, or a quota does not suffice; nothing was written. */
export function insertCreate(sql: Sql, asked: Asked, resource: NewResource, job: NewJob): Promise<Date | undefined> {
  const { quota, deletionProtection, ...rest } = resource;
  const accepted = run(sql, createStatementOf(resource), {
    ...parameters(asked, job),
    ...rest,
    deletion_protection: deletionProtection,
    quota,
    row: { resource_id: resource.id, ...resource.row },
    usable: usableStates,
    vms: quota.vms ?? 0,
    vcpus: quota.vcpus ?? 0,
    memory_mib: quota.memoryMib ?? 0,
    storage_gib: quota.storageGib ?? 0,
    networks: quota.networks ?? 0,
    volumes: quota.volumes ?? 0,
  });
  return accepted.catch((error: unknown) => {
    if (isQuotaShort(error)) return undefined;
    throw error;
  });
}

/** To be called in the transaction that locked the resource and found that it may be deleted. */
export function insertDelete(
  sql: TransactionSql,
  asked: Asked,
  resource: { id: string; status: string },
  job: NewJob,
): Promise<Date | undefined> {
  return run(sql, deleteStatement, { ...parameters(asked, job), ...resource });
}

export interface NewBatch {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly parallelLimit: number;
  readonly onFailure: string;
  readonly operations: readonly {
    readonly id: string;
    readonly position: number;
    readonly type: string;
    readonly region: string | null;
    readonly provider: string | null;
    readonly depends_on: readonly string[];
    readonly spec: object;
    readonly state: string;
    readonly resource_id: string | null;
  }[];
}

export function insertBatch(sql: Sql, asked: Asked, batch: NewBatch, job: NewJob): Promise<Date | undefined> {
  return run(sql, batchStatement, {
    ...parameters(asked, job),
    id: batch.id,
    name: batch.name,
    row: {
      version: batch.version,
      parallel_limit: batch.parallelLimit,
      on_failure: batch.onFailure,
      operations: batch.operations,
    },
  });
}

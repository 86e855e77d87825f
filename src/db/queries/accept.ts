import type { Sql, TransactionSql } from 'postgres';
import type { ResourceChange } from '../../domain/change.ts';
import type { JobType } from '../../domain/job.ts';
import type { ResourceKind } from '../../domain/kinds.ts';
import { usableStates } from '../../domain/life.ts';
import type { QuotaUse } from '../../domain/quota.ts';
import type { StartableJob } from '../../domain/start.ts';
import { MillwrightError } from '../../errors.ts';
import { isOverlap, isQuotaShort } from '../client.ts';
import { quotaRow, quotaSql } from './quota.ts';

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
  /** What it changes of its resource. */
  readonly change?: ResourceChange;
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
 * What every accepted request leaves beside its resource: job, idempotency key, opened audit entry (closed when the job
 * ends), event. Each request of `r` leaves them, unless the gate has no row: then none does.
 */
const traces = (gate: string): string => `
  new_job AS (
    INSERT INTO jobs (id, organization_id, project_id, type, resource_id, resource_kind, resource_name, region, batch_id, operation_id, host_job_id, input, change, workflow_id, state, ended_at, deadline_at)
    SELECT r.job_id, r.organization_id, r.project_id, r.type, r.id, r.kind, r.name, r.region, r.batch_id, r.operation_id, CASE WHEN r.batch_id IS NULL THEN r.parent_job_id END, r.input, r.change, r.workflow_id,
      coalesce(r.job_state, 'PENDING'), CASE WHEN r.job_state IS NOT NULL THEN now() END,
      (r.input -> 'deadlines' ->> 'jobAt')::timestamptz
    FROM ${gate}
    RETURNING id, created_at
  ),
  idempotency AS (
    INSERT INTO idempotency_keys (project_id, key, request_hash, job_id)
    SELECT r.project_id, r.idempotency_key, r.request_hash, r.job_id FROM ${gate} WHERE r.idempotency_key IS NOT NULL
  ),
  audit AS (
    INSERT INTO audit_entries (act_id, phase, organization_id, project_id, actor, origin, action, resource_kind, resource_id, resource_name, job_id)
    SELECT r.job_id, 'opened', r.organization_id, r.project_id, r.actor, r.origin, r.type, r.kind, r.id, r.name, r.job_id FROM ${gate}
  ),
  event AS (
    INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, resource_status,
      job_id, parent_job_id, job_sequence, type, data)
    SELECT r.organization_id, r.project_id, r.id, r.kind, r.name, r.status,
      r.job_id, r.parent_job_id, 0, 'job.accepted', jsonb_build_object(
      'jobId', r.job_id, 'type', r.type, 'operationId', r.operation_id,
      'resource', jsonb_build_object('kind', r.kind, 'name', r.name),
      'state', coalesce(r.job_state, 'PENDING'), 'rollback', 'none', 'step', NULL, 'error', NULL)
    FROM ${gate}
  )
  SELECT id, created_at AS "createdAt" FROM new_job`;

/** Requests as one JSON array of them. */
const requests = `r AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS r(
    organization_id uuid, project_id uuid, actor text, origin text, idempotency_key text, request_hash text,
    job_id uuid, type text, workflow_id text, input jsonb, batch_id uuid, operation_id text, parent_job_id uuid, job_state text,
    id uuid, kind text, name text, status text, labels jsonb, provider text, region text, deletion_protection boolean,
    requested jsonb, quota jsonb, "row" jsonb, uses uuid[], usable text[],
    change jsonb, ${quotaSql.record})
)`;

/** The resources that creates need, locked in order so that none can be deleted under them; all there, or no quota is taken. */
const needs = {
  locked: `used AS MATERIALIZED (
    SELECT x.id, x.kind FROM resources x
    WHERE x.id IN (SELECT unnest(r.uses) FROM r) AND x.project_id = (SELECT r.project_id FROM r LIMIT 1)
      AND x.deleted_at IS NULL AND x.status = ANY((SELECT r.usable FROM r LIMIT 1)::text[])
    ORDER BY x.id FOR SHARE
  ),`,
  allThere:
    'AND NOT EXISTS (SELECT FROM r WHERE cardinality(r.uses) <> (SELECT count(*) FROM used u WHERE u.id = ANY(r.uses)))',
  recorded: `uses AS (
    INSERT INTO resource_uses (user_id, used_id, position, exclusive)
    SELECT r.id, u.id, u.position - 1, r.kind = 'vm' AND used.kind = 'volume'
    FROM taken, r, unnest(r.uses) WITH ORDINALITY AS u(id, position) JOIN used ON used.id = u.id
  ),`,
};
const noNeeds = { locked: '', allThere: '', recorded: '' };

/** A network comes with its first subnet, in the VRF that it names, or in one of its own. */
const firstSubnet = {
  ...noNeeds,
  recorded: `vrf AS (
    INSERT INTO vrfs (project_id, name) SELECT DISTINCT r.project_id, coalesce(r."row" ->> 'vrf', r.id::text) FROM r, taken
    ON CONFLICT (project_id, name) DO UPDATE SET name = excluded.name RETURNING id, name
  ),
  subnet_resource AS (
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, provider, region, requested, quota)
    SELECT (r."row" #>> '{subnet,resource_id}')::uuid, r.organization_id, r.project_id, 'subnet', r.name, 'available',
      r.provider, r.region, jsonb_build_object('cidr', r."row" ->> 'cidr', 'network', r.id), '{}'
    FROM r, taken
  ),
  subnet AS (
    INSERT INTO subnets SELECT k.* FROM r, taken, vrf,
      jsonb_populate_record(NULL::subnets, (r."row" -> 'subnet') || jsonb_build_object('network_id', r.id, 'vrf_id', vrf.id)) k
    WHERE vrf.name = coalesce(r."row" ->> 'vrf', r.id::text)
  ),`,
};

/** A cluster comes with the machines that it is to have; their VMs are accepted by its job. */
const withMachines = {
  ...needs,
  recorded: `${needs.recorded}
  machines AS (
    INSERT INTO cluster_machines SELECT k.* FROM r, taken, jsonb_array_elements(r."row" -> 'machines') m,
      jsonb_populate_record(NULL::cluster_machines, m || jsonb_build_object('cluster_id', r.id,
        'create_job_id', uuidv7(), 'delete_job_id', uuidv7())) k
  ),`,
};

/**
 * The whole acceptance of creates in one project, one statement: the resources they need locked, quota taken for all of
 * them, and for each resource, job, idempotency key, audit entry and event written; or nothing at all, when a needed
 * resource is not usable or the quota does not suffice (no row comes back), or when a name or key is taken (a unique
 * violation).
 */
const createInto = (
  table: string,
  { locked, allThere, recorded }: typeof needs,
  begun = '',
): string => `WITH ${requests},
  ${locked}
  wanted AS (
    SELECT project_id, ${quotaSql.sums} FROM r GROUP BY project_id
  ),
  taken AS (
    UPDATE quotas q SET ${quotaSql.moved('+', 'w')}
    FROM wanted w
    WHERE q.project_id = w.project_id AND ${quotaSql.fits('w')}
      ${allThere}
    RETURNING q.project_id
  ),
  resource AS (
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, deletion_protection, requested, quota, current_job_id)
    SELECT r.id, r.organization_id, r.project_id, r.kind, r.name, r.status, r.labels, r.provider, r.region, r.deletion_protection, r.requested, r.quota, r.job_id
    FROM r, taken
  ),
  kind_row AS (
    INSERT INTO ${table} SELECT k.* FROM r, taken, jsonb_populate_record(NULL::${table}, r."row") k
  ),
  ${recorded}
  ${begun}
  ${traces('r, taken')}`;

/** The operations of a batch whose creates these are: under way from this moment. */
const begun = `begun AS (
    UPDATE batch_operations o SET state = 'RUNNING', resource_id = r.id, started_at = coalesce(o.started_at, now())
    FROM r, taken WHERE o.batch_id = r.batch_id AND o.id = r.operation_id AND o.state = 'PENDING'
  ),`;

/** A job on a resource that is there: a deletion, or an act. */
const workStatement = `WITH ${requests},
  resource AS (
    UPDATE resources x SET status = r.status, status_reason = NULL, current_job_id = r.job_id, updated_at = now(),
      quota = coalesce(r.quota, x.quota)
    FROM r WHERE x.id = r.id AND x.current_job_id IS NULL
    RETURNING x.id
  ),
  ${traces('r, resource')}`;

const batchStatement = `WITH ${requests},
  batch AS (
    INSERT INTO batches (id, organization_id, project_id, name, version, parallel_limit, on_failure, limits, secrets, plan_hash, job_id)
    SELECT r.id, r.organization_id, r.project_id, r.name, b.version, b.parallel_limit, b.on_failure, b.limits, b.secrets, b.plan_hash, r.job_id
    FROM r, jsonb_to_record(r."row") AS b(
      version int, parallel_limit int, on_failure text, limits jsonb, secrets jsonb, plan_hash text)
    RETURNING id
  ),
  operations AS (
    INSERT INTO batch_operations (batch_id, id, position, type, region, provider, depends_on, soft_depends_on, action,
      conditions, policy, spec, state, resource_id)
    SELECT batch.id, o.id, o.position, o.type, o.region, o.provider, o.depends_on, o.soft_depends_on, o.action,
      o.conditions, o.policy, o.spec, o.state, o.resource_id
    FROM batch, r, jsonb_to_recordset(r."row" -> 'operations') AS o(
      id text, position int, type text, region text, provider text, depends_on text[], soft_depends_on text[], action text,
      conditions jsonb, policy jsonb, spec jsonb, state text, resource_id uuid)
  ),
  closed AS (
    INSERT INTO audit_entries (act_id, phase, outcome) SELECT r.job_id, 'closed', r.job_state FROM r WHERE r.job_state IS NOT NULL
  ),
  ${traces('r')}`;

/** A batch that has ended goes on by another job; none is written where another was quicker. */
const resumeStatement = `WITH ${requests},
  batch AS (
    UPDATE batches b SET job_id = r.job_id, generation = b.generation + 1, paused_at = NULL, paused_by = NULL
    FROM r WHERE b.id = r.id AND b.job_id = (r."row" ->> 'before')::uuid RETURNING b.id
  ),
  ${traces('r, batch')}`;

const httpStatement = `WITH ${requests},
  begun AS (
    UPDATE batch_operations o SET state = CASE WHEN r.job_id = o.rollback_job_id THEN 'ROLLING_BACK' ELSE 'RUNNING' END,
      started_at = coalesce(o.started_at, now())
    FROM r WHERE o.batch_id = r.batch_id AND o.id = r.operation_id
      AND o.state = ANY(CASE WHEN r.job_id = o.rollback_job_id THEN '{SUCCEEDED,ROLLBACK_FAILED}' ELSE '{PENDING}' END::text[])
    RETURNING o.id
  ),
  ${traces('r, begun')}`;

/** A kind that uses nothing is spared the look at what it uses: it would cost a fifth of the statement. */
const createStatementsWith = (marked: string) => ({
  vm: createInto('vms', needs, marked),
  lonelyVm: createInto('vms', noNeeds, marked),
  network: createInto('networks', firstSubnet, marked),
  volume: createInto('volumes', noNeeds, marked),
  snapshot: createInto('snapshots', needs, marked),
  bucket: createInto('buckets', noNeeds, marked),
  'bare-metal-host': createInto('bare_metal_hosts', noNeeds, marked),
  cluster: createInto('clusters', withMachines, marked),
});
const createStatements = createStatementsWith('');
const operationStatements = createStatementsWith(begun);

type CreateStatement = keyof typeof createStatements;

const createStatementOf = ({ kind, uses }: NewResource): CreateStatement =>
  kind === 'vm' && uses.length === 0 ? 'lonelyVm' : kind;

/** A create to be accepted. */
export interface NewCreate {
  readonly asked: Asked;
  readonly resource: NewResource;
  readonly job: NewJob;
}

/** Creates of one lane may be accepted by one statement. */
export const laneOf = ({ asked, resource }: NewCreate): string => `${createStatementOf(resource)} ${asked.projectId}`;

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
  change: job.change ?? null,
});

interface Written {
  readonly id: string;
  readonly createdAt: Date;
}

/** The jobs that were accepted; none where nothing was written. */
async function run(
  sql: Sql | TransactionSql,
  statement: string,
  requests: readonly object[],
): Promise<readonly Written[]> {
  return await sql.unsafe<Written[]>(statement, [JSON.stringify(requests)], { prepare: true });
}

const createParameters = ({ asked, resource, job }: NewCreate): object => {
  const { quota, deletionProtection, ...rest } = resource;
  return {
    ...parameters(asked, job),
    ...rest,
    deletion_protection: deletionProtection,
    quota,
    row: { resource_id: resource.id, ...resource.row },
    usable: usableStates,
    ...quotaRow(quota),
  };
};

/**
 * Accepts creates of one lane, all or none: when they were accepted, or undefined, where a needed resource is not usable
 * or a quota does not suffice, and nothing was written.
 */
export async function insertCreates(
  sql: Sql | TransactionSql,
  creates: readonly [NewCreate, ...NewCreate[]],
): Promise<Date | undefined> {
  const statements = creates[0].job.batchId === null ? createStatements : operationStatements;
  const statement = statements[createStatementOf(creates[0].resource)];
  try {
    const [first] = await run(sql, statement, creates.map(createParameters));
    return first?.createdAt;
  } catch (error) {
    if (isQuotaShort(error)) return undefined;
    if (isOverlap(error)) throw overlap(creates[0].resource);
    throw error;
  }
}

const overlap = ({ kind, name, requested }: NewResource): MillwrightError =>
  new MillwrightError(
    'conflict',
    `The ${kind} "${name}" cannot have ${Reflect.get(requested, 'cidr')}: a subnet of the same VRF has addresses of that. Choose another block, or another VRF.`,
  );

/**
 * Accepts a job on a resource that is there. To be called in the transaction that locked the resource and found that it
 * may be done. `quota`: what the resource holds from now on, where that changes.
 */
export async function insertWork(
  sql: TransactionSql,
  asked: Asked,
  resource: Pick<NewResource, 'id' | 'kind' | 'name' | 'region' | 'status'> & { readonly quota?: QuotaUse },
  job: NewJob,
): Promise<Date | undefined> {
  const [written] = await run(sql, workStatement, [{ ...parameters(asked, job), ...resource }]);
  return written?.createdAt;
}

/** Accepts an operation's HTTP request, whose resource is its batch. Nothing is written where the operation has gone on. */
export async function insertHttp(
  sql: Sql,
  asked: Asked,
  batch: { id: string; name: string },
  job: NewJob & { readonly region: string },
): Promise<void> {
  await run(sql, httpStatement, [{ ...parameters(asked, job), ...batch, kind: 'batch', region: job.region }]);
}

export interface NewBatch {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly parallelLimit: number;
  readonly onFailure: string;
  readonly limits: Readonly<Record<string, number>>;
  /** Sealed. */
  readonly secrets: object;
  readonly planHash: string;
  readonly operations: readonly {
    readonly id: string;
    readonly position: number;
    readonly type: string;
    readonly region: string | null;
    readonly provider: string | null;
    readonly depends_on: readonly string[];
    readonly soft_depends_on: readonly string[];
    readonly action: string;
    readonly conditions: readonly object[];
    readonly policy: object;
    readonly spec: object;
    readonly state: string;
    readonly resource_id: string | null;
  }[];
}

export async function insertBatch(sql: Sql, asked: Asked, batch: NewBatch, job: NewJob): Promise<void> {
  const { id, name, parallelLimit, onFailure, planHash, ...rest } = batch;
  const row = { ...rest, parallel_limit: parallelLimit, on_failure: onFailure, plan_hash: planHash };
  await run(sql, batchStatement, [{ ...parameters(asked, job), id, kind: 'batch', name, row }]);
}

/** Whether the batch goes on by this job, in place of the one `before` it, which has ended. */
export async function insertResumption(
  sql: TransactionSql,
  asked: Asked,
  { id, name, before }: { readonly id: string; readonly name: string; readonly before: string },
  job: NewJob,
): Promise<boolean> {
  const request = { ...parameters(asked, job), id, kind: 'batch', name, row: { before } };
  return (await run(sql, resumeStatement, [request])).length > 0;
}

/**
 * Gives a batch that is resumed the operations of another file: those that are done stay as they are, in their new
 * places; the others are replaced.
 */
export async function replaceUndone(
  sql: TransactionSql,
  { id, parallelLimit, onFailure, limits, secrets, planHash, operations }: Omit<NewBatch, 'name' | 'version'>,
): Promise<void> {
  await sql`DELETE FROM batch_operations WHERE batch_id = ${id} AND state NOT IN ('SUCCEEDED', 'UNCHANGED')`;
  await sql.unsafe(
    `INSERT INTO batch_operations AS b (batch_id, id, position, type, region, provider, depends_on, soft_depends_on, action,
      conditions, policy, spec, state, resource_id)
    SELECT $1, o.id, o.position, o.type, o.region, o.provider, o.depends_on, o.soft_depends_on, o.action,
      o.conditions, o.policy, o.spec, o.state, o.resource_id
    FROM jsonb_to_recordset($2::text::jsonb) AS o(
      id text, position int, type text, region text, provider text, depends_on text[], soft_depends_on text[], action text,
      conditions jsonb, policy jsonb, spec jsonb, state text, resource_id uuid)
    ON CONFLICT (batch_id, id) DO UPDATE SET position = excluded.position, depends_on = excluded.depends_on,
      soft_depends_on = excluded.soft_depends_on`,
    [id, JSON.stringify(operations)],
  );
  await sql.unsafe(
    `UPDATE batches SET parallel_limit = $2, on_failure = $3, limits = $4::text::jsonb, secrets = $5::text::jsonb, plan_hash = $6
    WHERE id = $1`,
    [id, parallelLimit, onFailure, JSON.stringify(limits), JSON.stringify(secrets), planHash],
  );
}

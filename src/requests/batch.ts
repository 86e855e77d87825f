import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { batchWorkflowId } from '../../temporal/names.ts';
import type { BatchFile, BatchOperation } from '../batch/file.ts';
import { insertBatch, type NewBatch, type NewJob } from '../db/queries/accept.ts';
import { MillwrightError } from '../errors.ts';
import { secretKindOf } from '../secrets/fields.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { placeOfOperation, placeOfVariable, sealSpec } from '../secrets/specs.ts';
import type { Accepted, AcceptOptions, Caller } from './caller.ts';
import type { Catalog } from './catalog.ts';
import { asked, startOf } from './create.ts';
import { acceptOnce } from './idempotency.ts';
import { refuseIfStale } from './plan/hash.ts';
import { planBatch } from './plan/plan.ts';
import { shortages } from './plan/quota.ts';
import type { PlannedOperation } from './plan/rows.ts';

interface AcceptBatchOptions extends AcceptOptions {
  /** The hash of the plan that somebody agreed to: it must be the plan still. */
  readonly planHash?: string | undefined;
}

/**
 * Accepts a batch: plans it, and writes batch, operations and job in one statement. Where every operation is as the
 * file says already, its job has ended as it begins. What cannot fit into a quota is refused, as it could only fail
 * half-way.
 */
export function acceptBatch(
  sql: Sql,
  caller: Caller,
  catalog: Catalog,
  file: BatchFile,
  options: AcceptBatchOptions,
): Promise<Accepted<never>> {
  return acceptOnce(sql, caller.project.id, options.idempotency, async () => {
    const { sealer, planHash } = options;
    const { plan, operations: planned } = await planBatch(sql, caller, catalog, file, sealer);
    if (planHash !== undefined) refuseIfStale(planHash, plan.hash);
    if (!plan.quota.fits) throw new MillwrightError('quota', shortages(plan.quota.scopes));
    const id = newId();
    const nothingToDo = planned.every(({ action }) => action === 'none');
    const job = batchJob(caller, file, id, { nothingToDo, eventsAtMost: options.limits.batchEvents });
    const { name, version, parallelLimit, onFailure, limits } = file;
    const { operations, secrets } = await rowsOf(sealer, id, file, planned);
    const batch = { id, name, version, parallelLimit, onFailure, limits, secrets, planHash: plan.hash, operations };
    await insertBatch(sql, asked(caller, options), batch, job);
    return { jobId: job.id, resourceId: id, ...(nothingToDo ? {} : { start: startOf(job) }) };
  });
}

interface JobOptions {
  readonly nothingToDo: boolean;
  readonly eventsAtMost: number;
  /** Which of the batch's workflows its first is; 1 where it is left out. */
  readonly generation?: number;
}

/** What a job of a batch has to know of its file. */
export type BatchHead = Pick<BatchFile, 'name' | 'parallelLimit' | 'onFailure'> & { readonly timeoutSeconds?: number };

export function batchJob(
  caller: Caller,
  { name, parallelLimit, onFailure, timeoutSeconds }: BatchHead,
  batchId: string,
  { nothingToDo, eventsAtMost, generation = 1 }: JobOptions,
): NewJob {
  const id = newId();
  const jobAt = timeoutSeconds && new Date(Date.now() + timeoutSeconds * 1000).toISOString();
  return {
    id,
    type: 'batch.apply',
    workflowId: batchWorkflowId(name, batchId, generation),
    input: {
      batchId,
      jobId: id,
      name,
      organization: caller.organization.name,
      project: caller.project.name,
      parallelLimit,
      onFailure,
      eventsAtMost,
      ...(generation > 1 ? { generation } : {}),
      ...(caller.trail ? { trail: caller.trail } : {}),
      ...(jobAt ? { deadlines: { jobAt } } : {}),
    },
    batchId: null,
    operationId: null,
    parentJobId: null,
    ...(nothingToDo ? { endedAs: 'SUCCEEDED' as const } : {}),
  };
}

/** A batch's operations and secret variables as they are stored. */
export async function rowsOf(
  sealer: Sealer,
  batchId: string,
  { secrets }: Pick<BatchFile, 'secrets'>,
  planned: readonly PlannedOperation[],
): Promise<Pick<NewBatch, 'operations' | 'secrets'>> {
  return {
    operations: await Promise.all(planned.map((one, position) => rowOf(sealer, batchId, one, position))),
    secrets: await sealSecrets(sealer, batchId, secrets),
  };
}

async function rowOf(
  sealer: Sealer,
  batchId: string,
  planned: PlannedOperation,
  position: number,
): Promise<NewBatch['operations'][number]> {
  const { operation, action, there } = planned;
  const { id, type, region, provider, retry, timeoutSeconds, onFailure } = operation;
  return {
    id,
    position,
    type,
    region: region ?? null,
    provider: provider ?? null,
    depends_on: operation.dependsOn,
    soft_depends_on: operation.softDependsOn,
    action,
    conditions: operation.conditions,
    policy: { retry, timeoutSeconds, onFailure },
    spec: Object(await sealWith(sealer, batchId, operation, wantedBy(planned))),
    state: action === 'none' ? 'UNCHANGED' : 'PENDING',
    resource_id: there?.id ?? null,
  };
}

/** Of a change in place: what is left out of a create is wanted at its default, and what an update leaves out stays. */
const wantedBy = ({ operation, action }: PlannedOperation): BatchOperation['with'] =>
  action === 'change' && operation.type.endsWith('.create')
    ? { labels: {}, deletionProtection: false, ...operation.with }
    : operation.with;

async function sealWith(
  sealer: Sealer,
  batchId: string,
  { id, type }: BatchOperation,
  given: BatchOperation['with'],
): Promise<unknown> {
  const kind = secretKindOf(type);
  return kind ? await sealSpec(sealer, kind, given, placeOfOperation(batchId, id)) : given;
}

async function sealSecrets(sealer: Sealer, batchId: string, secrets: BatchFile['secrets']): Promise<object> {
  const sealed = Object.entries(secrets).map(async ([name, text]) => [
    name,
    { $sealed: await sealer.seal(text, placeOfVariable(batchId, name)) },
  ]);
  return Object.fromEntries(await Promise.all(sealed));
}

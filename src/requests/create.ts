import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { jobWorkflowId } from '../../temporal/names.ts';
import { violatedUnique } from '../db/client.ts';
import { type Asked, insertCreates, type NewCreate, type NewJob } from '../db/queries/accept.ts';
import { newJobView } from '../db/queries/jobs.ts';
import { type Known, knownResources, newResourceView, type ResourceView } from '../db/queries/resources.ts';
import { endsAsItIs, isReversible } from '../domain/acts.ts';
import type { ResourceChange } from '../domain/change.ts';
import type { FailurePolicy, Job } from '../domain/job.ts';
import { type OperationType, typeOf, type Verb } from '../domain/kinds.ts';
import { lives } from '../domain/life.ts';
import type { QuotaUse } from '../domain/quota.ts';
import type { StartableJob } from '../domain/start.ts';
import { sealInput, veiled } from '../secrets/specs.ts';
import type { Accepted, AcceptOptions, Caller } from './caller.ts';
import type { Catalog } from './catalog.ts';
import { acceptOnce } from './idempotency.ts';
import { type CreateBody, type Find, prepare, referencesOf } from './prepare.ts';
import { attachedAlready, enrolledAlready, nameTaken, whyNot } from './refusals.ts';

/** Accepts a create: quota, resource, job, audit row, idempotency key and event in one statement, or nothing. */
export function acceptCreate(
  sql: Sql,
  caller: Caller,
  catalog: Catalog,
  create: CreateBody,
  options: AcceptOptions,
): Promise<Accepted<ResourceView>> {
  return acceptOnce(sql, caller.project.id, options.idempotency, async () => {
    const references = referencesOf(create);
    const find = await knownResources(sql, caller.project.id, references);
    const { write, job, quota } = await readyCreate(caller, catalog, create, find, options);
    const { resource } = write;
    const { accept = (one) => insertCreates(sql, [one]) } = options;
    const createdAt = await accept(write).catch(async (error: unknown) => {
      if (violatedUnique(error) === 'resources_name_key') throw await nameTaken(sql, caller, create);
      if (violatedUnique(error) === 'resource_uses_exclusive') throw await attachedAlready(sql, resource.uses);
      throw violatedUnique(error) === 'bare_metal_hosts_controller' ? enrolledAlready(create) : error;
    });
    if (!createdAt)
      throw await whyNot(
        sql,
        caller,
        quota,
        references.map(({ reference }) => reference),
      );
    const used = references.flatMap((reference) => find(reference) ?? []);
    const view = newResourceView(resource, caller.organization.id, caller.project.id, job.id, used, createdAt);
    return {
      jobId: job.id,
      resourceId: resource.id,
      start: startOf(job),
      views: { resource: view, job: newJobView(job, caller, view, createdAt) },
    };
  });
}

/** A create that only has to be written; its job as its workflow is to get it, secrets in clear. */
interface ReadyCreate {
  readonly write: NewCreate;
  readonly job: NewJob;
  readonly quota: QuotaUse;
}

/** Looks everything up that a create names. Throws `invalid` with every fault. */
export async function readyCreate(
  caller: Caller,
  catalog: Catalog,
  create: CreateBody,
  find: Find,
  options: AcceptOptions,
): Promise<ReadyCreate> {
  const prepared = prepare(create, catalog, find);
  const { kind, body } = create;
  const { region, provider, quota, row, uses } = prepared;
  const { name, labels, deletionProtection } = body;
  const { sealer, onFailure = body.onFailure, timeoutSeconds = body.timeoutSeconds } = options;
  const id = newId();
  const job = newJob(caller, 'create', { id, kind, name, region, provider }, prepared.spec, {
    ...options,
    onFailure,
    timeoutSeconds,
  });
  const resource = {
    id,
    kind,
    name,
    status: lives[kind].create.during,
    labels,
    provider,
    region,
    deletionProtection,
    requested: Object(await veiled(sealer, kind, prepared.requested)),
    quota,
    row,
    uses,
  };
  const stored = { ...job, input: await sealInput(sealer, kind, job.id, job.input) };
  return { write: { asked: asked(caller, options), resource, job: stored }, job, quota };
}

export const asked = (caller: Caller, { idempotency }: AcceptOptions): Asked => ({
  organizationId: caller.organization.id,
  projectId: caller.project.id,
  actor: caller.actor,
  origin: caller.origin,
  idempotencyKey: idempotency?.key ?? null,
  requestHash: idempotency?.requestHash ?? null,
});

/** A job of one resource, of its own or of a batch's operation. */
export function newJob(
  caller: Caller,
  verb: Verb,
  resource: Pick<Known, 'id' | 'kind' | 'name' | 'region' | 'provider'>,
  spec: unknown,
  options: AcceptOptions,
  before: {
    readonly status?: string;
    readonly change?: ResourceChange | undefined;
    /** Where its type alone does not say so. */
    readonly isReversible?: boolean;
  } = {},
): NewJob {
  const { batch, onFailure } = options;
  const id = batch?.jobId ?? newId();
  const type = typeOf(resource.kind, verb);
  const { name: resourceName, provider, region } = resource;
  const what = { id, type, resourceId: resource.id, resourceName, key: resource.id, provider, region, spec };
  const input: Omit<Job, 'sequence'> = {
    ...inputOf(caller, what, options),
    onFailure: batch ? (onFailure ?? 'rollback') : policyOf(type, onFailure, before.isReversible),
    ...(before.status === undefined ? {} : { statusBefore: before.status }),
  };
  return {
    id,
    type,
    workflowId: batch?.workflowId ?? jobWorkflowId(type, resource.name, id),
    input,
    ...(before.change ? { change: before.change } : {}),
    batchId: batch?.batchId ?? null,
    operationId: batch?.operationId ?? null,
    parentJobId: batch?.parentJobId ?? null,
  };
}

type What = 'id' | 'type' | 'resourceId' | 'resourceName' | 'key' | 'provider' | 'region' | 'spec';

/** What a job's workflow is told, beside what it is to do: in whose name, within which bounds. */
export const inputOf = (
  caller: Caller,
  what: Pick<Job, What>,
  { limits, onFailure = 'rollback', retry, takesBack, timeoutSeconds = limits.jobSeconds }: AcceptOptions,
): Omit<Job, 'sequence'> => ({
  ...what,
  organization: caller.organization.name,
  project: caller.project.name,
  retry: { ...limits.retry, ...retry },
  onFailure,
  deadlines: {
    stepSeconds: limits.stepSeconds,
    undoWaitSeconds: limits.undoWaitSeconds,
    ...(takesBack ? { workerWaitSeconds: limits.undoWaitSeconds } : {}),
    jobAt: new Date(Date.now() + timeoutSeconds * 1000).toISOString(),
  },
  ...(caller.trail ? { trail: caller.trail } : {}),
});

/** What has nothing to roll back to, as a deletion, is held rather than ended undone. */
const policyOf = (type: OperationType, asked?: FailurePolicy, undoes = isReversible(type)): FailurePolicy =>
  asked === undefined && endsAsItIs(type) ? 'keep' : irreversibly(type, undoes, asked);

const irreversibly = (type: OperationType, undoes: boolean, asked: FailurePolicy = 'rollback'): FailurePolicy =>
  !endsAsItIs(type) && !undoes && asked === 'rollback' ? 'hold' : asked;

export const startOf = ({ id, type, workflowId, input }: NewJob): StartableJob => ({
  id,
  type,
  workflowId,
  sequence: 0,
  input,
});

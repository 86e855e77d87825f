import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { batchWorkflowId } from '../../temporal/names.ts';
import type { BatchFile, BatchOperation } from '../batch/file.ts';
import { topologicalOrder } from '../batch/graph.ts';
import { referencesIn, resolveTemplates } from '../batch/template.ts';
import { insertBatch, type NewJob } from '../db/queries/accept.ts';
import { outputsFrom } from '../db/queries/outputs.ts';
import { type Known, knownResources, type ResourceView, resourceById } from '../db/queries/resources.ts';
import { isOperationType, kindOf, partsOf, type ResourceKind } from '../domain/kinds.ts';
import { type Fault, MillwrightError } from '../errors.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { placeOfOperation, sealSpec, veiled } from '../secrets/specs.ts';
import type { Accepted, AcceptOptions, Caller } from './caller.ts';
import type { Catalog } from './catalog.ts';
import { asked, startOf } from './create.ts';
import { acceptOnce } from './idempotency.ts';
import { createOf, prepare, referencesOf } from './prepare.ts';

/** An operation as it is accepted: to be run, or found to be as the file says already. */
interface Planned {
  readonly operation: BatchOperation;
  readonly state: 'PENDING' | 'UNCHANGED';
  readonly resourceId: string | null;
}

/**
 * Accepts a batch: compares each operation with what is there, and writes batch, operations and job in one statement.
 * Where every operation is as the file says already, its job has ended as it begins.
 */
export function acceptBatch(
  sql: Sql,
  caller: Caller,
  catalog: Catalog,
  file: BatchFile,
  options: AcceptOptions,
): Promise<Accepted<never>> {
  return acceptOnce(sql, caller.project.id, options.idempotency, async () => {
    const planned = await plan(sql, caller, catalog, file, options.sealer);
    const [id, jobId] = [newId(), newId()];
    const { name, version, parallelLimit, onFailure } = file;
    const nothingToDo = planned.every(({ state }) => state === 'UNCHANGED');
    const { organization, project } = caller;
    const job: NewJob = {
      id: jobId,
      type: 'batch.apply',
      workflowId: batchWorkflowId(name, id, 1),
      input: {
        batchId: id,
        jobId,
        name,
        organization: organization.name,
        project: project.name,
        parallelLimit,
        onFailure,
        ...(caller.trail ? { trail: caller.trail } : {}),
      },
      batchId: null,
      operationId: null,
      parentJobId: null,
      ...(nothingToDo ? { endedAs: 'SUCCEEDED' as const } : {}),
    };
    const operations = await Promise.all(
      planned.map(async ({ operation, state, resourceId }, position) => ({
        id: operation.id,
        position,
        type: operation.type,
        region: operation.region ?? null,
        provider: operation.provider ?? null,
        depends_on: operation.dependsOn,
        spec: Object(await sealWith(options.sealer, id, operation)),
        state,
        resource_id: resourceId,
      })),
    );
    await insertBatch(sql, asked(caller, options), { id, name, version, parallelLimit, onFailure, operations }, job);
    return { jobId, resourceId: id, ...(nothingToDo ? {} : { start: startOf(job) }) };
  });
}

async function sealWith(sealer: Sealer, batchId: string, operation: BatchOperation): Promise<unknown> {
  const kind = kindOf(operation.type);
  return kind ? await sealSpec(sealer, kind, operation.with, placeOfOperation(batchId, operation.id)) : operation.with;
}

async function veilWith(sealer: Sealer, { type, with: given }: BatchOperation): Promise<unknown> {
  const kind = kindOf(type);
  return kind ? await veiled(sealer, kind, given) : given;
}

/** A file as its hash may be kept. */
export const veiledFile = async (sealer: Sealer, file: BatchFile): Promise<object> => ({
  ...file,
  operations: await Promise.all(
    file.operations.map(async (operation) => ({
      ...operation,
      with: await veilWith(sealer, operation),
    })),
  ),
});

async function plan(sql: Sql, caller: Caller, catalog: Catalog, file: BatchFile, sealer: Sealer): Promise<Planned[]> {
  const named = file.operations.flatMap((operation) => {
    const kind = kindOf(operation.type);
    if (!kind) return [];
    const { name } = operation.with;
    return [
      ...(typeof name === 'string' ? [{ kind, reference: name }] : []),
      ...listed(operation.with, 'networks').map((reference) => ({ kind: 'network' as const, reference })),
      ...listed(operation.with, 'volumes').map((reference) => ({ kind: 'volume' as const, reference })),
    ];
  });
  const find = await knownResources(sql, caller.project.id, named);
  const planned = new Map<string, Planned>();
  const outputs = new Map<string, Record<string, unknown>>();
  const faults: Fault[] = [];
  const positions = new Map(file.operations.map(({ id }, position) => [id, position]));
  const byId = new Map(file.operations.map((operation) => [operation.id, operation]));
  for (const id of topologicalOrder(file.operations)) {
    const operation = byId.get(id);
    if (!operation) continue;
    const seen = await compare({ sql, catalog, sealer }, operation, find, (other) => outputs.get(other));
    if ('fault' in seen)
      faults.push({
        pointer: `/operations/${positions.get(id)}${seen.pointer}`,
        detail: `Operation "${id}": ${seen.fault}`,
      });
    else
      planned.set(id, {
        operation,
        state: seen.unchanged ? 'UNCHANGED' : 'PENDING',
        resourceId: seen.view?.id ?? null,
      });
    if ('view' in seen && seen.view && isOperationType(operation.type))
      outputs.set(id, outputsFrom(operation.type, seen.view));
  }
  if (faults.length > 0) {
    throw new MillwrightError('conflict', faults.map(({ detail }) => detail).join(' '), { faults });
  }
  return file.operations.flatMap(({ id }) => planned.get(id) ?? []);
}

type Seen =
  | { readonly unchanged: true; readonly view?: ResourceView }
  | { readonly unchanged: false; readonly view?: undefined }
  | { readonly fault: string; readonly pointer: string; readonly view?: ResourceView | undefined };

/** Looks whether what an operation asks for is there already. */
async function compare(
  { sql, catalog, sealer }: { readonly sql: Sql; readonly catalog: Catalog; readonly sealer: Sealer },
  operation: BatchOperation,
  find: (reference: { kind: ResourceKind; reference: string }) => Known | undefined,
  outputs: (operationId: string) => Record<string, unknown> | undefined,
): Promise<Seen> {
  if (!isOperationType(operation.type)) return { unchanged: false };
  const { kind, verb } = partsOf(operation.type);
  const { name } = operation.with;
  const there = typeof name === 'string' ? find({ kind, reference: name }) : undefined;
  if (verb === 'delete') {
    // What the file itself creates is there by the time it is deleted.
    return there || operation.dependsOn.length > 0 ? { unchanged: false } : { unchanged: true };
  }
  if (!there) return { unchanged: false };
  if (there.currentJobId) {
    return {
      fault: `${kind} "${there.name}" is ${there.status}; job ${there.currentJobId} is at work on it. Wait until it has ended, then apply the file again.`,
      pointer: '/with/name',
    };
  }
  const differs = await differences({ catalog, sealer }, { ...operation, kind }, there, find, outputs);
  const view = await resourceById(sql, kind, there.id);
  if (!view) return { unchanged: false };
  if (differs.length === 0) return { unchanged: true, view };
  return {
    fault: `${kind} "${there.name}" exists already and is not as the file says (${differs.join(', ')}). Changing what exists is not possible yet: delete it first, or give the operation another name.`,
    pointer: '/with',
    view,
  };
}

/** The fields in which a resource is not as an operation would have it. */
async function differences(
  { catalog, sealer }: { readonly catalog: Catalog; readonly sealer: Sealer },
  operation: BatchOperation & { readonly kind: ResourceKind },
  there: Known,
  find: (reference: { kind: ResourceKind; reference: string }) => Known | undefined,
  outputs: (operationId: string) => Record<string, unknown> | undefined,
): Promise<string[]> {
  if (there.status === 'error') return ['its status is error'];
  const unknown = referencesIn(operation.with).find(({ operationId }) => outputs(operationId) === undefined);
  if (unknown) return [`it depends on what "${unknown.operationId}" will be`];
  const create = createOf(operation.kind, operation, resolveTemplates(operation.with, outputs));
  const missing = referencesOf(create).find((reference) => !find(reference));
  if (missing) return [`it needs the ${missing.kind} "${missing.reference}", which is not there`];
  const { requested } = prepare(create, catalog, find);
  const wanted: Requested = Object(await veiled(sealer, create.kind, requested));
  const before = sinceSealing(there.requested, requested, wanted);
  return Object.keys({ ...wanted, ...before }).filter((field) => canonical(wanted[field]) !== canonical(before[field]));
}

type Requested = Readonly<Record<string, unknown>>;

/** What releases before secrets were sealed kept of a VM's user data was its hash; here as it is kept now. */
function sinceSealing(
  { userDataSha256, ...kept }: Requested,
  { userData }: Requested,
  veiledNow: Requested,
): Requested {
  if (userDataSha256 === undefined) return kept;
  const same = createHash('sha256').update(String(userData)).digest('hex') === userDataSha256;
  return same ? { ...kept, userData: veiledNow.userData } : kept;
}

/** JSON with its keys in order, as jsonb does not keep them. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? 'undefined'
  );
}

const listed = (fields: Readonly<Record<string, unknown>>, field: string): string[] => {
  const value = fields[field];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
};

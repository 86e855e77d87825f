import { holds, operationsIn } from '../../src/batch/condition.ts';
import { referencesIn, resolveTemplates } from '../../src/batch/template.ts';
import { checkWith } from '../../src/batch/with.ts';
import {
  type BatchRow,
  beginWait,
  changeBack,
  endOperation,
  keepBefore,
  type OperationRow,
  type PlainEnd,
} from '../../src/db/queries/batch-work.ts';
import { seenOperations } from '../../src/db/queries/outputs.ts';
import { findResource } from '../../src/db/queries/resources.ts';
import { type ActRequest, actSchemas } from '../../src/domain/acts.ts';
import type { ResourceUpdate } from '../../src/domain/common.ts';
import {
  httpType,
  isActType,
  isOperationType,
  joinType,
  kindOf,
  partsOf,
  type ResourceKind,
  typeOf,
} from '../../src/domain/kinds.ts';
import { MillwrightError } from '../../src/errors.ts';
import { tryAct } from '../../src/requests/act.ts';
import type { AcceptOptions, BatchPlace, Caller } from '../../src/requests/caller.ts';
import { acceptCreate } from '../../src/requests/create.ts';
import { createOf } from '../../src/requests/prepare.ts';
import { acceptDelete } from '../../src/requests/remove.ts';
import { acceptUpdate } from '../../src/requests/update.ts';
import type { Sealer } from '../../src/secrets/sealer.ts';
import { openSpec, placeOfOperation, placeOfVariable } from '../../src/secrets/specs.ts';
import type { BeginOperation, Begun } from '../types.ts';
import { call, callBack } from './begin-http.ts';
import type { ControlDependencies } from './index.ts';

/** An operation that is to be begun, and the workflow that will host its job. */
export interface Beginning {
  readonly batch: BatchRow;
  readonly row: OperationRow;
  readonly direction: BeginOperation['direction'];
  readonly host: string;
}

/** What each way to begin gives: undefined where a job was accepted, which then goes on. */
type Plain = Promise<Begun | undefined>;

export async function ended(
  { database }: ControlDependencies,
  { batch, row }: Beginning,
  end: PlainEnd,
): Promise<Begun> {
  await endOperation(database.sql, batch.id, row.id, end);
  if (end.error) return { error: end.error };
  return end.state === 'SKIPPED' ? { skipped: true } : { done: true };
}

/** Where the job of an operation belongs, under the id that was fixed beforehand. */
export const placeOf = ({ batch, row, host }: Beginning, jobId: string): BatchPlace => ({
  batchId: batch.id,
  operationId: row.id,
  jobId,
  parentJobId: batch.jobId,
  workflowId: host,
});

/** In whose name an operation acts: the batch's own. */
export const callerOf = ({ caller: { organization, project, trail }, name }: BatchRow): Caller => ({
  organization,
  project,
  actor: `batch/${name}`,
  origin: null,
  trail: trail ?? undefined,
});

export const optionsOf = (
  { limits, sealer }: ControlDependencies,
  { batch, row }: Beginning,
  place: BatchPlace,
): AcceptOptions => ({
  limits,
  sealer,
  batch: place,
  onFailure: row.policy.onFailure ?? batch.onFailure,
  timeoutSeconds: row.policy.timeoutSeconds,
  retry: row.policy.retry,
});

/** What takes an operation back fails when it cannot, or when no worker takes it: it is the batch that is then held. */
export const backOptionsOf = (
  dependencies: ControlDependencies,
  beginning: Beginning,
  place: BatchPlace,
): AcceptOptions => ({
  ...optionsOf(dependencies, beginning, place),
  onFailure: 'rollback',
  takesBack: true,
});

/** Where an operation builds, as its file says. */
export const regionOf = ({ region, provider }: OperationRow) => ({
  ...(region === null ? {} : { region }),
  ...(provider === null ? {} : { provider }),
});

export async function beginForth(dependencies: ControlDependencies, beginning: Beginning, place: BatchPlace): Plain {
  const { batch, row } = beginning;
  // This word comes late: the batch has ended, or has given the operation up.
  if (batch.hasEnded || row.state === 'SKIPPED') {
    return { error: { code: 'conflict', message: 'The batch has gone on.' } };
  }
  if (row.state === 'SUCCEEDED' || row.state === 'UNCHANGED') return { done: true };
  // What waits is under way, and goes on.
  if (batch.paused && row.state === 'PENDING') return { paused: true };
  const { type } = row;
  if (type === joinType) return await ended(dependencies, beginning, { state: 'SUCCEEDED' });
  const resolved = await resolvedWith(dependencies, beginning);
  if ('left' in resolved) return await ended(dependencies, beginning, { state: 'SKIPPED', reason: resolved.left });
  const given = resolved.with;
  if (isActType(type)) {
    const { name, ...body } = checkWith(type, {}, given);
    const request = { type, body } as ActRequest;
    const options = optionsOf(dependencies, beginning, place);
    const { sql } = dependencies.database;
    const accepted = await tryAct(sql, callerOf(batch), await dependencies.catalog(), request, name, options);
    return accepted ? undefined : await ended(dependencies, beginning, { state: 'SUCCEEDED' });
  }
  if (isOperationType(type)) {
    const { kind, verb } = partsOf(type);
    if (row.action === 'change') return await change(dependencies, beginning, kind, given);
    const options = optionsOf(dependencies, beginning, place);
    const { sql } = dependencies.database;
    const caller = callerOf(batch);
    if (verb === 'create') {
      await acceptCreate(sql, caller, await dependencies.catalog(), createOf(kind, regionOf(row), given), options);
      return undefined;
    }
    const { name, ...how } = checkWith(`${kind}.delete`, regionOf(row), given);
    const force = 'force' in how && how.force;
    const reference = row.resourceId ?? name;
    const accepted = await ifThere(() => acceptDelete(sql, caller, kind, reference, { ...options, force }));
    return accepted ? undefined : await ended(dependencies, beginning, { state: 'SUCCEEDED' });
  }
  switch (type) {
    case 'wait.for':
    case 'wait.until':
    case 'wait.approval':
      return await wait(dependencies, beginning, given);
    case 'http.request':
      return await call(dependencies, beginning, place, checkWith(type, {}, given));
    case 'vm.update':
    case 'network.update':
    case 'volume.update':
    case 'snapshot.update':
    case 'bucket.update':
    case 'cluster.update': {
      const kind = kindOf(type);
      if (!kind) throw new Error(`${type} has no kind`);
      return await update(dependencies, beginning, kind, given);
    }
  }
}

/** Takes back what an operation did. */
export async function beginBack(dependencies: ControlDependencies, beginning: Beginning, place: BatchPlace): Plain {
  const { batch, row } = beginning;
  const { sql } = dependencies.database;
  const kind = kindOf(row.type);
  const back = (): Promise<Begun> => ended(dependencies, beginning, { state: 'ROLLED_BACK' });
  if (row.state === 'ROLLED_BACK') return { done: true };
  if (row.type === httpType) return (await callBack(dependencies, beginning, place)) ? undefined : await back();
  if (!kind || !row.resourceId) return await back();
  const { resourceId } = row;
  if (isActType(row.type)) return (await actBack(dependencies, beginning, place, kind)) ? undefined : await back();
  if (row.action === 'change' || row.type.endsWith('.update')) {
    if (row.before) await ifThere(() => acceptUpdate(sql, callerOf(batch), kind, resourceId, row.before ?? {}));
    return await back();
  }
  const options = backOptionsOf(dependencies, beginning, place);
  const accepted = await ifThere(() => acceptDelete(sql, callerOf(batch), kind, resourceId, options));
  return accepted ? undefined : await back();
}

/** Takes an act back by another, which its own job knows; false where there is none, or nothing left to do. */
async function actBack(
  dependencies: ControlDependencies,
  beginning: Beginning,
  place: BatchPlace,
  kind: ResourceKind,
): Promise<boolean> {
  const { batch, row } = beginning;
  const { sql } = dependencies.database;
  const back = await changeBack(sql, row.jobId);
  const type = back && typeOf(kind, back.verb);
  if (!back || !type || !isActType(type) || row.resourceId === null) return false;
  const options: AcceptOptions = { ...optionsOf(dependencies, beginning, place), onFailure: 'rollback' };
  const request = { type, body: actSchemas[type].parse(back.body) } as ActRequest;
  const { resourceId } = row;
  const catalog = await dependencies.catalog();
  return (await ifThere(() => tryAct(sql, callerOf(batch), catalog, request, resourceId, options))) !== undefined;
}

type Resolved = { readonly with: unknown } | { readonly left: string };

/** What an operation asks for, references filled in; or why it is left out. Throws `invalid` where that cannot be told. */
async function resolvedWith({ database, sealer }: ControlDependencies, { batch, row }: Beginning): Promise<Resolved> {
  const [spec, secrets] = await Promise.all([
    openSpec(sealer, row.spec, placeOfOperation(batch.id, row.id)),
    openSecrets(sealer, batch),
  ]);
  const referred = new Set(referencesIn(spec).map(({ operationId }) => operationId));
  const looked = operationsIn(row.conditions);
  const seen = await seenOperations(database.sql, batch.id, [...referred, ...looked]);
  const see = (id: string) => seen.get(id);
  if (!holds(row.conditions, see)) return { left: 'Its condition does not hold.' };
  const missing = [...referred].find((id) => see(id)?.state === 'SKIPPED');
  if (missing !== undefined) return { left: `It refers to outputs of "${missing}", which was left out.` };
  return {
    with: resolveTemplates(
      spec,
      (id) => see(id)?.outputs,
      (name) => secrets.get(name),
    ),
  };
}

/** A batch's secret variables, in clear. */
export async function openSecrets(sealer: Sealer, { id, secrets }: BatchRow): Promise<ReadonlyMap<string, string>> {
  const opened = Object.entries(secrets).map(
    async ([name, sealed]) => [name, String(await openSpec(sealer, sealed, placeOfVariable(id, name)))] as const,
  );
  return new Map(await Promise.all(opened));
}

/** Brings labels and protection of what is there to what a create asks for. */
async function change(
  dependencies: ControlDependencies,
  beginning: Beginning,
  kind: ResourceKind,
  given: unknown,
): Promise<Begun> {
  const { body } = createOf(kind, regionOf(beginning.row), given);
  const there = await found(dependencies, beginning, kind, body.name);
  const gone = Object.keys(there.labels).filter((key) => !(key in body.labels));
  const labels = { ...body.labels, ...Object.fromEntries(gone.map((key) => [key, null])) };
  return await apply(dependencies, beginning, kind, there, { labels, deletionProtection: body.deletionProtection });
}

async function update(
  dependencies: ControlDependencies,
  beginning: Beginning,
  kind: ResourceKind,
  given: unknown,
): Promise<Begun> {
  const { name, ...wanted } = checkWith(`${kind}.update`, {}, given);
  const there = await found(dependencies, beginning, kind, name);
  return await apply(dependencies, beginning, kind, there, wanted);
}

interface There {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly deletionProtection: boolean;
  readonly maintainer: { readonly name: string } | null;
}

async function found(
  { database }: ControlDependencies,
  { batch }: Beginning,
  kind: ResourceKind,
  reference: string,
): Promise<There> {
  const there = await findResource(database.sql, batch.caller.project.id, kind, reference);
  if (!there) throw new MillwrightError('not_found', `There is no ${kind} "${reference}" in this project.`);
  return there;
}

/** Changes a resource in place; what it was before is kept first, so that a rollback can put it back. */
async function apply(
  dependencies: ControlDependencies,
  beginning: Beginning,
  kind: ResourceKind,
  { id, labels, deletionProtection, maintainer }: There,
  wanted: ResourceUpdate,
): Promise<Begun> {
  const { sql } = dependencies.database;
  const { batch, row } = beginning;
  const before = {
    labels: Object.fromEntries(Object.keys(wanted.labels ?? {}).map((key) => [key, labels[key] ?? null])),
    deletionProtection,
    ...(wanted.maintainer === undefined ? {} : { maintainer: maintainer?.name ?? null }),
  };
  await keepBefore(sql, batch.id, row.id, before, id);
  await acceptUpdate(sql, callerOf(batch), kind, id, wanted);
  return await ended(dependencies, beginning, { state: 'SUCCEEDED' });
}

async function wait(dependencies: ControlDependencies, beginning: Beginning, given: unknown): Promise<Begun> {
  const { batch, row } = beginning;
  const isApproval = row.type === 'wait.approval';
  const { decision } = row;
  if (isApproval && decision) {
    if (decision.approved) {
      const outputs = decision;
      const reason = `Approved by ${decision.by}: ${decision.reason}`;
      return await ended(dependencies, beginning, { state: 'SUCCEEDED', outputs, reason });
    }
    const message = `Rejected by ${decision.by}: ${decision.reason}`;
    return await ended(dependencies, beginning, { state: 'FAILED', error: { code: 'conflict', message } });
  }
  const end = endOfWait(row, given);
  const { until, isOver } = await beginWait(dependencies.database.sql, batch.id, row.id, end);
  if (!isOver) return { wait: { until } };
  if (!isApproval) return await ended(dependencies, beginning, { state: 'SUCCEEDED', outputs: { until } });
  const message = `Nobody approved it until ${until}.`;
  return await ended(dependencies, beginning, { state: 'FAILED', error: { code: 'unavailable', message } });
}

/** When a wait ends by itself; an approval that is given no time waits for its decision alone. */
function endOfWait({ type, policy }: OperationRow, given: unknown): { seconds?: number | undefined; until?: string } {
  if (type === 'wait.for') return { seconds: checkWith(type, {}, given).duration };
  if (type === 'wait.until') return { until: checkWith(type, {}, given).time };
  return { seconds: policy.timeoutSeconds };
}

/** A deletion, or a change, of what is not there is done. */
async function ifThere<Done>(act: () => Promise<Done>): Promise<Done | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof MillwrightError && error.code === 'not_found') return undefined;
    throw error;
  }
}

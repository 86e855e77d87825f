import { resolveTemplates } from '../../src/batch/template.ts';
import { checkWith } from '../../src/batch/with.ts';
import { violatedUnique } from '../../src/db/client.ts';
import {
  type BatchRow,
  batchForWork,
  endOperation,
  jobForWork,
  markBegun,
  type OperationRow,
  operationsForWork,
  renewFailed,
  renewRollbackJob,
  skipPending,
} from '../../src/db/queries/batch-work.ts';
import { outputsFor } from '../../src/db/queries/outputs.ts';
import { hasEnded } from '../../src/domain/job.ts';
import { partsOf } from '../../src/domain/kinds.ts';
import { type ErrorInfo, MillwrightError, toErrorInfo } from '../../src/errors.ts';
import type { AcceptOptions, BatchPlace, Caller } from '../../src/requests/caller.ts';
import { acceptCreate } from '../../src/requests/create.ts';
import { createOf } from '../../src/requests/prepare.ts';
import { acceptDelete } from '../../src/requests/remove.ts';
import { openSpec, placeOfOperation } from '../../src/secrets/specs.ts';
import type { BeginOperation, Begun, ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';

/** What a batch's workflow asks of the database. */
export function batchActivities(
  dependencies: ControlDependencies,
): Pick<ControlActivities, 'loadBatch' | 'beginOperations' | 'retryOperations' | 'skipOperations'> {
  const { database } = dependencies;
  return {
    async loadBatch(batchId) {
      const operations = await operationsForWork(database.sql, batchId);
      return {
        operations: operations.map(({ id, dependsOn, state, type }) => ({
          id,
          dependsOn,
          state,
          reversible: partsOf(type).verb === 'create',
        })),
      };
    },
    async beginOperations(batchId, begin) {
      const batch = await batchForWork(database.sql, batchId);
      const rows = await operationsForWork(
        database.sql,
        batchId,
        begin.map(({ operationId }) => operationId),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return await Promise.all(begin.map((one) => beginOne(dependencies, batch, byId.get(one.operationId), one)));
    },
    retryOperations: (batchId) => renewFailed(database.sql, batchId),
    skipOperations: (batchId) => skipPending(database.sql, batchId),
  };
}

/** Begins one operation. What is wrong with it is its own end; a database that is away is tried again by Temporal. */
async function beginOne(
  dependencies: ControlDependencies,
  batch: BatchRow,
  row: OperationRow | undefined,
  { operationId, direction }: BeginOperation,
): Promise<Begun> {
  const { sealer } = dependencies;
  const { sql } = dependencies.database;
  if (!row) return { error: { code: 'not_found', message: `The batch has no operation "${operationId}".` } };
  const place: BatchPlace = {
    batchId: batch.id,
    operationId,
    jobId: direction === 'forth' ? row.jobId : await rollbackJobId(dependencies, batch, row),
    parentJobId: batch.jobId,
    workflowId: batch.workflowId,
  };
  try {
    if (!(await jobForWork(sql, sealer, place.jobId)) && !(await accept(dependencies, batch, row, direction, place))) {
      await endOperation(sql, batch.id, operationId, direction === 'forth' ? 'SUCCEEDED' : 'ROLLED_BACK', null);
      return { done: true };
    }
    const accepted = await jobForWork(sql, sealer, place.jobId);
    if (!accepted) throw new Error(`job ${place.jobId} was accepted and is not there`);
    await markBegun(sql, batch.id, operationId, direction, accepted.job.resourceId);
    const { job, checkpoint } = accepted;
    if (checkpoint.state === 'SUCCEEDED') return { done: true };
    return hasEnded(checkpoint.state) ? { error: checkpoint.error ?? unknownError } : { job };
  } catch (error) {
    if (violatedUnique(error) === 'jobs_pkey') return beginOne(dependencies, batch, row, { operationId, direction });
    if (!(error instanceof MillwrightError)) throw error;
    const info = toErrorInfo(error);
    await endOperation(sql, batch.id, operationId, direction === 'forth' ? 'FAILED' : 'ROLLBACK_FAILED', info);
    return { error: info };
  }
}

const unknownError: ErrorInfo = { code: 'internal', message: 'Failed.' };

/** The id of the job that takes an operation back; a new one where the last failed. */
async function rollbackJobId(
  { database, sealer }: ControlDependencies,
  batch: BatchRow,
  row: OperationRow,
): Promise<string> {
  const before = await jobForWork(database.sql, sealer, row.rollbackJobId);
  const failed = before && hasEnded(before.checkpoint.state) && before.checkpoint.state !== 'SUCCEEDED';
  return failed ? await renewRollbackJob(database.sql, batch.id, row.id) : row.rollbackJobId;
}

/** Accepts the job of an operation; undefined where there is nothing to be done any more. */
async function accept(
  { database, catalog, limits, sealer }: ControlDependencies,
  batch: BatchRow,
  row: OperationRow,
  direction: BeginOperation['direction'],
  place: BatchPlace,
): Promise<{ jobId: string; resourceId: string } | undefined> {
  const { sql } = database;
  const { organization, project, trail } = batch.caller;
  const actor = `batch/${batch.name}`;
  const caller: Caller = { organization, project, actor, origin: null, trail: trail ?? undefined };
  // What takes an operation back fails when it cannot: it is the batch that is then held.
  const options: AcceptOptions = {
    limits,
    sealer,
    batch: place,
    onFailure: direction === 'forth' ? batch.onFailure : 'rollback',
  };
  const { kind, verb } = partsOf(row.type);
  if (direction === 'back') {
    return row.resourceId
      ? await ifThere(() => acceptDelete(sql, caller, kind, row.resourceId ?? '', options))
      : undefined;
  }
  const outputs = await outputsFor(sql, batch.id, row.dependsOn);
  const at = {
    ...(row.region === null ? {} : { region: row.region }),
    ...(row.provider === null ? {} : { provider: row.provider }),
  };
  const spec = await openSpec(sealer, row.spec, placeOfOperation(batch.id, row.id));
  const resolved = resolveTemplates(spec, (id) => outputs.get(id));
  if (verb === 'create') return await acceptCreate(sql, caller, await catalog(), createOf(kind, at, resolved), options);
  return await ifThere(() => acceptDelete(sql, caller, kind, checkWith(`${kind}.delete`, at, resolved).name, options));
}

/** A deletion of what is not there is done. */
async function ifThere<Done>(remove: () => Promise<Done>): Promise<Done | undefined> {
  try {
    return await remove();
  } catch (error) {
    if (error instanceof MillwrightError && error.code === 'not_found') return undefined;
    throw error;
  }
}

import type { Sql } from 'postgres';
import { resolveTemplates } from '../../src/batch/template.ts';
import { checkWith } from '../../src/batch/with.ts';
import {
  type BatchRow,
  batchForWork,
  endOperation,
  graphForWork,
  jobForWork,
  jobState,
  markBegun,
  type OperationRow,
  operationsForWork,
  renewFailed,
  renewRollbackJob,
  skipPending,
} from '../../src/db/queries/batch-work.ts';
import { outputsFor } from '../../src/db/queries/outputs.ts';
import type { OperationState } from '../../src/domain/batch.ts';
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
    async loadBatch(batchId, from = 0) {
      const rows = await graphForWork(database.sql, batchId, from);
      const operations = rows.map(({ type, ...row }) => ({ ...row, reversible: partsOf(type).verb === 'create' }));
      const page = asManyAsFit(operations);
      return page.length < operations.length ? { operations: page, more: true } : { operations };
    },
    async beginOperations(batchId, begin) {
      const batch = await batchForWork(database.sql, batchId);
      const rows = await operationsForWork(
        database.sql,
        batchId,
        begin.map(({ operationId }) => operationId),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      const begun = await Promise.all(
        begin.map((one) => beginOne(dependencies, batch, byId.get(one.operationId), one)),
      );
      return asManyAsFit(begun);
    },
    retryOperations: (batchId) => renewFailed(database.sql, batchId),
    skipOperations: (batchId) => skipPending(database.sql, batchId),
  };
}

/** What an activity gives stands in one event, of 2 MB at most once it is encrypted and encoded. */
const largestAnswer = 1_000_000;

/** The first of these that fit into an answer; one at least. */
function asManyAsFit<Item>(items: readonly Item[]): Item[] {
  let left = largestAnswer;
  const tooMany = items.findIndex((item) => {
    left -= Buffer.byteLength(JSON.stringify(item));
    return left < 0;
  });
  return items.slice(0, tooMany < 0 ? items.length : Math.max(1, tooMany));
}

/**
 * Begins one operation. What is wrong with it is its own end; a database that is away is tried again by Temporal. It may
 * have been begun before, or be begun by another worker at this moment: its job's id was fixed beforehand, and the job
 * that has it is the one that goes on.
 */
async function beginOne(
  dependencies: ControlDependencies,
  batch: BatchRow,
  row: OperationRow | undefined,
  { operationId, direction }: BeginOperation,
): Promise<Begun> {
  const { sql } = dependencies.database;
  if (!row) return { error: { code: 'not_found', message: `The batch has no operation "${operationId}".` } };
  const jobId = direction === 'forth' ? row.jobId : await rollbackJobId(sql, batch, row);
  const end = async (state: OperationState, error: ErrorInfo | null): Promise<Begun> => {
    await endOperation(sql, batch.id, operationId, state, error);
    return error ? { error } : { done: true };
  };
  const failed = direction === 'forth' ? 'FAILED' : 'ROLLBACK_FAILED';
  try {
    if (!(await jobState(sql, jobId))) {
      // This word comes late: the batch has ended, or has given the operation up.
      if (batch.hasEnded || row.state === 'SKIPPED')
        return { error: { code: 'conflict', message: 'The batch has gone on.' } };
      const place = { batchId: batch.id, operationId, jobId, parentJobId: batch.jobId, workflowId: batch.workflowId };
      const accepted = await accept(dependencies, batch, row, direction, place);
      if (!accepted) return await end(direction === 'forth' ? 'SUCCEEDED' : 'ROLLED_BACK', null);
    }
  } catch (error) {
    // Another may have accepted it in the meantime; that keeps this one from being accepted, and is no fault.
    if (!(await jobState(sql, jobId))) {
      if (error instanceof MillwrightError) return await end(failed, toErrorInfo(error));
      throw error;
    }
  }
  return await goOn(dependencies, batch.id, jobId, { operationId, direction }).catch((error: unknown) => {
    if (error instanceof MillwrightError) return end(failed, toErrorInfo(error));
    throw error;
  });
}

/** A job that has been accepted, as its workflow is to go on with it. Throws where its secrets cannot be opened. */
async function goOn(
  { database, sealer }: ControlDependencies,
  batchId: string,
  jobId: string,
  { operationId, direction }: BeginOperation,
): Promise<Begun> {
  const accepted = await jobForWork(database.sql, sealer, jobId);
  if (!accepted) throw new Error(`job ${jobId} was accepted and is not there`);
  const { job, checkpoint } = accepted;
  await markBegun(database.sql, batchId, operationId, direction, job.resourceId);
  if (checkpoint.state === 'SUCCEEDED') return { done: true };
  return hasEnded(checkpoint.state) ? { error: checkpoint.error ?? unknownError } : { job };
}

const unknownError: ErrorInfo = { code: 'internal', message: 'Failed.' };

/** The id of the job that takes an operation back; a new one where the last failed. */
async function rollbackJobId(sql: Sql, batch: BatchRow, row: OperationRow): Promise<string> {
  const before = await jobState(sql, row.rollbackJobId);
  const failed = before && hasEnded(before) && before !== 'SUCCEEDED';
  return failed ? await renewRollbackJob(sql, batch.id, row.id) : row.rollbackJobId;
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

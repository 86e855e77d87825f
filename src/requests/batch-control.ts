import { isDeepStrictEqual } from 'node:util';
import type { Sql, TransactionSql } from 'postgres';
import type { BatchFile } from '../batch/file.ts';
import { insertResumption, replaceUndone } from '../db/queries/accept.ts';
import { closeAudit, openAudit } from '../db/queries/audit.ts';
import {
  type BatchTarget,
  decideApproval,
  lockApproval,
  lockBatch,
  type OperationNow,
  operationsNow,
  renewUndone,
  setPaused,
} from '../db/queries/batch-control.ts';
import { type Role, reaches, roles } from '../domain/access.ts';
import type { Act } from '../domain/audit.ts';
import type { StartableJob } from '../domain/start.ts';
import { type Fault, MillwrightError, refusedFor } from '../errors.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { openSpec, placeOfOperation } from '../secrets/specs.ts';
import { type BatchHead, batchJob, rowsOf } from './batch.ts';
import type { AcceptOptions, Caller } from './caller.ts';
import type { Catalog } from './catalog.ts';
import { asked, startOf } from './create.ts';
import { type PlannedBatch, planBatch } from './plan/plan.ts';
import type { PlannedOperation } from './plan/rows.ts';

/** What is asked of a batch, and why. */
interface Asked {
  readonly batchId: string;
  readonly reason: string;
}

const gone = (batchId: string): MillwrightError =>
  new MillwrightError('not_found', `There is no batch "${batchId}" in this project.`);

/** Locks a batch, and does what is asked of it, on record. */
async function audited<Result extends object>(
  sql: Sql,
  caller: Caller,
  { batchId, reason }: Asked,
  action: string,
  perform: (transaction: TransactionSql, batch: BatchTarget) => Promise<Result>,
): Promise<Result> {
  let result: Result | undefined;
  await sql.begin(async (transaction) => {
    const batch = await lockBatch(transaction, caller.project.id, batchId);
    if (!batch) throw gone(batchId);
    const act: Act = {
      organizationId: caller.organization.id,
      projectId: caller.project.id,
      actor: caller.actor,
      origin: caller.origin,
      action,
      resource: { kind: 'batch', id: batch.id, name: batch.name },
      jobId: batch.jobId,
      reason,
    };
    const id = await openAudit(transaction, act);
    result = await perform(transaction, batch);
    await closeAudit(transaction, id, 'SUCCEEDED');
  });
  if (!result) throw gone(batchId);
  return result;
}

/** Has a batch begin nothing more until it is resumed; what is under way goes on. One that is paused stays so. */
export const pauseBatch = (sql: Sql, caller: Caller, asked: Asked): Promise<BatchTarget> =>
  audited(sql, caller, asked, 'batch.pause', async (transaction, batch) => {
    if (batch.hasEnded)
      throw new MillwrightError('conflict', `Batch "${batch.name}" has ended: it is ${batch.jobState}.`, {
        jobId: batch.jobId,
      });
    if (batch.pausedAt === null) await setPaused(transaction, caller, batch, true);
    return batch;
  });

/** With what a batch that has ended is to go on. */
export interface Resumption {
  readonly catalog: Catalog;
  readonly options: AcceptOptions;
  /** Its head as it was accepted. */
  readonly head: BatchHead;
  /** Another file, for what is not done. */
  readonly file: BatchFile | undefined;
}

/**
 * Has a paused batch go on; one that has failed or was canceled goes on from its checkpoint, by a new job: what is done is
 * not done again, what is not done is done as its file says, or as another does. Gives the job to start, if there is one.
 */
export async function resumeBatch(
  sql: Sql,
  caller: Caller,
  request: Asked,
  { catalog, options, head, file }: Resumption,
): Promise<{ readonly batch: BatchTarget; readonly start?: StartableJob }> {
  const planned = file && (await planBatch(sql, caller, catalog, file, options.sealer));
  return await audited(sql, caller, request, 'batch.resume', async (transaction, batch) => {
    if (file && file.name !== batch.name) {
      const detail = `This file is of the batch "${file.name}", not of "${batch.name}".`;
      throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/name', detail }] });
    }
    if (!batch.hasEnded) {
      if (batch.pausedAt === null)
        throw new MillwrightError('conflict', `Batch "${batch.name}" is ${batch.jobState}, and not paused.`);
      if (file) {
        throw new MillwrightError(
          'conflict',
          `Batch "${batch.name}" has not ended: it goes on with the file that it has. Cancel it first to give it another.`,
        );
      }
      await setPaused(transaction, caller, batch, false);
      return { batch };
    }
    if (batch.jobState === 'SUCCEEDED')
      throw new MillwrightError('conflict', `Batch "${batch.name}" has SUCCEEDED: there is nothing left to do.`);
    await renewUndone(transaction, batch.id);
    if (file && planned) await replaceBy(transaction, batch, { file, planned, options });
    const generation = batch.generation + 1;
    const eventsAtMost = options.limits.batchEvents;
    const job = batchJob(caller, file ?? head, batch.id, { nothingToDo: false, eventsAtMost, generation });
    const before = { id: batch.id, name: batch.name, before: batch.jobId };
    if (!(await insertResumption(transaction, asked(caller, options), before, job)))
      throw new MillwrightError('conflict', `Batch "${batch.name}" goes on already.`);
    return { batch, start: startOf(job) };
  });
}

async function replaceBy(
  sql: TransactionSql,
  batch: BatchTarget,
  { file, planned, options }: { file: BatchFile; planned: PlannedBatch; options: AcceptOptions },
): Promise<void> {
  const done = (await operationsNow(sql, batch.id)).filter(
    ({ state }) => state === 'SUCCEEDED' || state === 'UNCHANGED',
  );
  const byId = new Map(planned.operations.map((one, position) => [one.operation.id, { ...one, position }]));
  const faults: Fault[] = [];
  for (const was of done) {
    const { id, type } = was;
    const now = byId.get(id);
    if (!now && type === 'group.join') continue;
    if (now?.operation.type !== type) {
      const detail = `Operation "${id}" (${type}) is done, and this file does not have it.`;
      faults.push({ pointer: '/operations', detail });
    } else if (!(await isAsDone(options.sealer, batch.id, was, now))) {
      const detail = `Operation "${id}" is done, and this file would have it otherwise. Apply the file anew to change what is done.`;
      faults.push({ pointer: `/operations/${now.position}`, detail });
    }
  }
  if (faults.length > 0) {
    throw refusedFor('conflict', faults);
  }
  const { parallelLimit, onFailure, limits } = file;
  const rows = await rowsOf(options.sealer, batch.id, file, planned.operations);
  await replaceUndone(sql, { id: batch.id, parallelLimit, onFailure, limits, planHash: planned.plan.hash, ...rows });
}

/**
 * Whether what is done is what the file asks for. Of a resource its plan says so; what leaves nothing to compare with (a
 * deletion, a call, a wait) has to be asked for in the same words.
 */
async function isAsDone(
  sealer: Sealer,
  batchId: string,
  { id, spec }: OperationNow,
  { operation, action }: PlannedOperation,
): Promise<boolean> {
  if (/\.(create|update)$/.test(operation.type)) return action === 'none';
  const asked: unknown = JSON.parse(JSON.stringify(operation.with));
  return isDeepStrictEqual(await openSpec(sealer, spec, placeOfOperation(batchId, id)), asked);
}

/** Who decides an approval, and what. */
interface Decision extends Asked {
  readonly operationId: string;
  readonly approved: boolean;
  /** What the one who decides may do in the project. */
  readonly role: Role | undefined;
}

/** Decides an operation that waits for somebody's approval, once. */
export const decide = (
  sql: Sql,
  caller: Caller,
  { operationId, approved, role, ...request }: Decision,
): Promise<BatchTarget> =>
  audited(sql, caller, request, approved ? 'batch.approve' : 'batch.reject', async (transaction, batch) => {
    const approval = await lockApproval(transaction, batch.id, operationId);
    if (!approval) {
      throw new MillwrightError('not_found', `Batch "${batch.name}" has no operation "${operationId}".`);
    }
    const { type, state, decided } = approval;
    if (type !== 'wait.approval')
      throw new MillwrightError('conflict', `Operation "${operationId}" is a ${type}: it asks for no approval.`);
    if (state !== 'WAITING' || decided || batch.hasEnded) {
      const why = decided ? 'has been decided already' : `is ${state}, and does not wait for a decision`;
      throw new MillwrightError('conflict', `Operation "${operationId}" ${why}.`);
    }
    const needed = roleOf(approval.role);
    if (needed && !reaches(role, needed)) {
      throw new MillwrightError('forbidden', `Operation "${operationId}" is to be decided by the role "${needed}".`);
    }
    await decideApproval(transaction, batch.id, operationId, { approved, by: caller.actor, reason: request.reason });
    return batch;
  });

const roleOf = (name: string | null): Role | undefined => roles.find((role) => role === name);

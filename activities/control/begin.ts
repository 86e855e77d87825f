import type { Sql } from 'postgres';
import {
  type BatchRow,
  batchForWork,
  markBegun,
  type OperationRow,
  operationsForWork,
  renewRollbackJob,
} from '../../src/db/queries/batch-work.ts';
import { hasEnded } from '../../src/domain/job.ts';
import { kindOf } from '../../src/domain/kinds.ts';
import { type ErrorInfo, MillwrightError, toErrorInfo } from '../../src/errors.ts';
import type { BeginOperation, Begun } from '../types.ts';
import { acceptedJob, acceptUnlessThere, hostedBy } from './accepted.ts';
import { createTogether } from './begin-creates.ts';
import { type Beginning, beginBack, beginForth, ended, placeOf } from './begin-one.ts';
import type { ControlDependencies } from './index.ts';

interface Asked {
  readonly batchId: string;
  readonly begin: readonly BeginOperation[];
  /** The workflow that will host what is begun; the batch's newest where it is left out. */
  readonly host: string | undefined;
}

/**
 * Begins operations whose turn has come. Creates that have nothing special about them are accepted together, in one
 * statement for each kind; the others one by one, and so are creates of which one is refused, so that each gets its own answer.
 */
export async function beginAll(dependencies: ControlDependencies, { batchId, begin, host }: Asked): Promise<Begun[]> {
  const { sql } = dependencies.database;
  const batch = await batchForWork(sql, batchId);
  const ids = begin.map(({ operationId }) => operationId);
  const rows = new Map((await operationsForWork(sql, batchId, ids)).map((row) => [row.id, row]));
  const beginnings = begin.flatMap(({ operationId, direction }) => {
    const row = rows.get(operationId);
    return row ? [{ batch, row, direction, host: host ?? batch.workflowId }] : [];
  });
  const together = await createTogether(dependencies, beginnings);
  const begun = await Promise.all(
    beginnings.map(
      async (one) => [one.row.id, together.get(one.row.id) ?? (await beginOne(dependencies, one))] as const,
    ),
  );
  const answers = new Map<string, Begun>(begun);
  return ids.map(
    (id) => answers.get(id) ?? { error: { code: 'not_found', message: `The batch has no operation "${id}".` } },
  );
}

/**
 * Begins one operation. What is wrong with it is its own end; a database that is away is tried again by Temporal. It may
 * have been begun before, or be begun by another worker at this moment: its job's id was fixed beforehand, and the job
 * that has it is the one that goes on.
 */
async function beginOne(dependencies: ControlDependencies, beginning: Beginning): Promise<Begun> {
  const { sql } = dependencies.database;
  const { batch, row, direction } = beginning;
  const jobId = direction === 'forth' ? row.jobId : await rollbackJobId(sql, batch, row);
  const failed = direction === 'forth' ? 'FAILED' : 'ROLLBACK_FAILED';
  const refuse = (error: MillwrightError): Promise<Begun> =>
    ended(dependencies, beginning, { state: failed, error: toErrorInfo(error) });
  try {
    if (!hasJob(row, direction)) {
      const place = placeOf(beginning, jobId);
      const begin = direction === 'forth' ? beginForth : beginBack;
      const plain = await acceptUnlessThere(sql, jobId, () => begin(dependencies, beginning, place));
      if (plain) return plain;
    }
    return await goOn(dependencies, beginning, jobId);
  } catch (error) {
    if (error instanceof MillwrightError) return await refuse(error);
    throw error;
  }
}

const hasJob = ({ jobState, rollbackJobState }: OperationRow, direction: BeginOperation['direction']): boolean =>
  direction === 'forth' ? jobState !== null : rollbackJobState !== null && !hasFailedBack(rollbackJobState);

const hasFailedBack = (state: NonNullable<OperationRow['rollbackJobState']>): boolean =>
  hasEnded(state) && state !== 'SUCCEEDED';

/** An operation whose job has been accepted. Throws where its secrets cannot be opened. */
async function goOn(
  dependencies: ControlDependencies,
  { batch, row, direction, host }: Beginning,
  jobId: string,
): Promise<Begun> {
  const accepted = await acceptedJob(dependencies, jobId);
  const { job, checkpoint } = accepted;
  await markBegun(dependencies.database.sql, batch.id, row.id, direction, kindOf(row.type) ? job.resourceId : null);
  if (checkpoint.state === 'SUCCEEDED') return { done: true };
  if (hasEnded(checkpoint.state)) return { error: checkpoint.error ?? unknownError };
  return { job: await hostedBy(dependencies, accepted, host) };
}

const unknownError: ErrorInfo = { code: 'internal', message: 'Failed.' };

/** The id of the job that takes an operation back; a new one where the last failed. */
async function rollbackJobId(sql: Sql, batch: BatchRow, row: OperationRow): Promise<string> {
  const before = row.rollbackJobState;
  return before && hasFailedBack(before) ? await renewRollbackJob(sql, batch.id, row.id) : row.rollbackJobId;
}

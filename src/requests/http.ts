import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { jobWorkflowId } from '../../temporal/names.ts';
import { insertHttp, type NewJob } from '../db/queries/accept.ts';
import type { HttpSpec } from '../domain/job.ts';
import { httpType } from '../domain/kinds.ts';
import { sealInput } from '../secrets/specs.ts';
import type { AcceptOptions, Caller } from './caller.ts';
import { asked, inputOf } from './create.ts';

interface CalledFrom {
  readonly region: string;
  /** Goes with the call as its Idempotency-Key. */
  readonly key: string;
}

/** Accepts an HTTP request of a batch: a job whose resource is the batch itself. */
export async function acceptHttp(
  sql: Sql,
  caller: Caller,
  { id: batchId, name }: { readonly id: string; readonly name: string },
  { region, key }: CalledFrom,
  spec: HttpSpec,
  options: AcceptOptions,
): Promise<void> {
  const { batch, sealer } = options;
  const id = batch?.jobId ?? newId();
  const resource = { resourceId: batchId, resourceName: name, key, provider: 'http', region };
  const input = inputOf(caller, { id, type: httpType, ...resource, spec }, options);
  const job: NewJob = {
    id,
    type: httpType,
    workflowId: batch?.workflowId ?? jobWorkflowId(httpType, name, id),
    input: await sealInput(sealer, 'http', id, input),
    batchId,
    operationId: batch?.operationId ?? null,
    parentJobId: batch?.parentJobId ?? null,
  };
  await insertHttp(sql, asked(caller, options), { id: batchId, name }, { ...job, region });
}

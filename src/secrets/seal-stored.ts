import type { Sql } from 'postgres';
import {
  createJobsAfter,
  operationsAfter,
  replaceJobInput,
  replaceOperationSpec,
  replaceUserDataHash,
} from '../db/queries/unsealed.ts';
import { operationTypes, partsOf, resourceKinds } from '../domain/kinds.ts';
import { secretsOf } from './fields.ts';
import type { Sealer } from './sealer.ts';
import { openInput, placeOfOperation, sealInput, sealSpec, veiled } from './specs.ts';

const atOnce = 500;
const firstId = '00000000-0000-0000-0000-000000000000';
const kinds = resourceKinds.filter((kind) => secretsOf[kind].length > 0);

/**
 * Seals what a release before sealing stored in clear, once all processes are of a release that opens it. May run while
 * the platform does, and any number of times. Gives how many rows it sealed.
 */
export async function sealStored(sql: Sql, sealer: Sealer): Promise<number> {
  return (await sealJobs(sql, sealer)) + (await sealOperations(sql, sealer));
}

async function sealJobs(sql: Sql, sealer: Sealer): Promise<number> {
  let [sealed, after] = [0, firstId];
  for (;;) {
    const jobs = await createJobsAfter(sql, kinds, after, atOnce);
    for (const { id, kind, resourceId, input } of jobs) {
      after = id;
      const stored = await sealInput(sealer, kind, id, input);
      if (stored !== input) {
        await replaceJobInput(sql, id, stored);
        sealed += 1;
      }
      const clear = await openInput(sealer, id, input);
      if (kind !== 'vm' || !('spec' in clear)) continue;
      const { userData } = Object(await veiled(sealer, kind, Object(clear.spec)));
      await replaceUserDataHash(sql, resourceId, userData);
    }
    if (jobs.length < atOnce) return sealed;
  }
}

async function sealOperations(sql: Sql, sealer: Sealer): Promise<number> {
  let sealed = 0;
  let after = { batchId: firstId, id: '' };
  for (;;) {
    const operations = await operationsAfter(sql, kinds, after, atOnce);
    for (const { batchId, id, type, spec } of operations) {
      after = { batchId, id };
      const known = operationTypes.find((candidate) => candidate === type);
      if (!known) continue;
      const stored = await sealSpec(sealer, partsOf(known).kind, spec, placeOfOperation(batchId, id));
      if (stored === spec) continue;
      await replaceOperationSpec(sql, after, Object(stored));
      sealed += 1;
    }
    if (operations.length < atOnce) return sealed;
  }
}

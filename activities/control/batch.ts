import {
  batchNow,
  endedAmong,
  graphForWork,
  hostOfBatch,
  moveBatch,
  renewFailed,
  skipPending,
} from '../../src/db/queries/batch-work.ts';
import { isReversible } from '../../src/domain/acts.ts';
import { httpType, isActType, isOperationType, partsOf } from '../../src/domain/kinds.ts';
import type { BatchGraph, ControlActivities } from '../types.ts';
import { beginAll } from './begin.ts';
import type { ControlDependencies } from './index.ts';

type BatchActivity =
  | 'loadBatch'
  | 'beginOperations'
  | 'retryOperations'
  | 'skipOperations'
  | 'lookAtBatch'
  | 'handOver'
  | 'newestHost'
  | 'endedOperations';

/** What a batch's workflow asks of the database. */
export function batchActivities(dependencies: ControlDependencies): Pick<ControlActivities, BatchActivity> {
  const { sql } = dependencies.database;
  return {
    async loadBatch(batchId, from = 0) {
      const rows = await graphForWork(sql, batchId, from);
      const page = asManyAsFit(rows.map(nodeOf));
      return page.length < rows.length ? { operations: page, more: true } : { operations: page };
    },
    async beginOperations(batchId, begin, host) {
      return asManyAsFit(await beginAll(dependencies, { batchId, begin, host }));
    },
    retryOperations: (batchId) => renewFailed(sql, batchId),
    skipOperations: (batchId) => skipPending(sql, batchId),
    lookAtBatch: (batchId) => batchNow(sql, batchId),
    handOver: (batchId, generation, workflowId) => moveBatch(sql, batchId, generation, workflowId),
    newestHost: (batchId) => hostOfBatch(sql, batchId),
    async endedOperations(batchId, operationIds, direction) {
      const rows = await endedAmong(sql, batchId, operationIds, direction);
      return rows.flatMap(({ id, state, error, leftovers }) =>
        state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELED'
          ? [{ operationId: id, state, leftovers, ...(error ? { error } : {}) }]
          : [],
      );
    },
  };
}

type Row = Awaited<ReturnType<typeof graphForWork>>[number];

/** An operation as the workflow decides by it. What says nothing is left out: a graph of ten thousand is to be carried. */
function nodeOf({ id, type, action, dependsOn, softDependsOn, onFailure, hasUndo, state, error, left }: Row) {
  const creates = isOperationType(type) && partsOf(type).verb === 'create';
  const acts = isActType(type) && isReversible(type);
  const changes = (action === 'change' && !isActType(type)) || type.endsWith('.update');
  const node: BatchGraph['operations'][number] = {
    id,
    dependsOn,
    state,
    // What replaced another stays: the one before cannot be given back.
    reversible: (creates && action !== 'replace') || acts || changes || (type === httpType && hasUndo),
    ...(softDependsOn.length > 0 ? { softDependsOn } : {}),
    ...(onFailure ? { onFailure } : {}),
    ...(error ? { error } : {}),
    ...(left ? { left } : {}),
  };
  return node;
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

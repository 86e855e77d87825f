import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { MillwrightError } from '../src/errors.ts';
import { controlQueue, searchAttributes } from './names.ts';

const types = {
  Keyword: proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Bool: proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
};
const retention = '30 days';
/** Temporal's services learn of a new namespace one after the other, within seconds. */
const visibleWithinMs = 20_000;
const grpc = { notFound: 5, alreadyExists: 6, permissionDenied: 7 };

const failedWith = (error: unknown, code: number): boolean => isGrpcServiceError(error) && error.code === code;

/** Makes sure that the namespace is there and knows our search attributes; both may be there already. */
export async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  await registerIfMissing(connection, namespace);
  const deadline = Date.now() + visibleWithinMs;
  for (;;) {
    try {
      await addSearchAttributes(connection, namespace);
      // Workers are told of a namespace later than others; one that polls too early gives up.
      await connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: controlQueue } });
      return;
    } catch (error) {
      if (!failedWith(error, grpc.notFound) || Date.now() > deadline) throw error;
      await pause(100);
    }
  }
}

async function registerIfMissing(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (!failedWith(error, grpc.notFound)) throw error;
    await connection.workflowService
      .registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs(retention) })
      .catch((other: unknown) => {
        if (!failedWith(other, grpc.alreadyExists)) throw other;
      });
  }
}

async function addSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(searchAttributes).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, types[type]])),
    });
  } catch (cause) {
    if (failedWith(cause, grpc.alreadyExists)) return;
    if (failedWith(cause, grpc.notFound)) throw cause;
    const list = missing.map(([name, type]) => `${name} (${type})`).join(', ');
    throw new MillwrightError(
      'unavailable',
      `The Temporal namespace "${namespace}" lacks the search attributes ${list}, and they could not be added. Add them with "temporal operator search-attribute create".`,
      { cause },
    );
  }
}

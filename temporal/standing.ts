import type { Info } from '@temporalio/activity';
import { type Client, isGrpcServiceError } from '@temporalio/client';

/** An answer that takes longer says nothing any more. */
const patienceMs = 1500;
/** Status code of gRPC. */
const notFound = 5;

/**
 * Asks Temporal whether an attempt is still its own. The SDK's heartbeat does not tell: it is sent later, in batches, and
 * its answer comes later still.
 */
export async function standingOf(client: Client, { taskToken }: Info): Promise<'wanted' | 'canceled' | 'gone'> {
  try {
    const { cancelRequested } = await client.withDeadline(Date.now() + patienceMs, () =>
      client.workflowService.recordActivityTaskHeartbeat({ namespace: client.options.namespace, taskToken }),
    );
    return cancelRequested ? 'canceled' : 'wanted';
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === notFound) return 'gone';
    throw error;
  }
}

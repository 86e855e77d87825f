import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** The least that a durable act can be: the peer of a job. */
export async function bare(): Promise<void> {
  await nothing();
}

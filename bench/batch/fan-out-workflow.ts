import { proxyActivities } from '@temporalio/workflow';
import type { FanOut } from './peer.ts';

const { makeVolume } = proxyActivities<{ makeVolume(run: string, index: number): Promise<string> }>({
  startToCloseTimeout: '1 minute',
});

/** The least that a durable fan-out of activities can be: the peer of a batch. */
export async function fanOut({ run, operations, parallelLimit }: FanOut): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: parallelLimit }, async () => {
      while (next < operations) await makeVolume(run, next++);
    }),
  );
}

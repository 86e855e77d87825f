import type { Worker } from '@temporalio/worker';
import type { RunningRole } from '../src/role.ts';

/** Runs a worker as a role: `stop` lets it finish what it has begun, then closes what it used. */
export function runWorker(worker: Worker, close: () => Promise<void>): RunningRole {
  const ended = worker.run().finally(close);
  ended.catch(() => undefined);
  return {
    ended,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

import type { Client } from '@temporalio/client';
import type { StartableJob } from '../src/domain/start.ts';
import { jobFields, type Logger } from '../src/log.ts';
import { startJob } from '../temporal/client.ts';

const atOnce = 16;
/** Beyond this many the dispatcher, which finds them in the database, is as quick. */
const waitingAtMost = 5000;

/** A start that takes longer is left to the dispatcher. */
const patienceMs = 5000;

/** Starts workflows after the commit without keeping the answer waiting; what fails here the dispatcher starts. */
export function createStarter(
  client: Client,
  log: Logger,
): { start: (job: StartableJob) => void; stop(): Promise<void> } {
  const waiting: StartableJob[] = [];
  const underWay = new Set<Promise<void>>();

  function fill(): void {
    while (underWay.size < atOnce) {
      const job = waiting.shift();
      if (!job) return;
      const started: Promise<void> = client
        .withDeadline(Date.now() + patienceMs, () => startJob(client, job))
        .then(
          (isNew) => {
            if (isNew) log.info(jobFields(job), 'workflow started');
          },
          (error: unknown) => log.warn({ err: error, ...jobFields(job) }, 'the start is left to the dispatcher'),
        )
        .finally(() => {
          underWay.delete(started);
          fill();
        });
      underWay.add(started);
    }
  }

  return {
    start: (job) => {
      log.info(jobFields(job), 'job accepted');
      if (waiting.length < waitingAtMost) waiting.push(job);
      fill();
    },
    stop: async () => {
      waiting.length = 0;
      await Promise.all(underWay);
    },
  };
}

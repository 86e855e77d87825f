import { isDatabaseAway } from '../src/db/client.ts';
import { overdueJobs } from '../src/db/queries/dispatch.ts';
import { jobFields, type Logger } from '../src/log.ts';
import { openInput } from '../src/secrets/specs.ts';
import { isTemporalAway } from '../temporal/away.ts';
import { startJob } from '../temporal/client.ts';
import type { Hosting } from '../temporal/revive.ts';
import { repeat } from './repeat.ts';

const everyMs = 1000;
/** The API starts a job right after its commit; one that is still pending after this long was left by a crash. */
const overdueSeconds = 2;
const atOnce = 1000;
/** A started job may stay pending while the workers are busy; it is left alone for this long. */
const againAfterMs = 30_000;

/** Starts what a crash between commit and start left pending, and what the API left for later under load. */
export function startDispatcher({ sql, client, sealer }: Hosting, log: Logger): { stop(): Promise<void> } {
  const startedAt = new Map<string, number>();

  async function dispatch(signal: AbortSignal): Promise<void> {
    const now = Date.now();
    for (const [id, at] of startedAt) {
      if (now - at > againAfterMs) startedAt.delete(id);
    }
    for (const job of await overdueJobs(sql, overdueSeconds, atOnce, [...startedAt.keys()])) {
      if (signal.aborted) return;
      try {
        if (await startJob(client, { ...job, input: await openInput(sealer, job.id, job.input) }))
          log.info(jobFields(job), 'workflow started: its job had been left pending');
      } catch (error) {
        if (isDatabaseAway(error) || isTemporalAway(error)) throw error;
        // One that cannot be opened or started keeps no other waiting.
        log.error({ err: error, jobId: job.id }, 'a pending job cannot be started');
      }
      startedAt.set(job.id, now);
    }
  }

  return repeat('starting what is pending', everyMs, log, dispatch);
}

import { isDatabaseAway } from '../src/db/client.ts';
import { overdueJobs, pendingJob } from '../src/db/queries/dispatch.ts';
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
    for await (const id of overdue()) {
      if (signal.aborted) return;
      await start(id);
      startedAt.set(id, now);
    }
  }

  /** By pages, past those that were started a while ago. */
  async function* overdue(): AsyncGenerator<string> {
    let page = await overdueJobs(sql, overdueSeconds, atOnce, undefined);
    for (let left = atOnce; page.length > 0; ) {
      for (const { id } of page) {
        if (startedAt.has(id)) continue;
        yield id;
        left -= 1;
        if (left === 0) return;
      }
      page = page.length < atOnce ? [] : await overdueJobs(sql, overdueSeconds, atOnce, page.at(-1));
    }
  }

  async function start(id: string): Promise<void> {
    try {
      const job = await pendingJob(sql, id);
      if (job && (await startJob(client, { ...job, input: await openInput(sealer, id, job.input) })))
        log.info(jobFields(job), 'workflow started: its job had been left pending');
    } catch (error) {
      if (isDatabaseAway(error) || isTemporalAway(error)) throw error;
      // One that cannot be opened or started keeps no other waiting.
      log.error({ err: error, jobId: id }, 'a pending job cannot be started');
    }
  }

  return repeat('starting what is pending', everyMs, log, dispatch);
}

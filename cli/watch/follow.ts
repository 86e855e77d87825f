import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { BatchBasic } from '../../src/domain/batch.ts';
import { hasEnded, type JobEvent, type JobView } from '../../src/domain/job.ts';
import { MillwrightError } from '../../src/errors.ts';
import { ConnectionError, Exit } from '../errors.ts';
import type { Session } from '../session.ts';
import { type Display, openDisplay, silentDisplay } from './display.ts';
import { withStillness } from './stillness.ts';

export type FollowMode = 'wait' | 'watch';

/** Between one look at a batch and the next: what is shown of it is a screenful, not what its events tell one by one. */
const lookMs = 1000;

/**
 * Follows jobs until each has ended, or is held so that it will not end without a decision. Gives them as they then are.
 * Ctrl-C ends the following, never the jobs.
 */
export async function follow(session: Session, jobs: readonly JobView[], mode: FollowMode): Promise<JobView[]> {
  const interrupted = session.context.catchInterrupt();
  const stopped = new AbortController();
  const signal = AbortSignal.any([interrupted, stopped.signal]);
  const batch = mode === 'watch' ? await shownBatch(session, jobs) : undefined;
  const display = mode === 'watch' ? openDisplay(session, jobs, batch) : silentDisplay(session);
  const again = jobs.map(({ id }) => `  ${session.command(`job watch ${id}`)}`).join('\n');
  const goesOn = `${jobs.length === 1 ? 'The job goes' : 'The jobs go'} on without us. Watch again with:\n${again}`;
  try {
    const looking = batch && keepLooking(session, batch.id, display, signal);
    const ended = await Promise.all(jobs.map((job) => followOne(session, job, display, signal)));
    stopped.abort();
    await looking;
    if (!interrupted.aborted) return ended;
  } catch (error) {
    if (error instanceof ConnectionError)
      throw new MillwrightError(error.code, `${error.message}\n${goesOn}`, { cause: error });
    throw error;
  } finally {
    stopped.abort();
    display.close();
  }
  session.talk(goesOn);
  throw new Exit(exitCodeOf(interrupted.reason));
}

async function followOne(session: Session, job: JobView, display: Display, signal: AbortSignal): Promise<JobView> {
  if (hasEnded(job.state)) return job;
  const left = new AbortController();
  try {
    await untilItRests(session, job, display, AbortSignal.any([signal, left.signal]));
  } finally {
    left.abort();
  }
  return signal.aborted ? job : await session.client.job(job.id);
}

/** Returns when the job has ended, or waits for a decision. */
async function untilItRests(session: Session, job: JobView, display: Display, signal: AbortSignal): Promise<void> {
  const { client, context } = session;
  const held = new Set<string>();
  const events = client.events(job.id, signal, (why) => display.say(`${why} Trying again.`));
  for await (const event of withStillness(events, context.patience.stillMs)) {
    if (event === 'still') {
      if (held.size > 0 && (await isStuck(session, job))) return;
      continue;
    }
    display.event(event);
    noteHeld(held, event);
    // The event may be an old one, of a job that was settled since.
    if (event.jobId === job.id && event.state === 'HELD' && (await client.job(job.id)).state === 'HELD') return;
  }
}

function noteHeld(held: Set<string>, { jobId, state }: JobEvent): void {
  if (state === 'HELD') held.add(jobId);
  else held.delete(jobId);
}

/** Whether an operation is held and no other is under way, so that the batch waits for a decision and nothing else. */
async function isStuck({ client }: Session, { resource }: JobView): Promise<boolean> {
  const any = async (state: string): Promise<boolean> =>
    (await client.jobs({ batch: resource.id, state, resource: undefined }, 1)).length > 0;
  const [held, ...moving] = await Promise.all([any('HELD'), any('PENDING'), any('RUNNING'), any('RETRYING')]);
  return held === true && !moving.includes(true);
}

/** The batch that a terminal is to show. */
async function shownBatch({ client, context }: Session, jobs: readonly JobView[]): Promise<BatchBasic | undefined> {
  const [job] = jobs;
  if (!context.io.terminal || jobs.length > 1 || job?.type !== 'batch.apply') return undefined;
  return await client.oneBatch.basic(job.resource.id);
}

/** Keeps the display right about a batch, until the signal and then once more; one that takes long to read is looked at less often. */
async function keepLooking({ client }: Session, batchId: string, display: Display, signal: AbortSignal): Promise<void> {
  for (let tookMs = 0; ; ) {
    const startedAt = Date.now();
    const isLast = signal.aborted;
    await client.oneBatch.basic(batchId).then(display.batch, () => undefined);
    if (isLast) return;
    tookMs = Date.now() - startedAt;
    await pause(Math.max(lookMs, 10 * tookMs), undefined, { signal }).catch(() => undefined);
  }
}

/** As shells say it: 130 after Ctrl-C. */
function exitCodeOf(reason: unknown): number {
  const [, number = constants.signals.SIGINT] =
    Object.entries(constants.signals).find(([name]) => name === reason) ?? [];
  return 128 + number;
}

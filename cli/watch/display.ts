import type { BatchBasic } from '../../src/domain/batch.ts';
import { hasEnded, type JobEvent, type JobView } from '../../src/domain/job.ts';
import type { Session } from '../session.ts';
import { eventLine } from './event-line.ts';
import { openLive } from './live.ts';

/** Where the events of a job are shown. */
export interface Display {
  event(event: JobEvent): void;
  /** What is known of the batch beside its events. */
  batch(batch: BatchBasic): void;
  /** A line that stays. */
  say(line: string): void;
  close(): void;
}

/** In place on a terminal, where the batch has to be known; elsewhere a line for each event. */
export function openDisplay(session: Session, jobs: readonly JobView[], batch?: BatchBasic): Display {
  const { terminal } = session.context.io;
  if (terminal) return openLive(session, terminal, jobs, batch);
  const once = errorsOnce();
  return { ...silentDisplay(session), event: (event) => session.talk(eventLine(once(event))) };
}

/** Leaves an error out of the events that only carry it on, as those of a rollback do. */
function errorsOnce(): (event: JobEvent) => JobEvent {
  const said = new Map<string, string>();
  return (event) => {
    const { jobId, state, error } = event;
    const isNews = error === null || said.get(jobId) !== error.message || hasEnded(state) || state === 'HELD';
    if (error) said.set(jobId, error.message);
    return isNews ? event : { ...event, error: null };
  };
}

/** For `--wait`: only what has to be known is said. */
export const silentDisplay = ({ talk }: Session): Display => ({ event() {}, batch() {}, say: talk, close() {} });

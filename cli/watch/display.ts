import type { BatchDetail } from '../../src/domain/batch.ts';
import type { JobEvent, JobView } from '../../src/domain/job.ts';
import type { Session } from '../session.ts';
import { eventLine } from './event-line.ts';
import { openLive } from './live.ts';

/** Where the events of a job are shown. */
export interface Display {
  event(event: JobEvent): void;
  /** What is known of the batch beside its events. */
  batch(batch: BatchDetail): void;
  /** A line that stays. */
  say(line: string): void;
  close(): void;
}

/** In place on a terminal, where the batch has to be known; elsewhere a line for each event. */
export function openDisplay(session: Session, jobs: readonly JobView[], batch?: BatchDetail): Display {
  const { terminal } = session.context.io;
  if (terminal) return openLive(session, terminal, jobs, batch);
  return { ...silentDisplay(session), event: (event) => session.talk(eventLine(event)) };
}

/** For `--wait`: only what has to be known is said. */
export const silentDisplay = ({ talk }: Session): Display => ({ event() {}, batch() {}, say: talk, close() {} });

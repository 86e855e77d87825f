import type { Config } from './config/index.ts';
import type { Logger } from './log.ts';

/** A role that has started: it can be stopped, and tells when it died by itself. */
export interface RunningRole {
  /** Takes nothing new, sees what is in flight through, closes. May be called more than once. */
  stop(): Promise<void>;
  /** Rejects when the role can no longer do its work; resolves after `stop`. */
  readonly ended: Promise<void>;
}

/** Starts a role; resolves when it is ready for work. */
export type StartRole = (config: Config, log: Logger) => Promise<RunningRole>;

import { setTimeout as pause } from 'node:timers/promises';
import { MillwrightError } from '../errors.ts';

export interface WaitOptions {
  /** What is waited for, as the error ends: "PostgreSQL to answer on port 7403". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  /** Ends the wait early, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tries until `attempt` gives a value. What it throws counts as "not yet"; the last of it ends the wait if it is an error
 * for people, else it is the cause of the `unavailable` error that does.
 */
export async function until<T>(
  attempt: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    let cause: unknown;
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) {
      if (cause instanceof MillwrightError) throw cause;
      throw new MillwrightError('unavailable', `Waited ${options.timeoutMs / 1000} s in vain for ${options.what}.`, {
        cause,
      });
    }
    await pause(options.intervalMs ?? 25);
  }
}

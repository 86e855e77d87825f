import { setTimeout as pause } from 'node:timers/promises';

/** Asks until there is an answer; a deadline makes the wait a failure that says what it waited for. */
export async function until<Value>(
  what: string | (() => string),
  ask: () => Promise<Value | undefined | false>,
  deadlineMs = 60_000,
): Promise<Value> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end)
      throw new Error(`waited ${deadlineMs} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await pause(20);
  }
}

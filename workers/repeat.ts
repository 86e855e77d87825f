import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../src/log.ts';

/** Does something again and again until it is stopped, with this pause between; what throws is logged and tried again. */
export function repeat(
  what: string,
  everyMs: number,
  log: Logger,
  act: (signal: AbortSignal) => Promise<void>,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = run();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await act(stopping.signal).catch((error: unknown) => log.warn({ err: error }, `${what} failed; it tries again`));
      await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

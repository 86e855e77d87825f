import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from '../src/log.ts';

let installed = false;

/**
 * Temporal has one runtime a process, whichever role asks first: its log lines go where ours go, its heartbeat tells
 * operators every few seconds that this worker lives, and signals are left to the role, which stops in its own order.
 */
export function installRuntime(log: Logger): void {
  if (installed) return;
  installed = true;
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => log[levels[level]]({ ...meta }, message)),
    shutdownSignals: [],
    workerHeartbeatInterval: '5s',
  });
}

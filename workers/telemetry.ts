import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from '../src/log.ts';
import { freePorts } from '../src/platform/ports.ts';

/** Prometheus' text of what Temporal's SDK measures in this process; empty where it cannot be had. */
type SdkMetrics = () => Promise<string>;

let installed: Promise<SdkMetrics> | undefined;

/**
 * Temporal has one runtime a process, whichever role asks first: its log lines go where ours go, its heartbeat tells
 * operators every few seconds that this worker lives, and signals are left to the role, which stops in its own order.
 */
export function installRuntime(log: Logger): Promise<SdkMetrics> {
  installed ??= install(log);
  return installed;
}

async function install(log: Logger): Promise<SdkMetrics> {
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => log[levels[level]]({ ...meta }, message)),
    shutdownSignals: [],
    workerHeartbeatInterval: '5s',
    telemetryOptions: { metrics: { prometheus: { bindAddress: address, useSecondsForDurations: true } } },
  });
  return async () => {
    const answer = await fetch(`http://${address}/metrics`).catch(() => undefined);
    return answer?.ok ? await answer.text() : '';
  };
}

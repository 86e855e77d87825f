import { readConfig } from '../src/config/index.ts';
import { createLogger } from '../src/log.ts';
import type { RunningRole, StartRole } from '../src/role.ts';
import { startTracing } from '../src/telemetry/start-tracing.ts';
import { onEndRequest } from './interrupt.ts';

/** A role that has not stopped by then is ended: nobody else would do it where the supervisor is gone. */
const stopTimeoutMs = 15_000;

/**
 * Runs a role until it is asked to end, and then exits with 0; with 1 when it cannot start or dies by itself. Under a
 * supervisor it says on the IPC channel that it is ready, leaves Ctrl-C to the supervisor, and ends with it.
 */
export async function runRole(name: string, start: StartRole): Promise<void> {
  const config = readConfig();
  const log = createLogger(name, config.MILLWRIGHT_LOG_LEVEL);
  const supervised = process.send !== undefined;
  let running: RunningRole | undefined;
  let ending = false;
  let stopTracing = async (): Promise<void> => undefined;

  function fail(error: unknown): never {
    log.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    process.exit(1);
  }

  async function end(reason: string): Promise<void> {
    if (ending) return;
    ending = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => fail(new Error(`${name} did not stop within ${stopTimeoutMs / 1000} s`)), stopTimeoutMs);
    await running?.stop().catch(fail);
    await stopTracing();
    log.info('stopped');
    process.exit(0);
  }

  if (supervised) {
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => void end('SIGTERM'));
    process.on('disconnect', () => void end('the supervisor is gone'));
  } else {
    onEndRequest(
      (signal) => void end(signal),
      () => process.exit(130),
    );
  }

  try {
    stopTracing = await startTracing(config, name);
    running = await start(config, log);
    log.info('ready');
    process.send?.({ ready: true });
    await running.ended;
    if (!ending) fail(new Error(`${name} ended by itself`));
  } catch (error) {
    if (!ending) fail(error);
  }
}

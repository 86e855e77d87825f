import { setTimeout as pause } from 'node:timers/promises';
import { MillwrightError } from '../errors.ts';
import { type Child, describeExit, type Exit } from './child.ts';
import { type Identity, identify } from './identity.ts';
import { lastWords } from './logs.ts';
import { launch, type Service } from './service.ts';
import type { RoleState, RoleStatus } from './status.ts';

const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A child that has worked for so long is healthy: its next death is the first of a row again. */
const healthyMs = 30_000;
/** So often may a service die before it was ever ready. */
const triesBeforeReady = 5;

/** A service that is started again whenever it dies. */
export interface Supervised {
  /** Resolves when it is ready for the first time; rejects when it died too often before that. */
  readonly ready: Promise<void>;
  status(): RoleStatus;
  /** Ends it for good, insisting after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

interface Watcher {
  /** One line for people. */
  report(line: string): void;
  /** `status()` has changed. */
  changed(): void;
  /** The pause before the try that follows so many deaths in a row; 0.2 s doubling to 10 s by default. */
  readonly pauseMs?: (failures: number) => number;
}

export const backoffMs = (failures: number): number =>
  Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, failures - 1));

export function supervise(service: Service, watcher: Watcher): Supervised {
  const { name, log, stopSignal } = service.process;
  const stopping = new AbortController();
  let child: Child | undefined;
  let identity: Identity | undefined;
  let state: RoleState = 'starting';
  let since = new Date();
  let restarts = 0;
  let everReady = false;

  const pauseMs = watcher.pauseMs ?? backoffMs;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const finished = keepRunning();

  function enter(next: RoleState): void {
    state = next;
    since = new Date();
    watcher.changed();
  }

  function spawned(started: Child): void {
    child = started;
    identity = identify(started.pid);
    enter('starting');
    void started.exited.then(() => {
      child = undefined;
      identity = undefined;
    });
    if (stopping.signal.aborted) started.kill('SIGKILL');
  }

  /** One life of the process: until it dies, or cannot be made ready. */
  async function live(): Promise<{ readonly exit: Exit; readonly livedMs: number }> {
    const running = await launch(service, spawned);
    const from = Date.now();
    enter('running');
    watcher.report(everReady ? `${name} is ready again` : `${name} is ready`);
    everReady = true;
    ready.resolve();
    const exit = await running.exited;
    return { exit, livedMs: Date.now() - from };
  }

  async function keepRunning(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; restarts++) {
      try {
        const { exit, livedMs } = await live();
        failures = livedMs >= healthyMs ? 1 : failures + 1;
        if (!stopping.signal.aborted) watcher.report(`${name} ${describeExit(exit)}`);
      } catch (error) {
        failures += 1;
        if (stopping.signal.aborted) break;
        const said = error instanceof Error ? error.message : String(error);
        if (!everReady && failures === triesBeforeReady) {
          ready.reject(new MillwrightError('unavailable', `${said}${lastWords(log)}`, { cause: error }));
          break;
        }
        watcher.report(said);
      }
      if (stopping.signal.aborted) break;
      enter('restarting');
      watcher.report(`${name} is started again in ${pauseMs(failures) / 1000} s`);
      await pause(pauseMs(failures), undefined, { signal: stopping.signal }).catch(() => {});
    }
    enter('stopped');
    ready.reject(new Error(`${name} was stopped before it was ready`));
  }

  return {
    ready: ready.promise,
    status: () => ({
      role: name,
      state,
      process: identity ?? null,
      restarts,
      since: since.toISOString(),
      log,
      stopSignal,
    }),
    stop: async (graceMs) => {
      stopping.abort();
      await child?.stop(graceMs);
      await finished;
    },
  };
}

import { MillwrightError } from '../errors.ts';
import { type Child, describeExit, type ProcessSpec, startChild } from './child.ts';

/** A process that the platform is made of, and how to know that it is ready for work. */
export interface Service {
  readonly process: ProcessSpec;
  /** How long it may take to be ready. */
  readonly readyTimeoutMs: number;
  /** Resolves when it is ready; gives up when the signal fires, which it does when the process dies. */
  ready(child: Child, signal: AbortSignal): Promise<void>;
}

/**
 * Starts the process, tells `spawned` of it, and waits until it is ready; one that dies or hangs before that leaves no
 * process behind.
 */
export async function launch(service: Service, spawned: (child: Child) => void = () => {}): Promise<Child> {
  const child = await startChild(service.process);
  spawned(child);
  const gone = new AbortController();
  const died = child.exited.then((exit) => {
    const error = new MillwrightError(
      'unavailable',
      `${service.process.name} ${describeExit(exit)} before it was ready.`,
    );
    gone.abort(error);
    throw error;
  });
  const late = new MillwrightError(
    'unavailable',
    `${service.process.name} was not ready after ${service.readyTimeoutMs / 1000} s.`,
  );
  const timeout = AbortSignal.timeout(service.readyTimeoutMs);
  try {
    await Promise.race([
      service.ready(child, AbortSignal.any([gone.signal, timeout])),
      died,
      new Promise((_, reject) => timeout.addEventListener('abort', () => reject(late), { once: true })),
    ]);
    died.catch(() => {});
    return child;
  } catch (error) {
    died.catch(() => {});
    child.kill('SIGKILL');
    await child.exited;
    throw error;
  }
}

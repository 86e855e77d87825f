import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { MillwrightError } from '../errors.ts';
import { openLog } from './logs.ts';

/** What ends a process cleanly. */
export const stopSignals = ['SIGINT', 'SIGTERM'] as const;
type StopSignal = (typeof stopSignals)[number];

/** The account a process runs as, where it is not ours. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A process to start. */
export interface ProcessSpec {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error are appended here. */
  readonly log: string;
  readonly account?: Account | undefined;
  /** Our own roles get an IPC channel: they say on it that they are ready, and end themselves when it closes. */
  readonly ipc?: boolean;
  readonly stopSignal: StopSignal;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Resolves, never rejects, when the process is gone. */
  readonly exited: Promise<Exit>;
  /** Resolves when the process says `{ ready: true }` on its IPC channel. */
  readonly saidReady: Promise<void>;
  /** Asks with the spec's signal, and insists with SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a process in a session of its own, so that the terminal's Ctrl-C reaches the supervisor alone and the order of
 * stopping stays ours. One with another account works in `/`, since it may not be able to enter our directory.
 */
export async function startChild(spec: ProcessSpec): Promise<Child> {
  const log = openLog(spec.log);
  let child: ChildProcess;
  try {
    child = spawn(spec.file, spec.args, {
      cwd: spec.account ? '/' : undefined,
      env: spec.env,
      detached: true,
      stdio: spec.ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      ...spec.account,
    });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new MillwrightError('unavailable', `${spec.name} cannot be started: ${cause.message}.`, { cause })),
    );
  });
  // A later error is a signal or message that missed a process already gone: `exited` tells that.
  child.on('error', () => {});
  const saidReady = new Promise<void>((resolve) =>
    child.on('message', (message) => {
      if (isReady(message)) resolve();
    }),
  );
  return {
    pid: child.pid ?? 0,
    exited,
    saidReady,
    kill: (signal) => void child.kill(signal),
    stop: async (graceMs) => {
      child.kill(spec.stopSignal);
      const insist = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const exit = await exited;
      clearTimeout(insist);
      return exit;
    },
  };
}

/** "exited with code 1", "was killed by SIGKILL". */
export const describeExit = (exit: Exit): string =>
  exit.signal ? `was killed by ${exit.signal}` : `exited with code ${exit.code}`;

const isReady = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Endpoints } from '../../src/config/index.ts';
import { openDriver } from '../../src/providers/registry.ts';

/** The same work as a batch's, without its graph: volumes, so many of them under way at once. */
export interface FanOut {
  /** How it is done, where a peer has several ways. */
  readonly way: string;
  /** Unique; the volumes are named after it. */
  readonly run: string;
  readonly operations: number;
  readonly parallelLimit: number;
}

/** A peer in a process of its own. */
export interface Peer {
  readonly pid: number;
  /** Seconds from the answer to the request until all is done. */
  run(fanOut: FanOut): Promise<number>;
  stop(): Promise<void>;
}

export async function startPeer(program: string, endpoints: Endpoints): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [JSON.stringify(endpoints)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Of what a peer's own dependencies do.
    execArgv: ['--no-deprecation'],
  });
  const exited = once(child, 'exit');
  await answerOf(child, program);
  return {
    pid: child.pid ?? 0,
    run: async (fanOut) => {
      child.send(fanOut);
      return await answerOf(child, program);
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

async function answerOf(child: ChildProcess, program: string): Promise<number> {
  const gone = new AbortController();
  const died = once(child, 'exit', { signal: gone.signal }).then(() => {
    throw new Error(`the peer ${program} has died`);
  });
  try {
    const [{ seconds }] = (await Promise.race([once(child, 'message'), died])) as [{ seconds: number }];
    return seconds;
  } finally {
    died.catch(() => undefined);
    gone.abort();
  }
}

/** Of the peer's process: answers each message with the seconds that it took. */
export function servePeer(run: (fanOut: FanOut) => Promise<number>, stop: () => Promise<void>): void {
  process.on('message', (fanOut: FanOut) => {
    void run(fanOut).then((seconds) => process.send?.({ seconds }));
  });
  process.on('disconnect', () => void stop().finally(() => process.exit(0)));
  process.send?.({ seconds: 0 });
}

/** The addresses that a peer's process was started with. */
export const endpointsOfPeer = (): Endpoints => JSON.parse(process.argv[2] ?? '') as Endpoints;

/** What each operation does, by the driver that the region workers use: the same calls to the same simulator. */
export function volumeMaker({ simulator }: Endpoints): (run: string, index: number) => Promise<string> {
  const { storage } = openDriver('simulator', { region: 'tpe-1', endpoint: simulator, timeoutMs: 5000 });
  const context = { signal: new AbortController().signal, progress: () => undefined, stillMine: async () => undefined };
  return async (run, index) => {
    const { reference } = await storage.ensure(`${run}-${index}`, { name: `${run}-${index}`, sizeGib: 1 }, context);
    return reference;
  };
}

/** Runs `once` for each operation, so many at a time. */
export async function inSlots(
  { operations, parallelLimit }: Pick<FanOut, 'operations' | 'parallelLimit'>,
  once: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: parallelLimit }, async () => {
      while (next < operations) await once(next++);
    }),
  );
}

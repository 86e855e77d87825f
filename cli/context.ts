import { childEnvironment } from '../src/config/environment.ts';
import type { Config } from '../src/config/index.ts';
import { configOf } from './home.ts';
import { onEndRequest } from './interrupt.ts';
import { type Io, processIo } from './output.ts';

/** How long the command line asks again while the API does not answer, as while it restarts. */
export interface Patience {
  readonly firstPauseMs: number;
  /** For one request. */
  readonly requestMs: number;
  /** While following a job, since it was last heard of: a job goes on without us, so there is no hurry. */
  readonly followMs: number;
  /** After this long without an event, a batch of which everything that is under way is held counts as stopped. */
  readonly stillMs: number;
}

/** What commands need of the process they run in. */
export interface CliContext {
  readonly io: Io;
  readonly readConfig: (options: { readonly home?: string }) => Config;
  /** What the environment holds under this name. */
  readonly environment: (name: string) => string | undefined;
  /** From now on a first Ctrl-C aborts this, with the signal's name as the reason; a second one ends the process. */
  readonly catchInterrupt: () => AbortSignal;
  readonly patience: Patience;
}

export const processContext = (): CliContext => ({
  io: processIo(),
  readConfig: configOf,
  environment: (name) => childEnvironment()[name],
  catchInterrupt,
  patience: { firstPauseMs: 100, requestMs: 5000, followMs: 120_000, stillMs: 3000 },
});

function catchInterrupt(): AbortSignal {
  const interrupted = new AbortController();
  onEndRequest(
    (signal) => interrupted.abort(signal),
    () => process.exit(130),
  );
  return interrupted.signal;
}

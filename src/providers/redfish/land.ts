import { ProviderError } from '../../errors.ts';
import type { CallContext } from '../types.ts';
import { pause } from './client.ts';

interface Landing<Now> {
  /** What is wanted, as an error and the progress shall name it. */
  readonly what: string;
  look(): Promise<Now>;
  /** `asked`: something was asked for in this call. */
  isThere(now: Now, asked: boolean): boolean;
  /** In turn, each when the one before has not landed in time. */
  readonly asks: readonly (() => Promise<void>)[];
  readonly landingMs: number;
}

const firstPauseMs = 50;
const longestPauseMs = 2000;

/**
 * Looks, asks, and looks until what was asked for has landed: controllers answer before they have done anything, and
 * lose answers. One that was lost is looked for as if it had come; so is one that was refused, for it may have been
 * refused because another call was first.
 */
export async function land<Now>(
  { what, look, isThere, asks, landingMs }: Landing<Now>,
  call: CallContext,
): Promise<Now> {
  let now = await look();
  if (isThere(now, false)) return now;
  for (const ask of asks) {
    let refused: unknown;
    await ask().catch((error: unknown) => {
      if (!(error instanceof ProviderError) || error.providerClass === 'transient') throw error;
      if (error.providerClass === 'permanent') refused = error;
    });
    const until = performance.now() + (refused ? 0 : landingMs);
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      now = await look();
      if (isThere(now, true)) return now;
      if (performance.now() >= until) break;
      call.progress(what);
      await pause(pauseMs, call);
    }
    if (refused) throw refused;
  }
  throw new ProviderError(
    'transient',
    'unavailable',
    `${what}: asked for ${asks.length} times, and it has not come about.`,
  );
}

/** Tells whether this process has stood still: frozen by its machine, or kept from its timers. */
export interface StandstillWatch {
  /** How often it has, until now. */
  count(): number;
  stop(): void;
}

const beatMs = 250;

/** Counts a standstill where nothing was done for `limitMs`, by the clock that goes on or by the one that people set. */
export function watchStandstill(limitMs: number): StandstillWatch {
  let last = { steady: performance.now(), wall: Date.now() };
  let standstills = 0;
  // Also called by whoever asks: after a freeze, what came in meanwhile is handled before timers are.
  const beat = (): void => {
    const now = { steady: performance.now(), wall: Date.now() };
    if (Math.max(now.steady - last.steady, now.wall - last.wall) > limitMs + beatMs) standstills += 1;
    last = now;
  };
  const timer = setInterval(beat, beatMs);
  timer.unref();
  return {
    count: () => {
      beat();
      return standstills;
    },
    stop: () => clearInterval(timer),
  };
}

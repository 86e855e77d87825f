/** A terminal sends Ctrl-C to the wrapper and to us, and the wrapper passes its own on: within this time it is one. */
const sameRequestMs = 500;

/** Calls `first` when the process is asked to end, and `again` when it is asked once more. */
export function onEndRequest(first: (signal: NodeJS.Signals) => void, again: () => void): void {
  let asked: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (asked === undefined) first(signal);
      else if (now - asked > sameRequestMs) again();
      asked ??= now;
    });
  }
}

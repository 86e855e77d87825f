import { setTimeout as pause } from 'node:timers/promises';

/** What comes, and `still` whenever nothing has come for so long. */
export async function* withStillness<Item>(
  source: AsyncGenerator<Item>,
  stillMs: number,
): AsyncGenerator<Item | 'still'> {
  let next: Promise<IteratorResult<Item>> | undefined;
  try {
    for (;;) {
      next ??= source.next();
      const came = await Promise.race([next, stillFor(stillMs, next)]);
      if (came === 'still') {
        yield came;
        continue;
      }
      next = undefined;
      if (came.done) return;
      yield came.value;
    }
  } finally {
    // Not waited for: while the source waits for its next item it does not hear this. Its own signal ends it.
    source.return(undefined).catch(() => undefined);
    next?.catch(() => undefined);
  }
}

async function stillFor(milliseconds: number, unless: Promise<unknown>): Promise<'still'> {
  const came = new AbortController();
  unless.then(
    () => came.abort(),
    () => came.abort(),
  );
  await pause(milliseconds, undefined, { signal: came.signal }).catch(() => undefined);
  return 'still';
}

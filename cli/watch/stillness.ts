import { setTimeout as pause } from 'node:timers/promises';

/** What comes, and `still` whenever nothing has come for so long. */
export async function* withStillness<Item>(source: AsyncGenerator<Item>, stillMs: number): AsyncGenerator<Item | 'still'> {
  try {
    let next = source.next();
    for (;;) {
      const waiting = new AbortController();
      const still = pause(stillMs, 'still' as const, { signal: waiting.signal }).catch(() => 'still' as const);
      const came = await Promise.race([next, still]);
      waiting.abort();
      if (came === 'still') {
        yield came;
        continue;
      }
      if (came.done) return;
      next = source.next();
      yield came.value;
    }
  } finally {
    await source.return(undefined);
  }
}

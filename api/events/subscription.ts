import { setTimeout as pause } from 'node:timers/promises';
import type { Event, EventCursor } from '../../src/domain/event.ts';

/** A watcher that is further behind than this is not waited for: it reads from the database what it has missed. */
const waitingAtMost = 1000;

/** Events on their way from the tail to one watcher. */
export class Subscription {
  readonly #left: (self: Subscription) => void;
  #waiting: Event[] = [];
  #behind = false;
  #reached: EventCursor | undefined;
  #wake: () => void = () => undefined;

  constructor(left: (self: Subscription) => void) {
    this.#left = left;
  }

  /** Everything up to `reached` that matches is among these events, or was among those before. */
  offer(events: readonly Event[], reached: EventCursor): void {
    this.#reached = reached;
    if (events.length === 0 || this.#behind) return;
    this.#behind = this.#waiting.length + events.length > waitingAtMost;
    if (this.#behind) this.#waiting = [];
    else this.#waiting.push(...events);
    this.#wake();
  }

  /**
   * What has come, as soon as anything has. `behind`: more came than is kept. After `idleMs` of nothing, the place up
   * to which there was nothing.
   */
  async take(idleMs: number, signal: AbortSignal): Promise<readonly Event[] | 'behind' | EventCursor | undefined> {
    if (this.#waiting.length === 0 && !this.#behind) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const done = new AbortController();
      const quiet = pause(idleMs, undefined, { signal: AbortSignal.any([signal, done.signal]) });
      await Promise.race([promise, quiet.catch(() => undefined)]);
      done.abort();
    }
    if (this.#behind) return 'behind';
    if (this.#waiting.length === 0) return this.#reached;
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  leave(): void {
    this.#left(this);
    this.#waiting = [];
  }
}

import type { Info } from '@temporalio/activity';
import { ProviderError } from '../../src/errors.ts';
import { heartbeatTimeoutMs } from '../../temporal/names.ts';

/** Temporal's word on an attempt. `gone`: it was lost, or its workflow has ended; another may be at work, or undo it. */
type Standing = 'wanted' | 'canceled' | 'gone';
export type AskStanding = (info: Info) => Promise<Standing>;

/**
 * For so long after it was asked Temporal cannot have given an attempt up for want of heartbeats: each question is one.
 * The other half is for what the attempt then asks of its provider.
 */
const trustMs = heartbeatTimeoutMs / 2;

/** The attempt is somebody else's by now: it is to change nothing any more, and nobody waits for what becomes of it. */
export class AttemptGone extends ProviderError {
  constructor() {
    super('transient', 'unavailable', 'Temporal has given this attempt up: it changes nothing any more.');
  }
}

/** The step is to stop. */
export class AttemptCanceled extends ProviderError {
  constructor() {
    super('transient', 'unavailable', 'The step was canceled before anything was asked of the provider.');
  }
}

interface Moment {
  readonly steadyMs: number;
  readonly wallMs: number;
}
/** The clock that people set goes on while a machine is suspended; the steady one when that is set back. */
const now = (): Moment => ({ steadyMs: performance.now(), wallMs: Date.now() });
const isRecent = ({ steadyMs, wallMs }: Moment): boolean =>
  performance.now() - steadyMs < trustMs && Math.abs(Date.now() - wallMs) < trustMs;

/**
 * To be called before each request that changes something at a provider: throws where the attempt is not to change
 * anything any more, or where that cannot be known. A first attempt that Temporal has given away just now is not asked
 * about; nor is one whose last answer is recent.
 */
export function createFence(info: Info, ask: AskStanding): () => Promise<void> {
  const { attempt, currentAttemptScheduledTimestampMs: scheduledMs } = info;
  let wantedAt = attempt === 1 ? { steadyMs: performance.now(), wallMs: scheduledMs } : undefined;
  return async () => {
    if (wantedAt && isRecent(wantedAt)) return;
    const askedAt = now();
    const standing = await ask(info).catch((cause: unknown) => {
      throw new ProviderError('transient', 'unavailable', `${unsure} It does not answer.`, { cause });
    });
    if (standing === 'gone') throw new AttemptGone();
    if (standing === 'canceled') throw new AttemptCanceled();
    if (!isRecent(askedAt)) throw new ProviderError('transient', 'unavailable', `${unsure} Its answer came too late.`);
    wantedAt = askedAt;
  };
}

const unsure = 'Whether this attempt is still wanted, Temporal alone knows, and nothing is changed without its word.';

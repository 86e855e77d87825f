/** How failed deliveries are tried again, and when it is given up. */
export interface DeliverySchedule {
  /** The pause before each further attempt; when there is none left, the delivery is dead. */
  readonly pausesSeconds: readonly number[];
  /** A webhook that has failed for so long without one success is disabled. */
  readonly disableAfterSeconds: number;
}

/** Up to so much longer or shorter, so that what failed at once does not come back at once. */
const jitter = 0.2;
/** No endpoint puts us off for longer than this by its `Retry-After`. */
const longestRetryAfterSeconds = 86_400;
const longestPauseSeconds = 60;

const spread = (seconds: number): number => seconds * (1 - jitter + 2 * jitter * Math.random());

/** Seconds until the next attempt, after so many; null: there is none. An endpoint's own wish is honoured where it is longer. */
export function againInSeconds(
  { pausesSeconds }: DeliverySchedule,
  attempts: number,
  retryAfterSeconds: number | null,
): number | null {
  const pause = pausesSeconds[attempts - 1];
  if (pause === undefined) return null;
  return Math.max(spread(pause), Math.min(retryAfterSeconds ?? 0, longestRetryAfterSeconds));
}

/** For how long a webhook is left alone after so many failures in a row: an endpoint that is down is asked ever less often. */
export function pauseSeconds(failures: number, retryAfterSeconds: number | null): number {
  const pause = Math.min(0.5 * 2 ** Math.min(failures - 1, 10), longestPauseSeconds);
  return Math.max(spread(pause), Math.min(retryAfterSeconds ?? 0, longestRetryAfterSeconds));
}

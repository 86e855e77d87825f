import { Histogram, type Registry } from 'prom-client';
import { longBuckets } from '../src/telemetry/registry.ts';

/** How an attempt went: what a driver throws is `transient`, `permanent` or `ambiguous`, anything else `internal`. */
export type AttemptOutcome = 'succeeded' | 'canceled' | 'transient' | 'permanent' | 'ambiguous' | 'internal';

export interface Attempt {
  readonly region: string;
  readonly provider: string;
  readonly activity: string;
  readonly outcome: AttemptOutcome;
  readonly retry: 'yes' | 'no';
}

/** Times every attempt of a step at its provider. */
export function attemptMetrics(registry: Registry): (attempt: Attempt, seconds: number) => void {
  const attempts = new Histogram({
    name: 'millwright_attempt_duration_seconds',
    help: 'Attempts of steps at their provider, by how they went; a retry is any but the first.',
    labelNames: ['region', 'provider', 'activity', 'outcome', 'retry'],
    buckets: longBuckets,
    registers: [registry],
  });
  return (attempt, seconds) => attempts.observe({ ...attempt }, seconds);
}

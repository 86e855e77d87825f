import { z } from 'zod';

const readySchema = z.object({ ready: z.boolean(), parts: z.record(z.string(), z.string()) });

/** Whoever asks waits no longer for a role that hangs. */
const patienceMs = 3000;

/** What a role says of itself at its `/readyz`, and what it misses. One that does not answer misses that. */
export async function readinessAt(metricsUrl: string): Promise<{ ready: boolean; missing: readonly string[] }> {
  try {
    const answer = await fetch(`${metricsUrl}/readyz`, { signal: AbortSignal.timeout(patienceMs) });
    const { ready, parts } = readySchema.parse(await answer.json());
    const missing = Object.entries(parts).flatMap(([part, state]) => (state === 'ok' ? [] : [part]));
    return { ready, missing };
  } catch {
    return { ready: false, missing: ['an answer'] };
  }
}

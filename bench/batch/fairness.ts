import { setTimeout as pause } from 'node:timers/promises';
import { limit, median, type Result, round } from '../measure.ts';
import type { UpPlatform } from '../up.ts';
import { succeeded } from './run.ts';

const organization = 'neighbour';
const place = `organization=${organization}&project=${organization}`;
let creates = 0;

/** An organisation beside the one whose batch runs. */
export async function makeNeighbour(platform: UpPlatform): Promise<void> {
  await platform.post('/api/ops/v1/organizations', JSON.stringify({ name: organization }));
  await platform.post(`/api/tenant/v1/projects?organization=${organization}`, JSON.stringify({ name: organization }));
}

/** A create of its each second until the signal; milliseconds from each request until its job has succeeded. */
export async function createEachSecond(platform: UpPlatform, until: AbortSignal): Promise<number[]> {
  const under: Promise<number>[] = [];
  while (!until.aborted) {
    const created = create(platform);
    // One that fails is heard of at the end, with all others; until then it is not to end the process.
    created.catch(() => undefined);
    under.push(created);
    await pause(1000, undefined, { signal: until }).catch(() => undefined);
  }
  return await Promise.all(under);
}

async function create(platform: UpPlatform): Promise<number> {
  const body = JSON.stringify({ name: `single-${++creates}`, region: 'tpe-1', sizeGib: 1 });
  const began = performance.now();
  const { jobId = '' } = await platform.post(`/api/tenant/v1/volumes?${place}`, body);
  await succeeded(platform, jobId);
  return performance.now() - began;
}

/** What a neighbour's batch costs a single create, beside a platform that does nothing else. */
export function fairness(idle: readonly number[], busy: readonly number[]): Result[] {
  const [idleMs, busyMs] = [median(idle), median(busy)];
  const delay = Math.max(...busy) - idleMs;
  return [
    {
      id: 'fairness-p50',
      what: "a single create beside another organisation's batch of 10,000, p50",
      value: round(busyMs),
      unit: 'ms',
      peer: 'the same with nothing else to do',
      peerValue: round(idleMs),
      ratio: round(busyMs / idleMs),
      goal: 'delayed by at most 2 s',
      holds: busyMs - idleMs <= 2000,
    },
    limit('fairness-max', 'the most that any of them was delayed', delay / 1000, 's', 'two seconds', 2),
  ];
}

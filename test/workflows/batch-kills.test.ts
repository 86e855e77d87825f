import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchFile, edgesOf } from '../../bench/batch/graphs.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

const roles = {
  control: ['worker', 'control'],
  'tpe-1': ['worker', 'region', '--region', 'tpe-1'],
  'nrt-1': ['worker', 'region', '--region', 'nrt-1'],
} as const;
type Role = keyof typeof roles;

let platform: TestPlatform;
const processes = new Map<Role, ChildProcess>();
const start = async (role: Role): Promise<void> => {
  processes.set(role, await startRoleProcess(platform.config, roles[role]));
};
beforeAll(async () => {
  platform = await startTestPlatform({
    regions: [],
    environment: {
      MILLWRIGHT_STEP_ATTEMPTS: '100',
      MILLWRIGHT_PROVIDER_TIMEOUT_MS: '10000',
      MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS: '3000',
    },
  });
  await platform.control.stop();
  await Promise.all((['control', 'tpe-1', 'nrt-1'] as const).map(start));
});
afterAll(async () => {
  await Promise.all([...processes.values()].map(killNow));
  await platform.stop();
});

/** Each is under way for so long at least, so that it can be met. */
const createMs = 1500;
const count = 50;

interface UnderWay {
  readonly id: string;
  readonly region: Role;
  readonly startedAt: Date;
}

test('killed at each of fifty operations, workers in turn, a batch does everything once and nothing again', {
  timeout: 300_000,
}, async () => {
  const { api, simulator, sql } = platform;
  await simulator.settings({ latencyMs: { 'volume.create': createMs } });
  const { status, body } = await api.tenant('POST', '/batches', batchFile('fifty', edgesOf('layered', count), 10));
  expect(status).toBe(202);
  const batchId: string = body.resource.id;
  const underWay = (): Promise<UnderWay[]> =>
    sql`
      SELECT id, region, started_at AS "startedAt" FROM batch_operations
      WHERE batch_id = ${batchId} AND state = 'RUNNING' ORDER BY position`;

  /** The operations of which a worker was killed when they had begun and were not recorded as done. */
  const met = new Set<string>();
  const kills: Role[] = [];
  const returning = new Map<Role, Promise<void>>();

  /** Kills one, and has another begin at once. */
  async function kill(victim: Role): Promise<void> {
    const child = processes.get(victim);
    if (!child) return;
    kills.push(victim);
    await killNow(child);
    const at = Date.now();
    // Looked at after the death: one may have begun, another have ended, between the decision to kill and the kill.
    for (const { id, region, startedAt } of await underWay())
      if ((victim === 'control' || victim === region) && startedAt.getTime() < at) met.add(id);
    returning.set(
      victim,
      start(victim).finally(() => returning.delete(victim)),
    );
  }

  await until(
    () => `the batch to end after ${kills.length} kills, which met ${met.size} operations`,
    async () => {
      const now = await underWay();
      const spared = now.find(({ id }) => !met.has(id));
      if (spared) {
        const inTurn: readonly Role[] =
          kills.at(-1) === 'control' ? [spared.region, 'control'] : ['control', spared.region];
        const victim = inTurn.find((role) => !returning.has(role));
        if (victim) await kill(victim);
      }
      return (await api.job(body.job.id)).endedAt !== null;
    },
    240_000,
  );
  await Promise.all(returning.values());

  expect(await api.job(body.job.id)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none', error: null });
  expect((await api.tenant('GET', `/batches/${batchId}`)).body.counts).toEqual({ SUCCEEDED: count });
  const names = await simulator.names();
  expect(names).toHaveLength(count);
  expect(new Set(names).size).toBe(count);
  await expectConsistent(platform);

  const operations = await sql<{ id: string; key: string; endedAt: Date }[]>`
    SELECT o.id, o.resource_id AS key, o.ended_at AS "endedAt"
    FROM batch_operations o WHERE batch_id = ${batchId}`;
  const calls = await simulator.calls();
  for (const { id, key, endedAt } of operations) {
    expect(met, `${id} was met by a kill`).toContain(id);
    const later = calls.filter((call) => call.key === key && Date.parse(call.at) > endedAt.getTime());
    expect(later, `${id}, once done, is not asked for again`).toEqual([]);
  }
  for (const role of ['control', 'tpe-1', 'nrt-1'] as const) expect(kills).toContain(role);
});

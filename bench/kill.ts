import type { Sql } from 'postgres';
import { limit, type Result } from './measure.ts';
import { type Call, type UpPlatform, until } from './up.ts';

/** The batch during which a process is killed, all of it in the region `tpe-1`. */
interface KilledBatch {
  /** What the results are called by. */
  readonly id: string;
  readonly operations: number;
  readonly parallelLimit: number;
  readonly stepMs: number;
  /** So many are done when the process is killed. */
  readonly doneBefore: number;
}

/** Kills a process in mid-batch: seconds from its restart to the first step that is new, and steps that were run again. */
export async function killed(platform: UpPlatform, victim: string, batch: KilledBatch): Promise<Result[]> {
  const { sql } = platform;
  const name = `kill-${victim.replace('.', '-')}-${batch.operations}`;
  await platform.setLatency(batch.stepMs);
  const operations = Array.from({ length: batch.operations }, (_, index) => ({
    id: `v${index}`,
    type: 'volume.create',
    region: 'tpe-1',
    with: { name: `${name}-${index}`, sizeGib: 1 },
  }));
  await platform.post(
    '/api/tenant/v1/batches',
    JSON.stringify({ name, version: 1, parallelLimit: batch.parallelLimit, operations }),
  );
  const ended = async (): Promise<number> =>
    (await sql`SELECT 1 FROM resources WHERE name LIKE ${`${name}-%`} AND status = 'available'`).length;
  await until(`${batch.doneBefore} operations to be done`, async () =>
    (await ended()) >= batch.doneBefore ? true : undefined,
  );

  const before = await platform.calls();
  const pid = platform.pidOf(victim);
  if (pid === undefined) throw new Error(`${victim} does not run`);
  process.kill(pid, 'SIGKILL');
  const restartedAt = await until(
    `${victim} to be started again`,
    async () => {
      const now = platform.pidOf(victim);
      return now !== undefined && now !== pid ? Date.now() : undefined;
    },
    { everyMs: 5 },
  );
  const known = new Set(before.map(({ key }) => key));
  const firstAt = await until(
    'the first new step',
    async () => {
      const fresh = (await platform.calls()).filter(
        ({ operation, key, at }) => operation === 'volume.create' && !known.has(key) && Date.parse(at) >= restartedAt,
      );
      return fresh[0] && Date.parse(fresh[0].at);
    },
    { everyMs: 100 },
  );
  await until('the batch to end', async () => ((await ended()) === batch.operations ? true : undefined), {
    everyMs: 100,
  });
  const again = await runAgain(sql, name, [...before, ...(await platform.calls())]);
  const seconds = (firstAt - restartedAt) / 1000;
  return [
    limit(
      `${batch.id}-${victim}`,
      `kill -9 of ${victim} in a batch of ${batch.operations}: from its restart to the first new step`,
      seconds,
      's',
      'five seconds',
      5,
    ),
    {
      id: `${batch.id}-${victim}-again`,
      what: `kill -9 of ${victim} in a batch of ${batch.operations}: finished steps that were run again`,
      value: again,
      unit: 'steps',
      peer: `of ${batch.operations}`,
      peerValue: batch.operations,
      ratio: again / batch.operations,
      goal: 'none',
      holds: again === 0,
    },
  ];
}

/** How many steps were asked of the provider again after they had been recorded as done. */
async function runAgain(sql: Sql, name: string, calls: readonly Call[]): Promise<number> {
  const done = await sql<{ key: string; endedAt: Date }[]>`
    SELECT x.id AS key, s.ended_at AS "endedAt" FROM resources x JOIN jobs j ON j.resource_id = x.id JOIN job_steps s ON s.job_id = j.id
    WHERE x.name LIKE ${`${name}-%`} AND s.state = 'SUCCEEDED'`;
  const endedAt = new Map(done.map((step) => [step.key, step.endedAt.getTime()]));
  const again = calls.filter(
    ({ operation, key, at }) =>
      operation === 'volume.create' && Date.parse(at) > (endedAt.get(key ?? '') ?? Number.POSITIVE_INFINITY),
  );
  return new Set(again.map(({ key }) => key)).size;
}

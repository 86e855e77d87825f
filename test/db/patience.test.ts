import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, isDatabaseAway, openDatabase } from '../../src/db/client.ts';
import { createLogger } from '../../src/log.ts';
import { startControlWorker } from '../../workers/control.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { createDatabase } from '../harness/databases.ts';
import { type FrozenProxy, startFrozenProxy } from '../harness/frozen-proxy.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

const environment = {
  MILLWRIGHT_API_LOCK_TIMEOUT_MS: '300',
  MILLWRIGHT_API_STATEMENT_TIMEOUT_MS: '2000',
  MILLWRIGHT_WORKER_LOCK_TIMEOUT_MS: '300',
  MILLWRIGHT_WORKER_STATEMENT_TIMEOUT_MS: '2000',
};
const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));
const volume = (name: string): object => ({ name, region: 'tpe-1', sizeGib: 1 });
/** What "in seconds" means here, on a machine that does much else. */
const secondsMs = 15_000;

/** Holds what `lock` takes, as a session that somebody left open does; gives what lets it go. */
async function holding(sql: Sql, lock: (transaction: postgres.TransactionSql) => Promise<unknown>) {
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const done = sql.begin(async (transaction) => {
    await lock(transaction);
    held.resolve();
    await release.promise;
  });
  await Promise.race([held.promise, done]);
  return async () => {
    release.resolve();
    await done;
  };
}

async function inSeconds<Value>(act: () => Promise<Value>): Promise<Value> {
  const startedAt = performance.now();
  const value = await act();
  expect(performance.now() - startedAt).toBeLessThan(secondsMs);
  return value;
}

test('a row that somebody holds is a 503 in seconds, leaves nothing behind, and stops nobody else', async () => {
  const platform = await startTestPlatform({ control: false, environment });
  const { api, sql } = platform;
  try {
    await sql`
      WITH other AS (INSERT INTO projects (organization_id, name) SELECT organization_id, 'other' FROM projects RETURNING id)
      INSERT INTO quotas (project_id, vms_limit, vcpus_limit, memory_mib_limit, storage_gib_limit, networks_limit, volumes_limit)
      SELECT id, 100, 100, 100, 100, 100, 100 FROM other`;
    const release = await holding(
      sql,
      (transaction) =>
        transaction`SELECT FROM quotas q JOIN projects p ON p.id = q.project_id WHERE p.name = 'default' FOR UPDATE OF q`,
    );
    // More than the API has connections, and more than go together.
    const [answers, creates, reads] = await inSeconds(() =>
      Promise.all([
        Promise.all(times(100, (index) => api.tenant('POST', '/volumes', volume(`held-${index}`)))),
        Promise.all(times(10, (index) => api.tenant('POST', '/volumes?project=other', volume(`other-${index}`)))),
        Promise.all(times(10, () => api.tenant('GET', '/volumes'))),
      ]),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.code}`))).toEqual(new Set(['503 unavailable']));
    expect(answers[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answers[0]?.body.detail).toContain('Ask again');
    expect(new Set(reads.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(creates.map(({ status }) => status))).toEqual(new Set([202]));
    const [left] = await sql`
      SELECT (SELECT count(*) FROM resources WHERE name LIKE 'held-%')::int AS resources,
        (SELECT count(*) FROM jobs WHERE resource_name LIKE 'held-%')::int AS jobs,
        (SELECT count(*) FROM audit_entries WHERE resource_name LIKE 'held-%')::int AS audit`;
    expect(left).toEqual({ resources: 0, jobs: 0, audit: 0 });
    await release();
    expect(await api.tenant('POST', '/volumes', volume('held-0'))).toMatchObject({ status: 202 });
  } finally {
    await platform.stop();
  }
});

/** Workflow started; workflow task scheduled, started. */
const begunEvents = 3;

test('jobs whose rows somebody holds wait for them, and keep no other job from being done', async () => {
  const platform = await startTestPlatform({ control: false, environment });
  const { api, sql, config } = platform;
  const log = createLogger('test', 'silent');
  // More than a control worker has places for workflow tasks.
  const answers = await Promise.all(times(60, (index) => api.tenant('POST', '/volumes', volume(`waits-${index}`))));
  const ids: string[] = answers.map(({ body }) => body.job.id);
  const release = await holding(
    sql,
    (transaction) => transaction`SELECT FROM jobs WHERE id = ANY(${ids}::uuid[]) FOR UPDATE`,
  );
  const roles = [await startControlWorker(config, log), await startRegionWorker('tpe-1')(config, log)];
  try {
    for (const { body } of answers) {
      await until('the worker to have begun a job', async () => {
        const workflow = platform.temporal.workflow.getHandle(body.job.workflowId);
        const { historyLength } = await workflow.describe().catch(() => ({ historyLength: 0 }));
        return historyLength > begunEvents;
      });
    }
    expect(await api.done('POST', '/volumes', volume('free'))).toMatchObject({ state: 'SUCCEEDED' });
    expect(new Set((await Promise.all(ids.map((id) => api.job(id)))).map(({ state }) => state))).toEqual(
      new Set(['PENDING']),
    );
    await release();
    const jobs = await Promise.all(ids.map((id) => api.jobWhen(id)));
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['SUCCEEDED']));
    await expectConsistent(platform);
  } finally {
    await release();
    await Promise.all(roles.map((role) => role.stop()));
    await platform.stop();
  }
});

describe('a transaction whose session is ended', () => {
  const patience = { lockMs: 5000, statementMs: 5000, idleTransactionMs: 200 };
  let url: string;
  let database: Database;
  let other: Sql;
  beforeAll(async () => {
    url = await createDatabase(inject('parts').postgresUrl);
    database = openDatabase(url, { patience, connections: { statements: 1, transactions: 1 } });
    other = postgres(url, { max: 1 });
    await other`CREATE TABLE notes (note text)`;
  });
  afterAll(async () => {
    await Promise.all([database.close(), other.end()]);
  });

  const begun = (act: (transaction: postgres.TransactionSql) => Promise<unknown>): Promise<unknown> =>
    database.sql.begin(act).catch((thrown: unknown) => thrown);

  test('because it was left open: it fails, lets go of what it held, and says nothing to the next', async () => {
    const next = Promise.withResolvers<unknown>();
    const error = await begun(async (transaction) => {
      await transaction`INSERT INTO notes VALUES ('left open')`;
      await transaction`SELECT FROM projects FOR UPDATE`;
      next.resolve(begun(async (after) => await after`INSERT INTO notes VALUES ('next')`));
      // Waits until the session has been ended.
      await other`SELECT FROM projects FOR UPDATE`;
      await next.promise;
      await transaction`INSERT INTO notes VALUES ('too late')`;
    });
    expect(isDatabaseAway(error)).toBe(true);
    await until('the next', async () => (await other`SELECT FROM notes`).length > 0);
    expect(await other`SELECT note FROM notes`).toEqual([{ note: 'next' }]);
  });

  test('while it waits for a statement: it fails, and the process and its other transactions live on', async () => {
    const error = await begun(async (transaction) => {
      const [row] = await transaction<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
      const slow = transaction`SELECT pg_sleep(30)`.execute();
      await other`SELECT pg_terminate_backend(${row?.pid ?? 0})`;
      await slow;
    });
    expect(isDatabaseAway(error)).toBe(true);
    expect(await begun((transaction) => transaction`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  });

  test('one whose statement failed has done nothing, whatever its code makes of that', async () => {
    const error = await begun(async (transaction) => {
      await transaction`INSERT INTO notes VALUES ('half')`;
      await transaction`SELECT 1 / 0`.catch(() => undefined);
    });
    expect(error).toBeInstanceOf(Error);
    expect(await other`SELECT FROM notes WHERE note = 'half'`).toHaveLength(0);
  });
});

let proxy: FrozenProxy;
let frozen: TestPlatform;
beforeAll(async () => {
  const url = new URL(await createDatabase(inject('parts').postgresUrl));
  proxy = await startFrozenProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  frozen = await startTestPlatform({ regions: ['tpe-1'], environment: { ...environment, DATABASE_URL: url.href } });
});
afterAll(async () => {
  proxy.thaw();
  await frozen.stop();
  proxy.stop();
});

test('a database that takes connections and never answers is a 503 in seconds for everybody, until it answers', async () => {
  const { api, simulator } = frozen;
  const fault = await simulator.fault({ effect: 'transient', operation: 'volume.create', name: 'under-way' });
  const { body } = await api.tenant('POST', '/volumes', volume('under-way'));
  await api.jobWhen(body.job.id, ({ state }) => state === 'RETRYING');
  proxy.freeze();
  await simulator.removeFault(fault);
  const answers = await inSeconds(() =>
    Promise.all([
      ...times(60, (index) => api.tenant('POST', '/volumes', volume(`frozen-${index}`))),
      ...times(60, () => api.tenant('GET', '/volumes')),
    ]),
  );
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.body.code}`))).toEqual(
    new Set(['503 unavailable']),
  );
  // Also who comes when it has been noticed.
  expect(await inSeconds(() => api.tenant('GET', '/volumes'))).toMatchObject({ status: 503 });
  proxy.thaw();
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await api.done('POST', '/volumes', volume('afterwards'))).toMatchObject({ state: 'SUCCEEDED' });
});

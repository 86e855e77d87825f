import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres, { type Sql } from 'postgres';
import { type Endpoints, readEndpoints } from '../src/config/index.ts';
import { removeHome } from '../src/platform/postgres-data.ts';
import { readStatus } from '../src/platform/status.ts';
import { type Result, round } from './measure.ts';
import { cpuSeconds } from './processes.ts';

const victims = ['region.tpe-1', 'control', 'api', 'simulator', 'temporal', 'postgres'] as const;
/** A batch that is under way for about ten seconds. */
const batch = { operations: 100, parallelLimit: 10, stepMs: 1000 };
/** So many are done when the process is killed. */
const doneBefore = 15;
const restSeconds = 30;
/** PostgreSQL's backends tell of what they wrote up to this much later. */
const statisticsLagMs = 12_000;
const deadlineMs = 120_000;

/** K6 and K7: what a `kill -9` of each process costs, and what a platform at rest does, measured on one as `millwright up` starts it. */
export async function benchPromise(): Promise<Result[]> {
  const home = mkdtempSync(join(tmpdir(), 'millwright-promise-'));
  const platform = new Promised(home);
  try {
    await platform.up();
    const results = [];
    for (const victim of victims) results.push(...(await killed(platform, victim)));
    results.push(...(await atRest(platform)));
    await platform.down();
    results.push(
      limit('K7-up', 'a second "millwright up", until it is ready', await platform.up(), 's', 'ten seconds', 10),
    );
    return results;
  } finally {
    await platform.down();
    removeHome(home);
  }
}

interface Call {
  readonly at: string;
  readonly operation: string;
  readonly key: string | null;
}

/** A platform in a home of its own, started and stopped by the command line. */
class Promised {
  readonly home: string;
  #endpoints: Endpoints | undefined;
  #sql: Sql | undefined;

  constructor(home: string) {
    this.home = home;
  }

  /** Seconds until it is ready. */
  async up(): Promise<number> {
    const began = performance.now();
    await this.#millwright('up', '--port', '0', '--detach');
    this.#endpoints = readEndpoints(this.home);
    this.#sql = postgres(this.endpoints.postgres, { max: 1, onnotice: () => undefined });
    return (performance.now() - began) / 1000;
  }

  async down(): Promise<void> {
    await this.#sql?.end();
    await this.#millwright('down');
  }

  get endpoints(): Endpoints {
    if (this.#endpoints) return this.#endpoints;
    throw new Error('the platform is not up');
  }

  get sql(): Sql {
    if (this.#sql) return this.#sql;
    throw new Error('the platform is not up');
  }

  pidOf(role: string): number | undefined {
    return readStatus(this.home)?.roles.find((entry) => entry.role === role)?.process?.pid;
  }

  async post(path: string, body: string): Promise<void> {
    const token = readFileSync(join(this.home, 'operator.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(this.endpoints.api + path, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }

  async calls(): Promise<readonly Call[]> {
    const answer = await fetch(`${this.endpoints.simulator}/calls`);
    return ((await answer.json()) as { calls: Call[] }).calls;
  }

  async #millwright(...command: string[]): Promise<void> {
    const program = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
    await promisify(execFile)(process.execPath, [program, ...command, '--home', this.home]);
  }
}

/** Asks until there is an answer; a part that is away has none. */
async function until<Value>(what: string, ask: () => Promise<Value | undefined>, everyMs = 20): Promise<Value> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask().catch(() => undefined);
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1000} s in vain for ${what}`);
    await pause(everyMs);
  }
}

/** Kills a process in mid-batch: seconds from its restart to the first step that is new, and steps that were run again. */
async function killed(platform: Promised, victim: string): Promise<Result[]> {
  const { sql, endpoints } = platform;
  const name = `kill-${victim.replace('.', '-')}`;
  await fetch(`${endpoints.simulator}/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ latencyMs: { 'volume.create': batch.stepMs } }),
  });
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
  await until(`${doneBefore} operations to be done`, async () => ((await ended()) >= doneBefore ? true : undefined));

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
    5,
  );
  const known = new Set(before.map(({ key }) => key));
  const firstAt = await until('the first new step', async () => {
    const fresh = (await platform.calls()).filter(
      ({ operation, key, at }) => operation === 'volume.create' && !known.has(key) && Date.parse(at) >= restartedAt,
    );
    return fresh[0] && Date.parse(fresh[0].at);
  });
  await until('the batch to end', async () => ((await ended()) === batch.operations ? true : undefined), 100);
  const again = await runAgain(sql, name, [...before, ...(await platform.calls())]);
  const seconds = (firstAt - restartedAt) / 1000;
  return [
    limit(
      `K6-${victim}`,
      `kill -9 of ${victim}: from its restart to the first new step`,
      seconds,
      's',
      'five seconds',
      5,
    ),
    {
      id: `K6-${victim}-again`,
      what: `kill -9 of ${victim}: finished steps that were run again`,
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

/** What a platform does that nobody asks for anything. */
async function atRest(platform: Promised): Promise<Result[]> {
  const { sql } = platform;
  const status = readStatus(platform.home);
  const pids = (status?.roles ?? []).map(({ role, process }) => ({ role, pid: process?.pid ?? 0 }));
  const parts = ['postgres', 'temporal'];
  const ours = [status?.supervisor.pid ?? 0, ...pids.filter(({ role }) => !parts.includes(role)).map(({ pid }) => pid)];
  const temporal = pids.filter(({ role }) => role === 'temporal').map(({ pid }) => pid);
  const used = (of: readonly number[]): number => of.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const written = async (): Promise<number> => {
    const [row] = await sql<{ rows: number }[]>`
      SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8 AS rows FROM pg_stat_user_tables`;
    return row?.rows ?? Number.NaN;
  };
  await pause(statisticsLagMs);
  const before = { rows: await written(), ours: used(ours), temporal: used(temporal), at: performance.now() };
  await pause(restSeconds * 1000);
  const seconds = (performance.now() - before.at) / 1000;
  const percent = (now: number, then: number): number => (100 * (now - then)) / seconds;
  const [oursPercent, temporalPercent] = [percent(used(ours), before.ours), percent(used(temporal), before.temporal)];
  await pause(statisticsLagMs);
  const rows = (await written()) - before.rows;
  return [
    {
      id: 'K7-rows',
      what: `rows written in ${restSeconds} s at rest`,
      value: rows,
      unit: 'rows',
      peer: 'none',
      peerValue: 0,
      ratio: rows,
      goal: '0',
      holds: rows === 0,
    },
    {
      id: 'K7-cpu',
      what: `a core at rest, ${ours.length} processes of ours together`,
      value: round(oursPercent),
      unit: '%',
      peer: 'Temporal beside them',
      peerValue: round(temporalPercent),
      ratio: round(oursPercent / 3),
      goal: 'under 3 %',
      holds: oursPercent < 3,
    },
  ];
}

/** A value that is to stay at or below a fixed one. */
const limit = (id: string, what: string, value: number, unit: string, peer: string, peerValue: number): Result => ({
  id,
  what,
  value: round(value),
  unit,
  peer,
  peerValue,
  ratio: round(value / peerValue),
  goal: `at most ${peerValue} ${unit}`,
  holds: value <= peerValue,
});

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { removeHome } from '../src/platform/postgres-data.ts';
import { readStatus } from '../src/platform/status.ts';
import { killed } from './kill.ts';
import { limit, type Result, round } from './measure.ts';
import { cpuSeconds } from './processes.ts';
import { UpPlatform } from './up.ts';

const victims = ['region.tpe-1', 'control', 'api', 'simulator', 'temporal', 'postgres'] as const;
/** A batch that is under way for about ten seconds. */
const batch = { id: 'K6', operations: 100, parallelLimit: 10, stepMs: 1000, doneBefore: 15 };
const restSeconds = 30;
/** PostgreSQL's backends tell of what they wrote up to this much later. */
const statisticsLagMs = 12_000;

/** K6 and K7: what a `kill -9` of each process costs, and what a platform at rest does, measured on one as `millwright up` starts it. */
export async function benchPromise(): Promise<Result[]> {
  const home = mkdtempSync(join(tmpdir(), 'millwright-promise-'));
  const platform = new UpPlatform(home);
  try {
    await platform.up();
    const results = [];
    for (const victim of victims) results.push(...(await killed(platform, victim, batch)));
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

/** What a platform does that nobody asks for anything. */
async function atRest(platform: UpPlatform): Promise<Result[]> {
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

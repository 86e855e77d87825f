import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Config, readConfig } from '../../src/config/index.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createLogger } from '../../src/log.ts';
import { type RunningPart, startPostgres, startTemporal } from '../../src/platform/parts.ts';
import { freePorts } from '../../src/platform/ports.ts';
import { startSimulator } from '../../src/providers/simulator/server.ts';
import { ensureKeyFile } from '../../src/secrets/key-file.ts';
import { Api } from '../harness/api.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { Simulator } from '../harness/simulator.ts';
import { readEvents, type SentEvent } from '../harness/sse.ts';
import { until } from '../harness/until.ts';

interface Replica {
  readonly url: string;
  readonly child: ChildProcess;
  ready: boolean;
}

const home = mkdtempSync(join(tmpdir(), 'millwright-rolling-'));
const running = new Set<ChildProcess>();
const parts: RunningPart[] = [];
let simulated: { readonly url: string; stop(): Promise<void> };
let simulator: Simulator;
let config: Config;
let token: string;
let sql: Sql;
let replicas: Replica[] = [];

beforeAll(async () => {
  const log = createLogger('test', 'silent');
  for (const file of ['payload.keys', 'secret.keys']) ensureKeyFile(join(home, 'keys', file));
  parts.push(...(await Promise.all([startPostgres(), startTemporal()])));
  const [database, temporal] = parts;
  simulated = await startSimulator({ port: 0, file: join(home, 'simulator.sqlite') }, log);
  simulator = new Simulator(simulated.url);
  await migrate(database?.url ?? '', home, log);
  config = readConfig({
    MILLWRIGHT_HOME: home,
    DATABASE_URL: database?.url,
    TEMPORAL_ADDRESS: temporal?.url,
    MILLWRIGHT_SIMULATOR_URL: simulated.url,
    MILLWRIGHT_API_DRAIN_MS: '500',
    MILLWRIGHT_LOG_LEVEL: 'warn',
    // Where twelve want each processor a workflow task takes 9 to 17 s; no worker is killed here that would be waited for.
    MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS: '60000',
  });
  token = readFileSync(join(home, 'operator.token'), 'utf8').trim();
  sql = postgres(config.DATABASE_URL ?? '', { max: 2, onnotice: () => undefined });
  // VMs take longer than a worker that stops waits for them; the rest is quick.
  await simulator.settings({ latencyMs: { 'vm.create': 7000, 'volume.create': 100, 'network.create': 300 } });
}, 120_000);
afterAll(async () => {
  await Promise.all([...running].map(killNow));
  await sql?.end();
  await simulated?.stop();
  await Promise.all(parts.map((part) => part.stop()));
  rmSync(home, { recursive: true, force: true });
});

async function start(command: readonly string[], port = 0): Promise<ChildProcess> {
  const child = await startRoleProcess({ ...config, MILLWRIGHT_API_PORT: port }, command);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Asks as a supervisor does, and sees that it goes in peace. */
async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
}

async function startReplica(): Promise<Replica> {
  const [port = 0] = await freePorts(1);
  const replica = { url: `http://127.0.0.1:${port}`, child: await start(['api'], port), ready: true };
  replicas.push(replica);
  return replica;
}

/** What a load balancer does: it asks each replica whether it is ready, and sends nothing more to one that is not. */
async function watchReplicas(stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await Promise.all(
      replicas.map(async (replica) => {
        const answer = await fetch(`${replica.url}/api/common/v1/ready`).catch(() => undefined);
        replica.ready &&= answer?.status === 200;
      }),
    );
    await pause(50);
  }
}

let turn = 0;
function anyReplica(): Api {
  const ready = replicas.filter((replica) => replica.ready);
  turn += 1;
  return new Api(ready[turn % ready.length]?.url ?? 'http://no-replica-is-ready', token);
}

test('a rolling restart under load loses no request, job or event', { timeout: 230_000 }, async () => {
  let controls = [await start(['worker', 'control']), await start(['worker', 'control'])];
  let regions = [
    await start(['worker', 'region', '--region', 'tpe-1']),
    await start(['worker', 'region', '--region', 'tpe-1']),
  ];
  await startReplica();
  await startReplica();
  const over = new AbortController();
  const balancer = watchReplicas(over.signal);
  const refused: string[] = [];
  const jobs: string[] = [];

  /** Every answer counts: none may be an error of ours, and none may be missing. */
  async function ask(method: string, path: string, body?: object | string) {
    const api = anyReplica();
    try {
      const answer = await api.tenant(method, path, body);
      if (answer.status >= 500) refused.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    } catch (error) {
      refused.push(`${method} ${path}: ${error instanceof Error ? `${error} ${error.cause}` : error}`);
      throw error;
    }
  }
  async function accepted(method: string, path: string, body?: object | string): Promise<string> {
    const answer = await ask(method, path, body);
    expect([method, path, answer.status]).toEqual([method, path, 202]);
    jobs.push(answer.body.job.id);
    return answer.body.job.id;
  }
  const ended = (id: string) =>
    until(
      `job ${id}`,
      async () => {
        const { body } = await ask('GET', `/jobs/${id}`);
        return body.endedAt !== null && body;
      },
      120_000,
    );

  async function steadily(kind: 'volumes' | 'vms', worker: number): Promise<number> {
    const bodies = {
      volumes: { sizeGib: 1 },
      vms: { flavor: 'small', image: 'debian-13', userData: `password ${worker}` },
    };
    let rounds = 0;
    for (; !over.signal.aborted; rounds += 1) {
      const name = `${kind}-${worker}-${rounds}`;
      await ended(await accepted('POST', `/${kind}`, { name, region: 'tpe-1', ...bodies[kind] }));
      await ended(await accepted('DELETE', `/${kind}/${name}`));
    }
    return rounds;
  }

  const operations = Array.from({ length: 80 }, (_, index) => ({
    ...{ id: `op-${index}`, type: 'network.create', region: 'tpe-1' },
    with: { name: `net-${index}`, cidr: `10.${index}.0.0/24` },
  }));
  const batch = await accepted('POST', '/batches', JSON.stringify({ name: 'rolling', parallelLimit: 2, operations }));
  const watched = watch(batch);
  // What goes wrong first is what the test is to say.
  watched.catch(() => undefined);
  const load = Promise.all([
    ...Array.from({ length: 4 }, (_, worker) => steadily('volumes', worker)),
    ...Array.from({ length: 3 }, (_, worker) => steadily('vms', worker)),
  ]);
  load.catch(() => undefined);

  for (const old of [...replicas]) {
    await startReplica();
    await end(old.child);
    replicas = replicas.filter((replica) => replica !== old);
  }
  for (const old of controls) {
    controls = [...controls, await start(['worker', 'control'])];
    await end(old);
  }
  for (const old of regions) {
    regions = [...regions, await start(['worker', 'region', '--region', 'tpe-1'])];
    await end(old);
  }
  over.abort();
  await Promise.all([balancer, load]);
  await ended(batch);

  expect(refused).toEqual([]);
  const states = await sql<{ state: string; count: number }[]>`SELECT state, count(*)::int FROM jobs GROUP BY state`;
  expect([...states]).toEqual([{ state: 'SUCCEEDED', count: jobs.length + operations.length }]);
  await expectConsistent({ sql, simulator });
  const made = (await simulator.calls()).filter(
    ({ operation, status }) => operation.endsWith('.create') && (status === 201 || status === 202),
  );
  expect(new Set(made.map(({ key }) => key)).size).toBe(made.length);

  const all = await readEvents(anyReplica(), `/api/tenant/v1/jobs/${batch}/events`);
  expect((await watched).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
});

/** Follows a job through every replica's end, from the event that came last. */
async function watch(id: string): Promise<SentEvent[]> {
  const seen: SentEvent[] = [];
  const hasEnded = () => seen.some(({ data }) => data.jobId === id && ['SUCCEEDED', 'FAILED'].includes(data.state));
  while (!hasEnded())
    seen.push(...(await readEvents(anyReplica(), `/api/tenant/v1/jobs/${id}/events`, seen.at(-1)?.id)));
  return seen;
}

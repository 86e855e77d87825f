import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { openKeyRing } from '../src/secrets/key-ring.ts';
import { temporalClient } from '../temporal/client.ts';
import { dataConverter } from '../temporal/codec.ts';
import { load, median, percentile, type Result, round } from './measure.ts';
import { type BenchPlatform, startBenchPlatform } from './platform.ts';

const rounds = 5;

/** K3 and K4: what accepting a request costs, and how long a job takes whose provider takes no time. */
export async function benchApi(): Promise<Result[]> {
  const accepting = await startBenchPlatform({ BENCH_START: 'later' });
  const accept = await acceptRate(accepting).finally(accepting.stop);
  const platform = await startBenchPlatform();
  try {
    await platform.role('worker', 'control');
    await platform.role('worker', 'region', '--region', 'tpe-1');
    return [...accept, await burst(platform), await roundTrip(platform)];
  } finally {
    await platform.stop();
  }
}

const volume = (name: string) => ({ name, region: 'tpe-1', sizeGib: 1 });

async function post({ url, token }: BenchPlatform, path: string, body: object): Promise<{ job: { id: string } }> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { job: { id: string } };
}

/** Rounds of both in turn, so that what disturbs the machine disturbs both; the medians are compared. */
async function acceptRate(platform: BenchPlatform): Promise<Result[]> {
  const count = 1000;
  const atOnce = 16;
  const rates = { create: [] as number[], insert: [] as number[] };
  for (let turn = 0; turn <= rounds; turn += 1) {
    const insert = await load(
      count,
      atOnce,
      async (index) => void (await post(platform, '/bench/insert', volume(`r${turn}-${index}`))),
    );
    const create = await load(
      count,
      atOnce,
      async (index) => void (await post(platform, '/api/tenant/v1/volumes', volume(`v${turn}-${index}`))),
    );
    // The first turn warms both up.
    if (turn === 0) continue;
    rates.insert.push(count / insert.seconds);
    rates.create.push(count / create.seconds);
  }
  const [value, peerValue] = [median(rates.create), median(rates.insert)];
  const ratio = value / peerValue;
  return [
    {
      id: 'K3',
      what: `creates accepted, ${atOnce} at once`,
      value: round(value),
      unit: '1/s',
      peer: 'one-row inserts through the same server',
      peerValue: round(peerValue),
      ratio: round(ratio),
      goal: 'at least 0.6',
      holds: ratio >= 0.6,
    },
  ];
}

/** A hundred creates at once, with everything running that makes them come about. */
async function burst(platform: BenchPlatform): Promise<Result> {
  const { each } = await load(
    100,
    100,
    async (index) => void (await post(platform, '/api/tenant/v1/volumes', volume(`burst-${index}`))),
  );
  const p95 = percentile(each, 0.95);
  return {
    id: 'K3-p95',
    what: '100 creates at once, p95 of the answer',
    value: round(p95),
    unit: 'ms',
    peer: 'one second',
    peerValue: 1000,
    ratio: round(p95 / 1000),
    goal: 'at most 1',
    holds: p95 <= 1000,
  };
}

/** One after the other and in turn: a create until its job has succeeded, and a workflow with one activity. */
async function roundTrip(platform: BenchPlatform): Promise<Result> {
  const bare = await bareWorkflow(platform);
  const [jobs, peers]: [number[], number[]] = [[], []];
  await ended(platform);
  for (let turn = -10; turn < 60; turn += 1) {
    let began = performance.now();
    const { job } = await post(platform, '/api/tenant/v1/volumes', volume(`trip${turn + 10}`));
    while ((await platform.sql`SELECT ended_at FROM jobs WHERE id = ${job.id}`)[0]?.ended_at === null) await pause(1);
    const took = performance.now() - began;
    began = performance.now();
    await bare.run(`bare-${turn}`);
    if (turn >= 0) {
      jobs.push(took);
      peers.push(performance.now() - began);
    }
  }
  await bare.stop();
  const [value, peerValue] = [median(jobs), median(peers)];
  const ratio = value / peerValue;
  return {
    id: 'K4',
    what: 'from request to SUCCEEDED, provider takes no time, p50',
    value: round(value),
    unit: 'ms',
    peer: 'a workflow with one activity',
    peerValue: round(peerValue),
    ratio: round(ratio),
    goal: 'at most 6',
    holds: ratio <= 6,
  };
}

/** Until the burst before has been worked off. */
async function ended({ sql }: BenchPlatform): Promise<void> {
  while ((await sql`SELECT 1 FROM jobs WHERE ended_at IS NULL LIMIT 1`).length > 0) await pause(50);
}

async function bareWorkflow({
  config,
}: BenchPlatform): Promise<{ run(id: string): Promise<void>; stop(): Promise<void> }> {
  const settings = {
    address: config.TEMPORAL_ADDRESS ?? '',
    namespace: config.TEMPORAL_NAMESPACE,
    keys: openKeyRing(config.payloadKeyFile),
  };
  const { client, connection } = temporalClient(settings);
  const native = await NativeConnection.connect({ address: settings.address });
  const worker = await Worker.create({
    connection: native,
    namespace: settings.namespace,
    taskQueue: 'bench',
    workflowsPath: fileURLToPath(new URL('./bare-workflow.ts', import.meta.url)),
    activities: { nothing: async () => undefined },
    dataConverter: { payloadCodecs: dataConverter(settings.keys).payloadCodecs ?? [] },
  });
  const running = worker.run();
  return {
    run: async (workflowId) => {
      await client.workflow.execute('bare', { workflowId, taskQueue: 'bench' });
    },
    stop: async () => {
      worker.shutdown();
      await running;
      await Promise.all([native.close(), connection.close()]);
    },
  };
}

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config/index.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { type Platform, startPlatform } from '../../src/platform/supervisor.ts';
import { Api } from '../harness/api.ts';
import { Simulator } from '../harness/simulator.ts';
import { until } from '../harness/until.ts';
import { alerts, metricsIn, panelExpressions } from './expressions.ts';

const home = mkdtempSync(join(tmpdir(), 'millwright-metrics-'));
let platform: Platform;
let api: Api;

beforeAll(async () => {
  const config = readConfig({ PATH: process.env.PATH, HOME: process.env.HOME, MILLWRIGHT_HOME: home });
  platform = await startPlatform({ config, port: 0, regions: ['tpe-1'] }, () => undefined);
  api = new Api(platform.endpoints.api, readFileSync(join(home, 'operator.token'), 'utf8').trim());
  await new Simulator(platform.endpoints.simulator).fault({ effect: 'throttle', operation: 'volume.create', times: 1 });
  await api.done('POST', '/volumes', { name: 'counted', region: 'tpe-1', sizeGib: 1 });
  await api.get('/api/tenant/v1/volumes/counted');
  await api.get('/api/tenant/v1/no-such-thing');
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  removeHome(home);
}, 60_000);

const ask = (role: string, path: string) => fetch(`${platform.endpoints.metrics[role]}${path}`);
const metricsOf = async (role: string): Promise<string> => (await ask(role, '/metrics')).text();
const roles = () => Object.keys(platform.endpoints.metrics);
/** The sample of a metric that has these labels; undefined where there is none. */
function sampleOf(text: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const line = text
    .split('\n')
    .filter((one) => one.startsWith(`${name}{`))
    .find((one) => Object.entries(labels).every(([label, value]) => one.includes(`${label}="${value}"`)));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}
/** The metrics of all roles by name, as Prometheus would have them. */
async function served(): Promise<ReadonlySet<string>> {
  const texts = await Promise.all(roles().map(metricsOf));
  return new Set(texts.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)));
}

test('every role tells that it lives, that it is ready, and of its metrics', async () => {
  expect(roles().toSorted()).toEqual(['api', 'control', 'region.tpe-1', 'simulator']);
  for (const role of roles()) {
    expect((await ask(role, '/healthz')).status, role).toBe(200);
    const ready = await ask(role, '/readyz');
    expect([ready.status, await ready.json()], role).toMatchObject([200, { ready: true }]);
    expect(await metricsOf(role), role).toContain('process_cpu_seconds_total');
  }
  expect(JSON.parse(readFileSync(join(home, 'endpoints.json'), 'utf8')).metrics).toEqual(platform.endpoints.metrics);
});

test('a request is counted under its route’s template, and what is unknown under one name', async () => {
  const text = await metricsOf('api');
  const answers = (route: string, status: string) =>
    sampleOf(text, 'millwright_http_request_duration_seconds_count', { method: 'GET', route, status });
  expect(answers('/api/tenant/v1/volumes/:id', '200')).toBe(1);
  expect(answers('unmatched', '404')).toBe(1);
  expect(sampleOf(text, 'millwright_jobs_accepted_total', { type: 'volume.create' })).toBe(1);
  expect(text).not.toMatch(/"counted|no-such-thing/);
});

test('a job is counted by its end, its step timed, and its attempts told apart', async () => {
  const control = await metricsOf('control');
  const type = 'volume.create';
  const end = { type, outcome: 'SUCCEEDED', rollback: 'none' };
  expect(sampleOf(control, 'millwright_jobs_ended_total', end)).toBe(1);
  expect(sampleOf(control, 'millwright_job_queue_wait_seconds_count', { type })).toBe(1);
  const step = { type, step: 'create', outcome: 'SUCCEEDED' };
  expect(sampleOf(control, 'millwright_step_duration_seconds_count', step)).toBe(1);
  expect(sampleOf(control, 'millwright_jobs', { state: 'HELD' })).toBe(0);
  expect(control).toMatch(/^temporal_/m);
  const region = await metricsOf('region.tpe-1');
  const attempts = (outcome: string, retry: string) =>
    sampleOf(region, 'millwright_attempt_duration_seconds_count', {
      ...{ region: 'tpe-1', provider: 'simulator', activity: 'ensureVolume' },
      ...{ outcome, retry },
    });
  expect(attempts('transient', 'no')).toBe(1);
  expect(attempts('succeeded', 'yes')).toBe(1);
});

test('a worker is counted for its region', async () => {
  await until(
    'the worker to be known',
    async () => sampleOf(await metricsOf('control'), 'millwright_region_workers', { region: 'tpe-1' }) === 1,
  );
});

test('every metric that is served is documented, and the other way round', async () => {
  const documented = [
    ...readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8').matchAll(
      /^\| `(millwright_\w+)`/gm,
    ),
  ];
  const names = [...(await served())].filter((name) => name.startsWith('millwright_'));
  expect(documented.map(([, name]) => name).toSorted()).toEqual(names.toSorted());
});

test('every metric that an alert or a panel names is served', async () => {
  const names = await served();
  const asked = [...alerts().map(({ expr }) => expr), ...panelExpressions()].flatMap(metricsIn);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
  expect(asked.length).toBeGreaterThan(20);
});

test('a role says what it misses: without Temporal a worker is not ready, and the API still is', async () => {
  const pid = platform.pidOf('temporal');
  if (pid === undefined) throw new Error('Temporal does not run');
  process.kill(pid, 'SIGSTOP');
  try {
    // A process of many threads answers for some milliseconds more.
    const answer = await until('Temporal to be stopped', async () => {
      const asked = await ask('control', '/readyz');
      return asked.status !== 200 && asked;
    });
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { ready: false, parts: { database: 'ok', temporal: 'away' } },
    ]);
    expect((await ask('control', '/healthz')).status).toBe(200);
    expect(await (await ask('api', '/readyz')).json()).toMatchObject({ ready: true, parts: { temporal: 'away' } });
    expect(sampleOf(await metricsOf('control'), 'millwright_part_up', { part: 'temporal' })).toBe(0);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

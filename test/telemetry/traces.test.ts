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
import { type Span, startCollector } from './collector.ts';

const home = mkdtempSync(join(tmpdir(), 'millwright-traces-'));
let collector: Awaited<ReturnType<typeof startCollector>>;
let platform: Platform;
let api: Api;
let simulator: Simulator;

beforeAll(async () => {
  collector = await startCollector();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
  process.env.OTEL_BSP_SCHEDULE_DELAY = '200';
  const config = readConfig({ PATH: process.env.PATH, HOME: process.env.HOME, MILLWRIGHT_HOME: home });
  platform = await startPlatform({ config, port: 0, regions: ['tpe-1'] }, () => undefined);
  api = new Api(platform.endpoints.api, readFileSync(join(home, 'operator.token'), 'utf8').trim());
  simulator = new Simulator(platform.endpoints.simulator);
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  await collector?.stop();
  removeHome(home);
}, 60_000);

/** The spans of a trace, once all that are wanted have come. */
const traceWith = (traceId: string, ...names: readonly string[]): Promise<readonly Span[]> =>
  until(`the spans ${names.join(', ')}`, async () => {
    const found = collector.spans.filter((span) => span.traceId === traceId);
    return names.every((name) => found.some((span) => span.name === name)) && found;
  });

/** The names from a span up to the root. */
function lineage(spans: readonly Span[], span: Span | undefined): string[] {
  if (!span) return [];
  return [
    span.name,
    ...lineage(
      spans,
      spans.find(({ spanId }) => spanId === span.parentSpanId),
    ),
  ];
}
const named = (spans: readonly Span[], name: string): readonly Span[] => spans.filter((span) => span.name === name);
const traceparent = (traceId: string): Record<string, string> => ({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` });

test('one trace leads from a caller’s own span to the call of the provider', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const body = { name: 'traced', region: 'tpe-1', sizeGib: 1 };
  await api.done('POST', '/volumes', body, traceparent(traceId));
  const spans = await traceWith(traceId, 'job volume.create', 'start createVolume', 'simulator volume.create');
  const request = 'POST /api/tenant/v1/volumes';
  const [call] = named(spans, 'simulator volume.create');
  expect(lineage(spans, call)).toEqual([
    'simulator volume.create',
    'attempt ensureVolume',
    'step create',
    'job volume.create',
    request,
  ]);
  expect(lineage(spans, named(spans, 'start createVolume')[0])).toEqual([
    'start createVolume',
    'job volume.create',
    request,
  ]);
  expect(named(spans, request)[0]).toMatchObject({ parentSpanId: '00f067aa0ba902b7', service: 'millwright-api' });
  expect(call?.service).toBe('millwright-region.tpe-1');
});

test('a step that is tried again is one span with an attempt for each try', async () => {
  const traceId = '5bf92f3577b34da6a3ce929d0e0e4736';
  await simulator.fault({ effect: 'throttle', operation: 'volume.create', name: 'tried', times: 1 });
  await api.done('POST', '/volumes', { name: 'tried', region: 'tpe-1', sizeGib: 1 }, traceparent(traceId));
  const spans = await traceWith(traceId, 'job volume.create');
  const [step] = named(spans, 'step create');
  expect(named(spans, 'step create')).toHaveLength(1);
  expect(named(spans, 'attempt ensureVolume').map(({ parentSpanId }) => parentSpanId)).toEqual([
    step?.spanId,
    step?.spanId,
  ]);
  expect(step?.attributes['millwright.step.attempts']).toBe(2);
});

test('a batch’s operation is traced below the batch, and the batch below the request that applied it', async () => {
  const traceId = '6bf92f3577b34da6a3ce929d0e0e4736';
  const file = `name: traced\nversion: 1\noperations:\n  - {id: one, type: volume.create, region: tpe-1, with: {name: traced-1, sizeGib: 1}}\n`;
  await api.done('POST', '/batches', file, traceparent(traceId));
  const spans = await traceWith(traceId, 'job batch.apply', 'job volume.create');
  expect(lineage(spans, named(spans, 'simulator volume.create')[0])).toEqual([
    'simulator volume.create',
    'attempt ensureVolume',
    'step create',
    'job volume.create',
    'job batch.apply',
    'POST /api/tenant/v1/batches',
  ]);
});

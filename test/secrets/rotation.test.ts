import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { addKey, listKeys, promoteKey, retireKey, rewrap } from '../../cli/keys.ts';
import type { Config } from '../../src/config/index.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { codecSecret } from '../../temporal/payload-keys.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
let keys: string;
let config: Config;

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'millwright-rotation-'));
  mkdirSync(keys, { recursive: true });
  for (const file of ['payload.keys', 'secret.keys']) {
    copyFileSync(join(inject('parts').home, 'keys', file), join(keys, file));
  }
  platform = await startTestPlatform({
    environment: {
      MILLWRIGHT_PAYLOAD_KEY_FILE: join(keys, 'payload.keys'),
      MILLWRIGHT_SECRET_KEY_FILE: join(keys, 'secret.keys'),
    },
  });
  config = platform.config;
});
afterAll(async () => {
  await platform.stop();
  rmSync(keys, { recursive: true, force: true });
});

const vm = (name: string) => ({
  ...{ name, region: 'tpe-1', flavor: 'small', image: 'debian-13' },
  userData: `password of ${name}`,
});

const activeId = (file: string): string => openKeyRing(file).active().id;

test('both keys rotate while jobs run: none fails, and what was written before still opens', {
  timeout: 120_000,
}, async () => {
  const { api, sql, temporal } = platform;
  const before = await api.done('POST', '/vms', vm('before'));
  const [oldSecret, oldPayload] = [activeId(config.secretKeyFile), activeId(config.payloadKeyFile)];
  const codec = codecSecret(openKeyRing(config.payloadKeyFile));

  const load = { on: true, jobs: [] as string[] };
  const steady = (async () => {
    for (let index = 0; load.on; index += 1) {
      const answer = await api.tenant('POST', '/vms', vm(`load-${index}`));
      expect(answer.status).toBe(202);
      load.jobs.push(answer.body.job.id);
      await api.jobWhen(answer.body.job.id);
    }
  })();
  const more = async (): Promise<unknown> => {
    const wanted = load.jobs.length + 3;
    return await until('more jobs', async () => load.jobs.length >= wanted);
  };

  await more();
  const secret = addKey(config.secretKeyFile);
  const payload = addKey(config.payloadKeyFile);
  await more();
  expect(await sql`SELECT 1 FROM data_keys WHERE key_id = ${secret}`).toHaveLength(0);
  promoteKey(config.secretKeyFile, secret);
  promoteKey(config.payloadKeyFile, payload);
  await until('a data key under the new key', async () => {
    await more();
    return (await sql`SELECT 1 FROM data_keys WHERE key_id = ${secret}`).length > 0;
  });
  await expect(retireKey(config, 'secrets', oldSecret)).rejects.toThrow('ask again a minute later');
  const later = Date.now() + 120_000;
  await expect(retireKey(config, 'secrets', oldSecret, later)).rejects.toThrow(/still wraps \d+ data keys/);
  expect((await rewrap(config)).rewrapped).toBeGreaterThan(0);
  expect((await rewrap(config)).rewrapped).toBe(0);
  await more();
  await retireKey(config, 'secrets', oldSecret, later);
  await more();
  load.on = false;
  await steady;

  for (const id of load.jobs) expect(await api.job(id)).toMatchObject({ state: 'SUCCEEDED', steps: [{ attempts: 1 }] });
  // Temporal still keeps what the older payload key encrypted.
  await expect(retireKey(config, 'payloads', oldPayload, later)).rejects.toThrow(/needed by \d+ workflows/);
  const last = await api.job(load.jobs.at(-1) ?? '');
  for (const [{ workflowId }, keyId] of [
    [before, oldPayload],
    [last, payload],
  ] as const) {
    const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
    const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    expect(Buffer.from(input?.metadata?.['encryption-key-id'] ?? []).toString()).toBe(keyId);
  }
  // The address that the Web UI was started with goes on being answered.
  const answer = await api.request('POST', `/api/ops/v1/codec/${codec}/decode`, { payloads: [] });
  expect(answer.status).toBe(200);
  expect(await listKeys(config)).toEqual([
    { use: 'secrets', id: secret, state: 'active', until: null, neededBy: expect.stringMatching(/data keys/) },
    { use: 'payloads', id: payload, state: 'active', until: null, neededBy: '' },
    {
      use: 'payloads',
      id: oldPayload,
      state: 'retiring',
      until: expect.any(String),
      neededBy: expect.stringMatching(/workflows/),
    },
  ]);
});

test('a key that was added and never promoted may be taken out at once; the active one may not', async () => {
  const id = addKey(config.payloadKeyFile);
  await retireKey(config, 'payloads', id);
  expect(readFileSync(config.payloadKeyFile, 'utf8')).not.toContain(id);
  await expect(retireKey(config, 'payloads', activeId(config.payloadKeyFile))).rejects.toThrow('is the active one');
  await expect(retireKey(config, 'payloads', 'k0')).rejects.toThrow('holds no key "k0"');
});

test('a change of a key file that was cut short is told of, and changes nothing', () => {
  const before = readFileSync(config.payloadKeyFile, 'utf8');
  writeFileSync(`${config.payloadKeyFile}.new`, '');
  expect(() => addKey(config.payloadKeyFile)).toThrow('remove it');
  rmSync(`${config.payloadKeyFile}.new`);
  expect(readFileSync(config.payloadKeyFile, 'utf8')).toBe(before);
});

test('what a release before sealing stored in clear is sealed by a rewrap, and still compared and run', async () => {
  const { api, sql } = platform;
  const file = `name: clear\noperations:\n  - { id: a, type: vm.create, region: tpe-1, with: { name: clear, flavor: small, image: debian-13, userData: in-clear } }\n`;
  const first = await api.done('POST', '/batches', file);
  const [row] = await sql<
    { id: string; resourceId: string }[]
  >`SELECT id, resource_id AS "resourceId" FROM jobs WHERE resource_name = 'clear' AND type = 'vm.create'`;
  await sql`UPDATE jobs SET input = jsonb_set(input, '{spec,userData}', '"in-clear"') WHERE id = ${row?.id ?? ''}`;
  await sql`UPDATE batch_operations SET spec = jsonb_set(spec, '{userData}', '"in-clear"') WHERE job_id = ${row?.id ?? ''}`;
  await sql`UPDATE resources SET requested = requested - 'userData' || jsonb_build_object('userDataSha256', encode(sha256('in-clear'), 'hex')) WHERE id = ${row?.resourceId ?? ''}`;
  expect((await api.tenant('POST', '/batches', file)).body.resource.counts).toEqual({ UNCHANGED: 1 });
  expect(await rewrap(config)).toMatchObject({ sealed: 2 });
  const left = await sql`
    SELECT 1 FROM jobs WHERE input::text LIKE '%in-clear%' UNION ALL SELECT 1 FROM batch_operations WHERE spec::text LIKE '%in-clear%'
    UNION ALL SELECT 1 FROM resources WHERE requested ? 'userDataSha256' AND id = ${row?.resourceId ?? ''}`;
  expect(left).toHaveLength(0);
  expect((await api.tenant('POST', '/batches', file)).body.resource.counts).toEqual({ UNCHANGED: 1 });
  expect(first.state).toBe('SUCCEEDED');
});

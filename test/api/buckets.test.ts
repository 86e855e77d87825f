import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteBucketKeys, insertBucketKey } from '../../src/db/queries/bucket-keys.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const newBucket = async (name: string): Promise<void> => {
  expect(await platform.api.done('POST', '/buckets', { name, region: 'tpe-1' })).toMatchObject({ state: 'SUCCEEDED' });
};
const bucket = async (name: string) => (await platform.api.tenant('GET', `/buckets/${name}`)).body;
const held = async () => (await platform.api.tenant('GET', '/quota')).body.items[0].metrics.buckets.used;

test('a bucket counts in the quota, says where it is reached, and gives its place back', async () => {
  const before = await held();
  await newBucket('logs');
  expect(await held()).toBe(before + 1);
  expect(await bucket('logs')).toMatchObject({
    ...{ kind: 'bucket', status: 'available', region: 'tpe-1' },
    endpoint: expect.stringContaining('https://'),
  });
  expect(await platform.api.done('DELETE', '/buckets/logs')).toMatchObject({ state: 'SUCCEEDED' });
  expect(await held()).toBe(before);
});

test('one that holds objects is not deleted, and stays in use; by force it is, with them', async () => {
  await newBucket('full');
  await platform.simulator.objects('tpe-1', 'full', 3);
  expect(await platform.api.done('DELETE', '/buckets/full')).toMatchObject({
    ...{ state: 'FAILED', rollback: 'complete', leftovers: [] },
    error: { code: 'conflict', message: expect.stringContaining('is not empty: it holds 3 objects') },
  });
  expect(await bucket('full')).toMatchObject({ status: 'available', currentJobId: null });
  expect(await platform.api.done('DELETE', '/buckets/full?force=true')).toMatchObject({ state: 'SUCCEEDED' });
  expect((await platform.api.tenant('GET', '/buckets/full')).status).toBe(404);
});

test('an empty one whose deletion is canceled half way is made anew', async () => {
  const { api, simulator } = platform;
  await newBucket('back');
  const before = await bucket('back');
  await simulator.settings({ latencyMs: { 'bucket.delete': 1000 } });
  const { job } = (await api.tenant('DELETE', '/buckets/back')).body;
  await until('the provider to delete it', async () =>
    (await simulator.inventory()).some(({ name, state }) => name === 'back' && state === 'deleting'),
  );
  expect(await api.canceled(job.id)).toMatchObject({ state: 'CANCELED', rollback: 'complete', leftovers: [] });
  await simulator.settings({ latencyMs: { 'bucket.delete': 0 } });
  const { providerReference, ...after } = await bucket('back');
  expect(after).toMatchObject({ status: 'available', currentJobId: null, endpoint: before.endpoint });
  expect(await simulator.names()).toContain('bucket back');
  const path = `${simulator.url}/v1/regions/tpe-1/buckets/${after.id}`;
  expect(await (await fetch(path)).json()).toMatchObject({ reference: providerReference });
  expect(providerReference).not.toBe(before.providerReference);
});

test('an access key is made, listed without its secret, and revoked', async () => {
  const { api, simulator } = platform;
  await newBucket('keyed');
  const made = await api.tenant('POST', '/buckets/keyed/create-key', { key: 'app' });
  const { accessKey, secret } = made.body.key;
  expect(await api.jobWhen(made.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(secret).toMatch(/^[\w-]{40}$/);
  expect((await bucket('keyed')).keys).toEqual([{ name: 'app', accessKey, createdAt: expect.any(String) }]);
  const atProvider = async () => (await simulator.inventory()).find(({ name }) => name === 'keyed')?.keys;
  expect(await atProvider()).toEqual([accessKey]);
  expect(await api.done('POST', '/buckets/keyed/revoke-key', { key: 'app' })).toMatchObject({ state: 'SUCCEEDED' });
  expect((await bucket('keyed')).keys).toEqual([]);
  expect(await atProvider()).toEqual([]);
});

test('the same request gets the same secret while its job is under way, and none afterwards', async () => {
  const { api, simulator } = platform;
  await newBucket('lost');
  const fault = await simulator.fault({ effect: 'permanent', operation: 'bucket.create-key', name: 'lost' });
  const ask = () =>
    api.tenant('POST', '/buckets/lost/create-key', { key: 'app', onFailure: 'hold' }, { 'Idempotency-Key': 'lost-1' });
  const first = (await ask()).body;
  await api.jobWhen(first.job.id, ({ state }) => state === 'HELD');
  expect((await ask()).body.key).toEqual(first.key);
  await simulator.removeFault(fault);
  expect(await api.settled(first.job.id, 'retry')).toMatchObject({ state: 'SUCCEEDED' });
  expect((await ask()).body).toMatchObject({ key: { accessKey: first.key.accessKey, secret: null } });
});

test('a secret is nowhere in the database in clear, nor in what anybody is told', async () => {
  const { api, simulator, sql } = platform;
  await newBucket('secretive');
  await simulator.fault({ effect: 'echo', operation: 'bucket.create-key', name: 'secretive', times: 1 });
  const { key, job } = (await api.tenant('POST', '/buckets/secretive/create-key', { key: 'app' })).body;
  const ended = await api.jobWhen(job.id);
  expect(ended.state).toBe('FAILED');
  const told = await Promise.all(
    ['/jobs', '/buckets', `/jobs/${job.id}`, '/events'].map(async (path) => (await api.tenant('GET', path)).body),
  );
  const kept = await sql`
    SELECT (SELECT jsonb_agg(to_jsonb(j)) FROM jobs j) AS jobs, (SELECT jsonb_agg(to_jsonb(e)) FROM events e) AS events,
      (SELECT jsonb_agg(to_jsonb(a)) FROM audit_entries a) AS audit, (SELECT jsonb_agg(to_jsonb(k)) FROM bucket_keys k) AS keys`;
  expect(JSON.stringify([ended, told, kept])).not.toContain(key.secret);
  expect((await bucket('secretive')).keys).toEqual([]);
});

test('the name of an access key is given once, and one that is not there is not revoked: 409, which says so', async () => {
  const { api } = platform;
  await newBucket('twice');
  const ask = (verb: string, key: string) => api.tenant('POST', `/buckets/twice/${verb}`, { key });
  expect(await api.jobWhen((await ask('create-key', 'app')).body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  const { keys } = await bucket('twice');
  expect(await ask('create-key', 'app')).toMatchObject({
    status: 409,
    body: { code: 'conflict', detail: expect.stringContaining('has an access key "app" already') },
  });
  expect(await ask('revoke-key', 'other')).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('has no access key "other"') },
  });
  expect((await bucket('twice')).keys).toEqual(keys);
});

test('an access key whose name another one got meanwhile is refused, and the other stays', async () => {
  const { api, sql } = platform;
  await newBucket('raced');
  const { id } = await bucket('raced');
  const other = 'MWOTHEROTHEROTHEROTH';
  const { body } = await sql.begin(async (meanwhile) => {
    // Its foreign key would lock the bucket, and keep the request waiting.
    await meanwhile`SET LOCAL session_replication_role = replica`;
    await meanwhile`INSERT INTO bucket_keys (bucket_id, name, access_key) VALUES (${id}, 'app', ${other})`;
    return await api.tenant('POST', '/buckets/raced/create-key', { key: 'app' });
  });
  expect(await api.jobWhen(body.job.id)).toMatchObject({
    ...{ state: 'FAILED', rollback: 'complete', leftovers: [] },
    error: { code: 'conflict', message: expect.stringContaining('has another access key "app"') },
  });
  expect(await bucket('raced')).toMatchObject({ status: 'available', keys: [{ name: 'app', accessKey: other }] });
});

test('an access key is listed once however often it is told, and never as that of two buckets', async () => {
  const { sql } = platform;
  await Promise.all(['first', 'second'].map(newBucket));
  const [first, second] = await Promise.all(['first', 'second'].map(bucket));
  const key = { name: 'app', accessKey: 'MWTWICETWICETWICETWI' };
  for (const _ of [1, 2]) await insertBucketKey(sql, first.id, key);
  await expect(insertBucketKey(sql, second.id, key)).rejects.toMatchObject({ code: 'conflict' });
  await deleteBucketKeys(sql, second.id, key.accessKey);
  expect((await bucket('first')).keys).toMatchObject([key]);
  expect((await bucket('second')).keys).toEqual([]);
});

test('a bucket with access keys is not deleted, unless by force with them', async () => {
  const { api, sql } = platform;
  await newBucket('opened');
  expect(await api.done('POST', '/buckets/opened/create-key', { key: 'app' })).toMatchObject({ state: 'SUCCEEDED' });
  expect(await api.tenant('DELETE', '/buckets/opened')).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('has access keys: "app"') },
  });
  const { id, keys } = await bucket('opened');
  expect(keys).toMatchObject([{ name: 'app' }]);
  expect(await api.done('DELETE', '/buckets/opened?force=true')).toMatchObject({ state: 'SUCCEEDED' });
  expect(await sql`SELECT FROM bucket_keys WHERE bucket_id = ${id}`).toHaveLength(0);
});

test('a deletion by force that is held, or fails, lists the keys until the bucket is gone', async () => {
  const { api, simulator } = platform;
  for (const onFailure of ['rollback', 'keep']) {
    const name = `forced-${onFailure}`;
    await newBucket(name);
    await api.done('POST', `/buckets/${name}/create-key`, { key: 'app' });
    const { keys } = await bucket(name);
    const fault = await simulator.fault({ effect: 'permanent', operation: 'bucket.delete', name });
    const { job } = (await api.tenant('DELETE', `/buckets/${name}?force=true&onFailure=${onFailure}`)).body;
    await api.jobWhen(job.id, ({ state }) => state === (onFailure === 'keep' ? 'FAILED' : 'HELD'));
    expect(await bucket(name)).toMatchObject({ keys, status: onFailure === 'keep' ? 'error' : 'deleting' });
    await simulator.removeFault(fault);
    const ended =
      onFailure === 'keep'
        ? await api.done('DELETE', `/buckets/${name}?force=true`)
        : await api.settled(job.id, 'retry');
    expect(ended).toMatchObject({ state: 'SUCCEEDED' });
    expect((await api.tenant('GET', `/buckets/${name}`)).status).toBe(404);
  }
});

test('a batch does not replace a bucket that has keys: it stays as it is', async () => {
  const { api } = platform;
  await newBucket('moved');
  await api.done('POST', '/buckets/moved/create-key', { key: 'app' });
  const before = await bucket('moved');
  const file = 'name: move\noperations:\n  - { id: b, type: bucket.create, region: nrt-1, with: { name: moved } }\n';
  const { body } = await api.tenant('POST', '/batches', file);
  expect(await api.jobWhen(body.job.id)).toMatchObject({
    state: 'FAILED',
    error: { message: expect.stringContaining('has access keys: "app"') },
  });
  expect(await bucket('moved')).toEqual(before);
});

test('a batch brings the secret of its access key, and plans nothing the second time', async () => {
  const { api } = platform;
  await newBucket('of-batch');
  const file = (given: string) =>
    `name: keys\noperations:\n  - { id: k, type: bucket.create-key, with: { name: of-batch, key: app${given} } }\n`;
  expect((await api.tenant('POST', '/batches', file(''))).body.detail).toContain('secret');
  const whole = file(`, secret: ${'s3cret-'.repeat(6)}`);
  const { body } = await api.tenant('POST', '/batches', whole);
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  const plan = (await api.tenant('POST', '/batches?dryRun=true', whole)).body;
  expect(plan.operations.map(({ action }: { action: string }) => action)).toEqual(['none']);
});

test('a batch makes a bucket, labels it, and deletes it by force', async () => {
  const apply = async (operations: string): Promise<void> => {
    const { body } = await platform.api.tenant('POST', '/batches', `name: store\noperations:\n${operations}`);
    expect(await platform.api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  };
  await apply('  - { id: b, type: bucket.create, region: tpe-1, with: { name: in-batch } }\n');
  await apply('  - { id: b, type: bucket.update, with: { name: in-batch, labels: { seen: "yes" } } }\n');
  expect(await bucket('in-batch')).toMatchObject({ labels: { seen: 'yes' } });
  await platform.simulator.objects('tpe-1', 'in-batch', 1);
  await apply('  - { id: b, type: bucket.delete, with: { name: in-batch, force: true } }\n');
  expect((await platform.api.tenant('GET', '/buckets/in-batch')).status).toBe(404);
});

test('afterwards data centre and database agree', () => expectConsistent(platform));

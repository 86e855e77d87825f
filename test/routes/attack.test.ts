import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cases, type Parts } from './cases.ts';
import { type Answered, ask, type Operation, operationsOf, placeQuery, queryNames } from './operations.ts';
import { startWorld, type Tenant, type World } from './world.ts';

/**
 * Two tenants attack each other: the administrator of one asks for everything with the ids and names of the other. What
 * comes back is what comes back for things that do not exist anywhere, in status, headers and body.
 */
let world: World;
let operations: Operation[];
beforeAll(async () => {
  world = await startWorld();
  operations = await operationsOf(world.operator.url);
}, 120_000);
afterAll(() => world.platform.stop());

/** All that a tenant is known by. */
const idsOf = ({
  organization,
  project,
  vm,
  network,
  volume,
  job,
  heldJob,
  batch,
  account,
  accountToken,
  binding,
}: Tenant): string[] =>
  [organization, project, vm, network, volume, job, heldJob, batch, account, accountToken, binding].map(({ id }) => id);
const namesOf = ({ organization, project, vm, network, volume, batch }: Tenant): string[] =>
  [organization, project, vm, network, volume, batch].map(({ name }) => name);

const unknownName = 'nothing-there';

/** An answer without what each answer has of its own, and without what was sent. */
function comparable({ status, headers, text }: Answered, sent: readonly string[]): object {
  const own = ['date', 'x-request-id', 'ratelimit', 'content-length', 'keep-alive', 'connection'];
  const shown = sent.reduce(
    (so, value) => so.replaceAll(value, '<sent>'),
    text.replace(/"(requestId|cursor)":"[^"]*"/g, ''),
  );
  return { status, headers: [...headers].filter(([name]) => !own.includes(name)), text: shown };
}

/** Asks twice, once with what the other tenant has and once with what nobody has. */
async function expectSame(
  operation: Operation,
  attempt: (value: string) => { parts: Parts; query: Record<string, string> },
  theirs: string,
): Promise<void> {
  const unknown = /^[0-9a-f-]{36}$/.test(theirs) ? randomUUID() : unknownName;
  const [hidden, absent] = [theirs, unknown].map((value) => ({ ...attempt(value), value }));
  if (!hidden || !absent) throw new Error('two attempts');
  const attacker = world.ours.admin;
  const first = comparable(await ask(operation, attacker, hidden.parts, hidden.query), [hidden.value]);
  const second = comparable(await ask(operation, attacker, absent.parts, absent.query), [absent.value]);
  expect({ operation: operation.id, value: '', ...first }).toEqual({ operation: operation.id, value: '', ...second });
}

test('every path: another tenant’s ids and names are as unknown as any', async () => {
  for (const operation of operations) {
    const { params = {}, body } = cases[operation.id]?.what(world.theirs, world) ?? {};
    for (const [name, id] of Object.entries(params)) {
      const named = [
        world.theirs.vm,
        world.theirs.network,
        world.theirs.volume,
        world.theirs.batch,
        world.theirs.project,
        world.theirs.organization,
      ];
      const known = named.find((thing) => thing.id === id)?.name;
      for (const value of [id, ...(known ? [known] : [])]) {
        const query = placeQuery(operation, world.ours);
        await expectSame(
          operation,
          (sent) => ({ parts: { params: { ...params, [name]: sent }, ...(body ? { body } : {}) }, query }),
          value,
        );
      }
    }
  }
}, 60_000);

test('every place and filter: another tenant’s ids and names are as unknown as any', async () => {
  for (const operation of operations) {
    const parts = cases[operation.id]?.what(world.ours, world) ?? {};
    for (const parameter of queryNames(operation).filter((name) => name !== 'limit' && name !== 'cursor')) {
      const values = [
        ...idsOf(world.theirs),
        ...(['project', 'organization'].includes(parameter) ? namesOf(world.theirs) : []),
      ];
      for (const value of values) {
        const query = placeQuery(operation, world.ours);
        // What would be done to a thing of one's own is not asked for.
        if (operation.method !== 'GET' && !['project', 'organization'].includes(parameter)) continue;
        await expectSame(operation, (sent) => ({ parts, query: { ...query, [parameter]: sent } }), value);
      }
    }
  }
}, 120_000);

test('no list, and no cursor of another’s list, shows what another tenant has', async () => {
  for (const operation of operations.filter(({ method }) => method === 'GET')) {
    const parts = cases[operation.id]?.what(world.ours, world) ?? {};
    const cursors = queryNames(operation).includes('cursor')
      ? idsOf(world.theirs).map((id) => Buffer.from(JSON.stringify({ after: id })).toString('base64url'))
      : [];
    for (const cursor of [undefined, ...cursors]) {
      const query = { ...placeQuery(operation, world.ours), ...(cursor ? { cursor } : {}) };
      const { text } = await ask(operation, world.ours.admin, parts, query);
      for (const secret of [...idsOf(world.theirs), ...namesOf(world.theirs)]) {
        expect(text.includes(`"${secret}"`), `${operation.id} shows ${secret}`).toBe(false);
      }
    }
  }
}, 60_000);

test('a body that names what another tenant has is refused as one that names nothing', async () => {
  const { ours, theirs } = world;
  const vm = { name: 'thief', region: 'tpe-1', flavor: 'small', image: 'debian-13' };
  const bodies: [string, (value: string) => object | string, string[]][] = [
    ['create-vm', (value) => ({ ...vm, networks: [value] }), [theirs.network.id, theirs.network.name]],
    ['create-vm', (value) => ({ ...vm, volumes: [value] }), [theirs.volume.id, theirs.volume.name]],
    ['create-role-binding', (value) => ({ role: 'viewer', serviceAccount: value }), [theirs.account.id]],
    ['create-token', (value) => ({ name: 'thief', project: value }), [theirs.project.id, theirs.project.name]],
    [
      'create-service-account-token',
      (value) => ({ name: 'thief', project: value }),
      [theirs.project.id, theirs.project.name],
    ],
  ];
  for (const [id, body, values] of bodies) {
    const operation = operations.find((one) => one.id === id);
    if (!operation) throw new Error(id);
    const params = cases[id]?.what(ours, world).params ?? {};
    const query = placeQuery(operation, ours);
    for (const value of values)
      await expectSame(operation, (sent) => ({ parts: { params, body: body(sent) }, query }), value);
  }
});

test('the same names and idempotency keys are free to each tenant, and tell nothing of the other’s', async () => {
  const { ours, theirs } = world;
  const key = { 'idempotency-key': 'the-same' };
  const body = { name: theirs.volume.name, region: 'tpe-1', sizeGib: 7 };
  const one = await theirs.member.tenant('POST', '/volumes', { ...body, name: 'keyed' }, key);
  const other = await ours.member.tenant('POST', '/volumes', body, key);
  expect([one.status, other.status]).toEqual([202, 202]);
  expect(other.body.resource).toMatchObject({ name: theirs.volume.name, projectId: ours.project.id });
  const name = { name: theirs.project.name };
  expect((await ours.admin.tenant('POST', '/projects', name)).status).toBe(201);
  expect((await ours.admin.tenant('POST', '/service-accounts', { name: theirs.account.name })).status).toBe(201);
});

test('an invitation says nothing of whether somebody is known', async () => {
  const invite = (user: string) => world.ours.admin.tenant('POST', '/role-bindings', { role: 'viewer', user });
  const [known, unknown] = await Promise.all([invite(world.user.email), invite('nobody@example.com')]);
  expect([known.status, unknown.status]).toEqual([201, 201]);
  expect(Object.keys(known.body).toSorted()).toEqual(Object.keys(unknown.body).toSorted());
});

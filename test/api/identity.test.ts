import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

const unique = (stem: string): string => `${stem}-${randomUUID().slice(0, 8)}`;
const volume = (name: string) => ({ name, region: 'tpe-1', sizeGib: 1 });

/** Asks as an operator, expects it to be made, and gives it. */
async function made(method: string, path: string, body: object, as: Api = platform.api) {
  const answer = await as.request(method, path, body);
  expect([path, answer.status, answer.body.detail]).toEqual([path, 201, undefined]);
  return answer.body;
}

/** An organisation with one project, and a service account with this role on it: what it asks with. */
async function tenant(role: string, on: 'project' | 'organization' = 'project') {
  const organization = await made('POST', '/api/ops/v1/organizations', { name: unique('org') });
  const project = await made('POST', `/api/tenant/v1/projects?organization=${organization.name}`, {
    name: unique('web'),
  });
  const query = on === 'project' ? `?project=${project.id}` : `?organization=${organization.id}`;
  const account = await made('POST', `/api/tenant/v1/service-accounts${query}`, { name: 'robot' });
  const binding = await made('POST', `/api/tenant/v1/role-bindings${query}`, { role, serviceAccount: 'robot' });
  const token = await made('POST', `/api/tenant/v1/service-accounts/robot/tokens${query}`, { name: 'ci' });
  return { organization, project, account, binding, token, query, api: new Api(platform.api.url, token.token) };
}

describe('a token', () => {
  test('is shown once, kept as a hash, and says whose it is', async () => {
    const { token, api, account } = await tenant('member');
    expect(token.token).toMatch(/^mw_[\w-]{43}$/);
    const listed = await platform.api.get(
      `/api/tenant/v1/service-accounts/${account.id}/tokens?project=${account.projectId}`,
    );
    expect(listed.body.items).toMatchObject([{ name: 'ci', principal: { kind: 'service-account', name: 'robot' } }]);
    expect(JSON.stringify(listed.body)).not.toContain(token.token);
    const everywhere = await platform.sql`SELECT to_jsonb(t)::text AS row FROM api_tokens t`;
    expect(JSON.stringify(everywhere)).not.toContain(token.token);
    expect((await api.get('/api/common/v1/whoami')).body).toMatchObject({
      principal: { kind: 'service-account', name: 'robot' },
      roles: [{ role: 'member' }],
      projectOnly: true,
    });
  });

  test('is refused from the next request on when it is revoked, its account deleted, its role taken away, or its time over', async () => {
    const revoked = await tenant('member');
    expect((await revoked.api.tenant('GET', '/vms')).status).toBe(200);
    const path = `/api/tenant/v1/service-accounts/robot/tokens/${revoked.token.id}${revoked.query}`;
    expect((await platform.api.request('DELETE', path)).status).toBe(204);
    expect((await revoked.api.tenant('GET', '/vms')).status).toBe(401);

    const deleted = await tenant('member');
    expect((await platform.api.request('DELETE', `/api/tenant/v1/service-accounts/robot${deleted.query}`)).status).toBe(
      204,
    );
    expect((await deleted.api.tenant('GET', '/vms')).status).toBe(401);

    const unbound = await tenant('member');
    expect(
      (await platform.api.request('DELETE', `/api/tenant/v1/role-bindings/${unbound.binding.id}${unbound.query}`))
        .status,
    ).toBe(204);
    expect((await unbound.api.tenant('GET', '/vms')).status).toBe(403);
    expect((await unbound.api.tenant('GET', `/vms${unbound.query}`)).status).toBe(404);

    const expired = await tenant('member');
    await platform.sql`UPDATE api_tokens SET expires_at = now() WHERE id = ${expired.token.id}`;
    expect((await expired.api.tenant('GET', '/vms')).status).toBe(401);
  });

  test('asks and is revoked at the same moment: what comes after the answer to its end is refused', async () => {
    const { api, token, query } = await tenant('member');
    const asking = Array.from({ length: 50 }, () => api.tenant('GET', '/vms'));
    const path = `/api/tenant/v1/service-accounts/robot/tokens/${token.id}${query}`;
    expect((await platform.api.request('DELETE', path)).status).toBe(204);
    const after = await Promise.all(Array.from({ length: 50 }, () => api.tenant('GET', '/vms')));
    expect(after.map(({ status }) => status)).toEqual(Array(50).fill(401));
    for (const { status } of await Promise.all(asking)) expect([200, 401]).toContain(status);
  });

  test('lets through no more than the token that made it, for no longer, and nowhere else', async () => {
    const { api, project } = await tenant('admin', 'organization');
    const narrow = new Api(
      api.url,
      (await made('POST', '/api/tenant/v1/tokens', { name: 'narrow', role: 'viewer', project: project.name }, api))
        .token,
    );
    expect((await narrow.tenant('POST', '/volumes', volume('no'))).status).toBe(403);
    expect((await narrow.tenant('POST', '/tokens', { name: 'wider', role: 'admin' })).status).toBe(403);
    const child = await made('POST', '/api/tenant/v1/tokens', { name: 'child' }, narrow);
    expect(child).toMatchObject({ role: 'viewer', projectOnly: true, projectId: project.id });
    const [parent] = (await narrow.get('/api/tenant/v1/tokens')).body.items.filter(
      ({ name }: { name: string }) => name === 'narrow',
    );
    expect(child.expiresAt <= parent.expiresAt).toBe(true);
  });

  test('ends itself and what lets through no more than it does, and nothing wider of the same principal', async () => {
    const { api, project, token } = await tenant('admin', 'organization');
    const other = await made('POST', `/api/tenant/v1/projects`, { name: unique('other') }, api);
    const own = async (body: object) => {
      const { id, token } = await made('POST', '/api/tenant/v1/tokens', { name: unique('own'), ...body }, api);
      return { id, api: new Api(api.url, token) };
    };
    const end = async (as: Api, { id }: { id: string }) => {
      const { status, body } = await as.request('DELETE', `/api/tenant/v1/tokens/${id}`);
      return { status, detail: body.detail };
    };
    const viewer = await own({ role: 'viewer' });
    const here = await own({ project: project.name });
    const elsewhere = await own({ project: other.name });
    const narrow = await own({ role: 'viewer', project: project.name });
    const refused = (detail: string) => ({ status: 403, detail: expect.stringContaining(detail) });
    expect(await end(viewer.api, token)).toEqual(refused('the role admin (yours lets through viewer)'));
    expect(await end(here.api, token)).toEqual(refused(`outside of the project "${project.name}"`));
    expect(await end(here.api, elsewhere)).toEqual(refused(`outside of the project "${project.name}"`));
    const both = await end(narrow.api, token);
    expect(both).toEqual(refused('the role admin'));
    expect(both).toEqual(refused(`outside of the project "${project.name}"`));
    expect((await api.tenant('GET', '/tokens')).body.items).toHaveLength(5);

    const same = await own({ role: 'viewer', project: project.name });
    expect(await end(narrow.api, same)).toMatchObject({ status: 204 });
    expect(await end(here.api, narrow)).toMatchObject({ status: 204 });
    expect(await end(viewer.api, viewer)).toMatchObject({ status: 204 });
    expect(await end(here.api, here)).toMatchObject({ status: 204 });
    expect(await end(api, elsewhere)).toMatchObject({ status: 204 });
    expect((await api.tenant('GET', '/tokens')).body.items).toMatchObject([{ id: token.id }]);
  });

  test.each([
    ['the past', -1],
    ['beyond what is configured', 366],
  ])('cannot end in %s', async (_when, days) => {
    const expiresAt = new Date(Date.now() + days * 86_400_000).toISOString();
    expect(await platform.api.tenant('POST', '/tokens', { name: 'late', expiresAt })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/expiresAt' }] },
    });
  });
});

describe('a role', () => {
  test('says what one may: a viewer reads, a member uses, an admin administers', async () => {
    const asks: [string, string, object | undefined][] = [
      ['GET', '/volumes', undefined],
      ['POST', '/volumes', volume('v')],
      ['POST', '/role-bindings', { role: 'viewer', user: 'a@example.com' }],
    ];
    const statuses = async (role: string) => {
      const { api, query } = await tenant(role);
      const answers = [];
      for (const [method, path, body] of asks) answers.push((await api.tenant(method, path + query, body)).status);
      return answers;
    };
    expect(await statuses('viewer')).toEqual([200, 403, 403]);
    expect(await statuses('member')).toEqual([200, 202, 403]);
    expect(await statuses('admin')).toEqual([200, 202, 201]);
  });

  test('on an organisation holds in all its projects, also those to come', async () => {
    const { api, organization } = await tenant('member', 'organization');
    const later = await made('POST', `/api/tenant/v1/projects?organization=${organization.id}`, { name: 'later' });
    expect((await api.tenant('POST', `/volumes?project=${later.name}`, volume('v'))).status).toBe(202);
    expect((await api.get('/api/tenant/v1/projects')).body.items).toHaveLength(2);
  });

  test('is not given outside of where one is an administrator, nor beyond what one has', async () => {
    const { api, organization, account } = await tenant('admin');
    const other = await tenant('admin');
    const give = (query: string, body: object) => api.tenant('POST', `/role-bindings${query}`, body);
    expect(
      (await give(`?organization=${organization.id}`, { role: 'viewer', serviceAccount: account.id })).status,
    ).toBe(403);
    expect((await give(`?project=${other.project.id}`, { role: 'viewer', user: 'a@example.com' })).status).toBe(404);
    expect((await give('', { role: 'operator', user: 'a@example.com' })).status).toBe(400);
    expect((await give('', { role: 'viewer', serviceAccount: other.account.id })).status).toBe(404);
    expect((await api.request('POST', '/api/ops/v1/role-bindings', { serviceAccount: account.id })).status).toBe(403);
  });

  test('of the last administrator of an organisation cannot be taken away, however many try at once', async () => {
    const { api, organization, binding, query } = await tenant('admin', 'organization');
    const second = await made('POST', `/api/tenant/v1/role-bindings${query}`, {
      role: 'admin',
      user: 'second@example.com',
    });
    const taken = await Promise.all(
      [binding, second].map(({ id }) => platform.api.request('DELETE', `/api/tenant/v1/role-bindings/${id}${query}`)),
    );
    expect(taken.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    const left = await platform.sql`SELECT role FROM role_bindings WHERE organization_id = ${organization.id}`;
    expect(left).toHaveLength(1);
    expect(await api.tenant('GET', '/vms')).toBeDefined();
  });

  test('of an operator reaches into every tenant, and is on record as an operator’s', async () => {
    const user = await made('POST', '/api/ops/v1/users', { email: `${unique('op')}@example.com` });
    await made('POST', '/api/ops/v1/role-bindings', { user: user.email });
    const token = unique('mw_op');
    await platform.sql`INSERT INTO api_tokens (hash, name, role, user_id) VALUES (encode(sha256(${token}::bytea), 'hex'), 'op', 'operator', ${user.id})`;
    const operator = new Api(platform.api.url, token);
    const { project } = await tenant('member');
    const answer = await operator.tenant('POST', `/volumes?project=${project.id}`, volume('by-operator'));
    expect(answer.status).toBe(202);
    const [entry] =
      await platform.sql`SELECT actor FROM audit_entries WHERE act_id = ${answer.body.job.id} AND phase = 'opened'`;
    expect(entry?.actor).toBe(`operator/${user.email}`);
    expect((await operator.get('/api/ops/v1/users')).status).toBe(200);
  });
});

describe('a project', () => {
  test('that holds something is not deleted, and says what it holds; empty, it goes with its accounts and tokens', async () => {
    const { api, project, organization } = await tenant('admin', 'organization');
    const inProject = await made(
      'POST',
      '/api/tenant/v1/tokens',
      { name: 'its', role: 'member', project: project.name },
      api,
    );
    expect((await api.tenant('POST', `/volumes?project=${project.id}`, volume('held'))).status).toBe(202);
    expect(await api.tenant('DELETE', `/projects/${project.id}`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('1 volume, 1 job under way') },
    });
    await platform.sql`UPDATE resources SET deleted_at = now() WHERE project_id = ${project.id}`;
    await platform.sql`UPDATE jobs SET ended_at = now(), state = 'SUCCEEDED' WHERE project_id = ${project.id}`;
    expect((await api.tenant('DELETE', `/projects/${project.name}`)).status).toBe(204);
    expect((await api.tenant('GET', `/projects/${project.id}`)).status).toBe(404);
    expect((await new Api(api.url, inProject.token).tenant('GET', '/vms')).status).toBe(401);
    expect((await platform.api.request('DELETE', `/api/ops/v1/organizations/${organization.id}`)).status).toBe(204);
    expect((await api.get('/api/common/v1/whoami')).status).toBe(401);
  });

  test('of a name that several organisations have is found by naming the organisation', async () => {
    const one = await tenant('admin', 'organization');
    const two = await tenant('admin', 'organization');
    for (const { organization } of [one, two]) {
      await made('POST', `/api/tenant/v1/projects?organization=${organization.id}`, { name: 'same' });
    }
    expect((await platform.api.tenant('GET', '/vms?project=same')).status).toBe(400);
    expect((await platform.api.tenant('GET', `/vms?project=same&organization=${one.organization.name}`)).status).toBe(
      200,
    );
    expect((await one.api.tenant('GET', '/vms?project=same')).status).toBe(200);
  });
});

test('every act on identity is on record', async () => {
  const { organization } = await tenant('member');
  const acts = await platform.sql`
    SELECT e.action, c.outcome FROM audit_entries e JOIN audit_entries c ON c.act_id = e.act_id AND c.phase = 'closed'
    WHERE e.phase = 'opened' AND e.organization_id = ${organization.id} ORDER BY e.position`;
  expect(acts.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    'organization.create SUCCEEDED',
    'project.create SUCCEEDED',
    'service-account.create SUCCEEDED',
    'role-binding.create SUCCEEDED',
    'token.create SUCCEEDED',
  ]);
});

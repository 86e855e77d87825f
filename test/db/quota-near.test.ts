import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepIncidents } from '../../src/db/queries/incidents.ts';
import { quotaRatios, setOrganizationLimits, setProjectLimits } from '../../src/db/queries/quota.ts';
import type { Incident } from '../../src/domain/incident.ts';
import type { QuotaLimits } from '../../src/domain/quota.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let sql: Sql;
let organizationId: string;
let projectId: string;
let other: string;
beforeAll(async () => {
  // Nobody sweeps but these tests.
  platform = await startTestPlatform({ control: false });
  sql = platform.sql;
  const [own] = await sql<
    { id: string; organization: string }[]
  >`SELECT id, organization_id AS organization FROM projects`;
  organizationId = own?.organization ?? '';
  projectId = own?.id ?? '';
  const made = await platform.api.tenant('POST', `/projects?organization=${organizationId}`, { name: 'other' });
  expect(made.status).toBe(201);
  other = made.body.id;
});
afterAll(() => platform.stop());

const sweep = (quotaPercent: readonly number[] = [80, 95]) =>
  sweepIncidents(sql, { startSeconds: 3600, stepSeconds: 3600, quotaPercent });
const limitProject = (limits: QuotaLimits) => sql.begin((running) => setProjectLimits(running, projectId, limits));
const limitOrganization = (limits: QuotaLimits) =>
  sql.begin((running) => setOrganizationLimits(running, organizationId, limits));
const use = (volumes: number) => sql`UPDATE quotas SET volumes = ${volumes} WHERE project_id = ${projectId}`;
const open = async (project = projectId): Promise<Incident[]> =>
  (await platform.api.tenant('GET', `/incidents?state=open&project=${project}`)).body.items;
const summaries = async (): Promise<string[]> => (await open()).map(({ summary }) => summary).toSorted();
const told = async (project: string) =>
  (
    await sql<{ type: string }[]>`
      SELECT type FROM events WHERE project_id = ${project} AND type LIKE 'incident.%' ORDER BY transaction_id, position`
  ).map(({ type }) => type);

test('at each threshold of a limit there is one incident, which ends when usage falls below', async () => {
  await limitProject({ volumes: 20 });
  await use(15);
  expect(await sweep()).toEqual({ opened: 0, resolved: 0 });
  await use(16);
  expect(await sweep()).toEqual({ opened: 1, resolved: 0 });
  expect(await open()).toMatchObject([
    {
      kind: 'quota-near',
      jobId: null,
      projectId,
      resource: { id: projectId, kind: 'project', name: 'default' },
      summary: 'The quota of project "default" is used to 80 % or more in volumes (16 of 20 when this was seen).',
    },
  ]);
  await use(19);
  expect(await sweep()).toEqual({ opened: 1, resolved: 0 });
  expect(await summaries()).toMatchObject([expect.stringContaining('80 %'), expect.stringContaining('95 %')]);
  await use(17);
  expect(await sweep()).toEqual({ opened: 0, resolved: 1 });
  await use(0);
  expect(await sweep()).toEqual({ opened: 0, resolved: 1 });
  expect(await open()).toEqual([]);
  expect(await told(projectId)).toEqual([
    'incident.opened',
    'incident.opened',
    'incident.resolved',
    'incident.resolved',
  ]);
});

test('many who look at once open one and tell of it once, and at rest nothing is written', async () => {
  await use(20);
  const before = (await told(projectId)).length;
  const swept = await Promise.all(Array.from({ length: 20 }, () => sweep()));
  expect(swept.reduce((sum, { opened }) => sum + opened, 0)).toBe(2);
  expect(await told(projectId)).toHaveLength(before + 2);
  await sql.begin(async (transaction) => {
    await sweepIncidents(transaction, {
      startSeconds: 3600,
      stepSeconds: 3600,
      quotaPercent: [80, 95],
    });
    const [row] = await transaction`SELECT pg_current_xact_id_if_assigned() AS id`;
    expect(row?.id).toBeNull();
  });
  await use(0);
  const ended = await Promise.all(Array.from({ length: 20 }, () => sweep()));
  expect(ended.reduce((sum, { resolved }) => sum + resolved, 0)).toBe(2);
  expect(await told(projectId)).toHaveLength(before + 4);
});

test('while usage goes up and down and many look, each that opens is resolved once', async () => {
  await limitProject({ volumes: 10 });
  let looking = true;
  const looks = Array.from({ length: 6 }, async () => {
    while (looking) await sweep([80]);
  });
  for (let round = 0; round < 40; round += 1) await use(round % 2 === 0 ? 9 : 1);
  looking = false;
  await Promise.all(looks);
  await sweep([80]);
  expect(await open()).toEqual([]);
  const types = await told(projectId);
  const times = (type: string): number => types.filter((one) => one === type).length;
  expect(times('incident.opened')).toBe(times('incident.resolved'));
  const [row] = await sql`SELECT count(*)::int AS count FROM incidents WHERE project_id = ${projectId}`;
  expect(times('incident.opened')).toBe(row?.count);
});

test('an organisation’s limit is an incident of all its projects, and of no other organisation’s', async () => {
  await limitProject({ volumes: 100 });
  await limitOrganization({ volumes: 10 });
  await use(9);
  expect(await sweep()).toEqual({ opened: 1, resolved: 0 });
  for (const project of [projectId, other]) {
    expect(await open(project)).toMatchObject([
      { kind: 'quota-near', projectId: null, resource: { id: organizationId, kind: 'organization' } },
    ]);
  }
  expect(await told(other)).toEqual(['incident.opened']);
  const made = await platform.api.request('POST', '/api/ops/v1/organizations', {
    name: `o-${randomUUID().slice(0, 8)}`,
  });
  const strange = await platform.api.tenant('POST', `/projects?organization=${made.body.id}`, { name: 'strange' });
  expect(await open(strange.body.id)).toEqual([]);
  await limitOrganization({ volumes: null });
  expect(await sweep()).toEqual({ opened: 0, resolved: 1 });
  expect(await told(other)).toEqual(['incident.opened', 'incident.resolved']);
});

test('a worker of the release before, which knows no such cause, resolves none of them', async () => {
  await limitProject({ volumes: 10 });
  await use(9);
  await sweep();
  const resolved = await sql`
    UPDATE incidents i SET resolved_at = now() WHERE i.resolved_at IS NULL RETURNING id`;
  expect(resolved).toHaveLength(0);
  expect(await open()).toHaveLength(1);
  await use(0);
  expect(await sweep()).toEqual({ opened: 0, resolved: 1 });
});

test('the gauge has the fullest limits first; what is used of a limit of none is full', async () => {
  await limitProject({ volumes: 10, networks: 0 });
  await sql`UPDATE quotas SET volumes = 4, networks = 1 WHERE project_id = ${projectId}`;
  const labels = { scope: 'project', organization: 'default', project: 'default' };
  expect(await quotaRatios(sql, 2)).toEqual([
    { ...labels, metric: 'networks', ratio: 1 },
    { ...labels, metric: 'volumes', ratio: 0.4 },
  ]);
});

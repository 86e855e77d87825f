import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  organizationQuota,
  projectQuota,
  quotaDifferences,
  setOrganizationLimits,
  setProjectLimits,
} from '../../src/db/queries/quota.ts';
import { recordTransitions } from '../../src/db/queries/record.ts';
import type { QuotaLimits } from '../../src/domain/quota.ts';
import type { Transition } from '../../src/domain/transition.ts';
import type { Answer } from '../harness/api.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let sql: Sql;
let organizationId: string;
let projects: readonly string[];
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
  sql = platform.sql;
  const [own] = await sql<
    { id: string; organizationId: string }[]
  >`SELECT id, organization_id AS "organizationId" FROM projects`;
  organizationId = own?.organizationId ?? '';
  projects = [own?.id ?? '', await newProject('second')];
});
afterAll(() => platform.stop());

async function newProject(name: string): Promise<string> {
  const [project] = await sql<{ id: string }[]>`
    INSERT INTO projects (organization_id, name) VALUES (${organizationId}, ${name}) RETURNING id`;
  await sql`INSERT INTO quotas (project_id, vms_limit, vcpus_limit, memory_mib_limit, storage_gib_limit, networks_limit, volumes_limit)
    VALUES (${project?.id ?? ''}, 1000, 1000, 1000000, 1000000, 1000, 1000)`;
  return project?.id ?? '';
}

const limitOrganization = (limits: QuotaLimits) =>
  sql.begin((transaction) => setOrganizationLimits(transaction, organizationId, limits));
const limitProject = (id: string, limits: QuotaLimits) =>
  sql.begin((transaction) => setProjectLimits(transaction, id, limits));
const usedInAll = async (): Promise<number | undefined> =>
  (await organizationQuota(sql, organizationId))?.metrics.volumes.used;

const create = (project: string, sizeGib = 1): Promise<Answer<{ job: { id: string }; detail: string }>> =>
  platform.api.tenant('POST', `/volumes?project=${project}`, {
    name: `v-${randomUUID().slice(0, 13)}`,
    region: 'tpe-1',
    sizeGib,
  });

/** Ends a create's job: made, or undone. */
async function end(jobId: string, made: boolean): Promise<void> {
  const now = { at: new Date().toISOString(), error: null, nextAttemptAt: null, leftovers: [], cancelRequested: false };
  const running: Transition = { ...now, jobId, sequence: 1, state: 'RUNNING', rollback: 'none' };
  const ended: Transition = made
    ? { ...now, jobId, sequence: 2, state: 'SUCCEEDED', rollback: 'none', resource: 'done' }
    : { ...now, jobId, sequence: 2, state: 'FAILED', rollback: 'complete', resource: 'undone' };
  await recordTransitions(sql, [running, ended]);
}

test('of 200 requests at once over two projects, exactly as many are accepted as both scopes have room for', async () => {
  const before = (await usedInAll()) ?? 0;
  await limitOrganization({ volumes: before + 70 });
  await limitProject(projects[1] ?? '', { volumes: 25 });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => create(projects[index % 2] ?? '')));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 202)).toHaveLength(70);
  expect(statuses.filter((status) => status === 403)).toHaveLength(130);
  expect((await projectQuota(sql, projects[1] ?? ''))?.metrics.volumes.used).toBeLessThanOrEqual(25);
  expect(await usedInAll()).toBe(before + 70);
  expect(await quotaDifferences(sql)).toEqual([]);
});

test('a refusal says which scope is short of what', async () => {
  await limitOrganization({ volumes: await usedInAll() });
  const [project] = projects;
  await limitProject(project ?? '', { storageGib: (await projectQuota(sql, project ?? ''))?.metrics.storageGib.used });
  expect(await create(project ?? '', 5)).toMatchObject({
    status: 403,
    body: {
      code: 'quota',
      detail: expect.stringMatching(
        /project "default" .*storageGib: 5 wanted, (\d+) of \1 in use.* organization "default" .*volumes: 1 wanted, (\d+) of \2 in use/,
      ),
    },
  });
});

test('a limit below what is in use keeps more from being taken and nothing from being given back', async () => {
  const [project] = projects;
  await limitProject(project ?? '', { storageGib: 1_000_000 });
  await limitOrganization({ volumes: 1_000_000 });
  const accepted = await create(project ?? '');
  await limitOrganization({ volumes: 0 });
  expect((await create(project ?? '')).status).toBe(403);
  const before = (await usedInAll()) ?? 0;
  await end(accepted.body.job.id, false);
  expect(await usedInAll()).toBe(before - 1);
});

test('limits set and lifted while requests are accepted lose none of them, nor does a project made meanwhile', async () => {
  await limitOrganization({ volumes: null });
  expect(await sql`SELECT 1 FROM organization_quotas`).toEqual([]);
  const changes = async (): Promise<void> => {
    for (const volumes of [5000, null, 6000, null, 7000]) await limitOrganization({ volumes });
  };
  const inNew = newProject('third').then((id) => Promise.all(Array.from({ length: 20 }, () => create(id))));
  const answers = await Promise.all([
    ...Array.from({ length: 80 }, (_, index) => create(projects[index % 2] ?? '')),
    changes(),
    inNew,
  ]);
  expect(
    answers
      .slice(0, 80)
      .every((answer) => answer && 'status' in answer && (answer.status === 202 || answer.status === 403)),
  ).toBe(true);
  expect(await quotaDifferences(sql)).toEqual([]);
  expect(await sql`SELECT 1 FROM quotas WHERE limited_by IS NULL`).toEqual([]);
});

test('whatever is accepted, made, undone and recorded twice, in any order at once, a recount finds the same', async () => {
  await limitOrganization({ volumes: ((await usedInAll()) ?? 0) + 60, storageGib: null });
  await limitProject(projects[1] ?? '', { volumes: 1000 });
  const one = async (index: number): Promise<void> => {
    const { status, body } = await create(projects[index % 2] ?? '', 1 + (index % 7));
    if (status !== 202) return;
    const made = index % 3 === 0;
    await Promise.all([end(body.job.id, made), end(body.job.id, made)]);
  };
  await Promise.all(Array.from({ length: 150 }, (_, index) => one(index)));
  expect(await quotaDifferences(sql)).toEqual([]);
});

test('a count that is wrong is shown, with what it should be', async () => {
  await sql`UPDATE quotas SET volumes = volumes + 2 WHERE project_id = ${projects[1] ?? ''}`;
  const [organization, project] = await quotaDifferences(sql);
  expect(project).toMatchObject({ scope: 'project', name: 'second', metric: 'volumes' });
  expect(organization).toMatchObject({ scope: 'organization', name: 'default', metric: 'volumes' });
  expect((project?.recorded ?? 0) - (project?.counted ?? 0)).toBe(2);
  await sql`UPDATE quotas SET volumes = volumes - 2 WHERE project_id = ${projects[1] ?? ''}`;
  await expect(sql`UPDATE quotas SET volumes = -1`).rejects.toThrow('never_negative');
});

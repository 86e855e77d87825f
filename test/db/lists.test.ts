import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { listActs } from '../../src/db/queries/audit-list.ts';
import { jobsUnderWay, overdueJobs } from '../../src/db/queries/dispatch.ts';
import { cursorSince, eventsAfter, presentEnd, sinceLimit } from '../../src/db/queries/events.ts';
import { listIncidents, sweepIncidents } from '../../src/db/queries/incidents.ts';
import { type JobFilter, listJobs } from '../../src/db/queries/jobs.ts';
import { scanLimit } from '../../src/db/queries/listing.ts';
import type { Page, PageRequest } from '../../src/db/queries/pages.ts';
import { listResources, type ResourceFilter } from '../../src/db/queries/resources.ts';
import { beginning } from '../../src/domain/event.ts';
import { createDatabase } from '../harness/databases.ts';
import { fill, type Many } from './many-rows.ts';
import { listeningClient, readsOf } from './plans.ts';

let watched: ReturnType<typeof listeningClient>;
let plain: Sql;
let many: Many;
beforeAll(async () => {
  const url = await createDatabase(inject('parts').postgresUrl);
  watched = listeningClient(url);
  plain = postgres(url, { max: 1, onnotice: () => undefined });
  many = await fill(plain);
}, 120_000);
afterAll(() => Promise.all([watched.sql.end(), plain.end()]));

/** They have a row for each project, organisation or region, or one at all. */
const small = ['projects', 'quotas', 'organizations', 'organization_quotas', 'events_deleted'];
const limit = 50;
/** A page's rows, each with a few that belong to it; and what a plan may pass over that takes nearly every row it comes by. */
const aPage = limit * 10 + 1000;

/** That whatever is sent meanwhile reads so many rows at most, by indexes, as PostgreSQL plans it for these values. */
async function expectToRead(
  atMost: number,
  perform: (sql: Sql) => Promise<unknown>,
  plans: readonly ('these values' | 'any values')[] = ['these values'],
): Promise<void> {
  const from = watched.sent.length;
  await perform(watched.sql);
  const sent = watched.sent.slice(from);
  expect(sent.length).toBeGreaterThan(0);
  for (const statement of sent) {
    for (const planFor of plans) {
      const { whole, rows } = await readsOf(plain, statement, planFor);
      const what = `${rows} rows for ${planFor}: ${statement.text}`;
      expect({ whole: whole.filter((table) => !small.includes(table)), isFew: rows <= atMost }, what).toEqual({
        whole: [],
        isFew: true,
      });
    }
  }
}

/** Every choice of these. */
function subsets(names: readonly string[]): string[][] {
  const [first, ...others] = names;
  return first === undefined ? [[]] : subsets(others).flatMap((some) => [some, [first, ...some]]);
}
const byNames = (names: readonly string[]): [string, string[]][] =>
  subsets(names).map((some) => [some.join(', ') || 'nothing', some]);
const only = <All extends object>(all: All, names: readonly string[]): Partial<All> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))) as Partial<All>;

/** The first page and one from the middle of the list. */
async function expectPagesToRead<Item>(
  atMost: number,
  list: (sql: Sql, page: PageRequest) => Promise<Page<Item>>,
): Promise<void> {
  const first = await list(plain, { limit });
  for (const cursor of [undefined, first.nextCursor ?? undefined]) {
    await expectToRead(atMost, (sql) => list(sql, { limit, cursor }));
  }
}

/** A batch has no more: each of its operations is done, and taken back. */
const operationsJobs = 20_001;
const ownJobs = (sql: Sql, filter: Partial<JobFilter>, page: PageRequest) =>
  listJobs(
    sql,
    many.projectId,
    { state: undefined, resourceId: undefined, batchId: undefined, ...filter },
    page,
    () => null,
  );

describe('a page reads no more than its own rows', () => {
  test.each(byNames(['state', 'resourceId', 'batchId']))('of jobs by %s', async (_, names) => {
    for (const state of ['FAILED', 'HELD', 'SUCCEEDED']) {
      const filter = only({ state, resourceId: many.resourceId, batchId: many.batchId }, names);
      const looksFor = names.includes('state') && names.includes('batchId') ? 2 * operationsJobs : 0;
      await expectPagesToRead(aPage + looksFor, (sql, page) => ownJobs(sql, filter, page));
    }
  });

  test.each(byNames(['status', 'region', 'labels']))('of resources by %s', async (_, names) => {
    for (const status of ['error', 'running', 'deleting']) {
      for (const region of ['nrt-1', 'tpe-1', 'nowhere']) {
        const filter = only({ status, region, labels: { rare: 'a=b' } }, names);
        const looksFor = names.includes('labels') || names.length > 1 ? 4 * scanLimit : 0;
        await expectPagesToRead(aPage + looksFor, (sql, page) =>
          listResources(sql, many.projectId, 'vm', filter, page),
        );
      }
    }
  });

  test.each(byNames(['state', 'jobId']))('of incidents by %s', async (_, names) => {
    for (const state of ['open', 'resolved'] as const) {
      const filter = { state: undefined, jobId: undefined, ...only({ state, jobId: many.jobId }, names) };
      await expectPagesToRead(aPage, (sql, page) =>
        listIncidents(sql, { projectId: many.projectId, organizationId: many.projectId, ...filter }, page),
      );
    }
  });

  test.each(byNames(['projectId', 'organizationId', 'resourceId']))('of acts by %s, and more', async (_, names) => {
    const since = new Date(Date.now() - 3600_000).toISOString();
    const until = new Date(Date.now() - 12 * 3600_000).toISOString();
    const all = { ...many, actor: 'somebody', action: 'vm.delete', since, until };
    for (const more of subsets(['actor', 'action', 'since', 'until'])) {
      await expectPagesToRead(aPage + (more.length > 0 ? 8 * scanLimit : 0), (sql, page) =>
        listActs(sql, only(all, [...names, ...more]), page),
      );
    }
  });

  test.each(byNames(['projectId', 'resourceId', 'jobId', 'types', 'kinds']))('of events by %s', async (_, names) => {
    const filter = only({ ...many, types: ['webhook.*'], kinds: ['vm'] }, names);
    const looksFor = names.includes('types') || names.includes('kinds') ? 4 * scanLimit : 0;
    const first = await eventsAfter(plain, filter, beginning, limit);
    for (const after of [beginning, first.end])
      await expectToRead(aPage + looksFor, (sql) => eventsAfter(sql, filter, after, limit));
  });
});

/** All pages, and how many there were. */
async function allOf<Item>(
  list: (page: PageRequest) => Promise<Page<Item>>,
): Promise<{ items: Item[]; pages: number }> {
  const items: Item[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await list({ limit, cursor });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
    pages += 1;
  } while (cursor);
  return { items, pages };
}

describe('what is rare', () => {
  test('is found whole, in order, by pages that may be empty', async () => {
    const filter: ResourceFilter = { labels: { rare: 'a=b' } };
    const { items, pages } = await allOf((page) => listResources(plain, many.projectId, 'vm', filter, page));
    expect(items.map(({ name }) => name)).toEqual(['vm-30000', 'vm-60000', 'vm-90000']);
    expect(pages).toBe(100_000 / scanLimit + 1);
  });

  test('is found whole where a page is full as well', async () => {
    const filter: ResourceFilter = { status: 'error', region: 'nrt-1', labels: { env: 'prod' } };
    const { items } = await allOf((page) => listResources(plain, many.projectId, 'vm', filter, page));
    expect(items.map(({ name }) => name)).toEqual(
      Array.from({ length: 100 }, (_, index) => `vm-${99_901 + index}`).filter((name) => name !== 'vm-90000'),
    );
  });

  test('is not looked for beyond the time that was asked for', async () => {
    const since = new Date(Date.now() - 3600_000).toISOString();
    const { items, pages } = await allOf((page) => listActs(plain, { actor: 'somebody', since }, page));
    expect(items).toEqual([]);
    expect(pages).toBeLessThan(6);
  });

  test('is found among events, whose last page says that it is the last', async () => {
    const found: string[] = [];
    let [after, pages] = [beginning, 0];
    for (;;) {
      const { events, end, isLast } = await eventsAfter(
        plain,
        { projectId: many.projectId, types: ['webhook.*'] },
        after,
        limit,
      );
      found.push(...events.map(({ id }) => id));
      pages += 1;
      after = end;
      if (isLast) break;
    }
    expect(new Set(found).size).toBe(67);
    expect(pages).toBeGreaterThan(5);
  });
});

test('the place of a time is looked for by statements of which each reads a page, and is the right one', async () => {
  const [event] = await plain<{ at: Date; transaction: string; position: string }[]>`
    SELECT at, transaction_id::text AS transaction, position::text FROM events WHERE project_id = ${many.projectId}
    ORDER BY transaction_id, position OFFSET ${5 * sinceLimit + 7} LIMIT 1`;
  if (!event) throw new Error('no event');
  const place = { transaction: BigInt(event.transaction), position: BigInt(event.position) - 1n };
  const times = [event.at, new Date(event.at.getTime() - 500)].map((at) => at.toISOString());
  for (const since of times) expect(await cursorSince(plain, many.projectId, since)).toEqual(place);
  const from = watched.sent.length;
  // Where a project has two of three events, a plan may pass over the others'.
  await expectToRead(2 * sinceLimit, (sql) => cursorSince(sql, many.projectId, times[0] ?? ''));
  expect(watched.sent.length - from).toBe(6);
  // Of what is yet to come, the end of what there is.
  const end = await presentEnd(plain);
  expect(await cursorSince(plain, many.projectId, new Date(Date.now() + 3600_000).toISOString())).toEqual(end);
});

describe('what is done again and again reads only what is under way', () => {
  // They are prepared, and so come to be planned for any values.
  const always = ['these values', 'any values'] as const;

  test('looking for what is late', async () => {
    const underWay = 165;
    await expectToRead(
      underWay * 6,
      (sql) => sweepIncidents(sql, { startSeconds: 60, stepSeconds: 600, quotaPercent: [80, 95] }),
      always,
    );
  });

  test('looking for what has not been started', async () => {
    const first = await overdueJobs(plain, 2, 20, undefined);
    expect(first).toHaveLength(20);
    const second = await overdueJobs(plain, 2, 20, first.at(-1));
    expect(new Set([...first, ...second].map(({ id }) => id)).size).toBe(40);
    await expectToRead(100, (sql) => overdueJobs(sql, 2, 20, first.at(-1)), always);
  });

  test('looking for jobs without a workflow', async () => {
    const first = await jobsUnderWay(plain, 60, 20, undefined);
    expect(first).toHaveLength(20);
    const second = await jobsUnderWay(plain, 60, 20, first.at(-1));
    expect(second.map(({ id }) => id)).not.toContain(first.at(-1)?.id);
    await expectToRead(100, (sql) => jobsUnderWay(sql, 60, 20, first.at(-1)), always);
  });
});

import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permissions } from '../../src/domain/access.ts';
import { until } from '../harness/until.ts';
import { cases, type RouteCase } from './cases.ts';
import {
  type Answered,
  ask,
  type Operation,
  operationsOf,
  pathNames,
  placeQuery,
  queryNames,
  whoMay,
  whoMayNot,
} from './operations.ts';
import { startWorld, type World } from './world.ts';

/**
 * Every operation that is served has its cases: unauthenticated, forbidden, not visible, invalid, happy. After each
 * refusal the whole database is as it was before: what was denied was not done all the same.
 */
let world: World;
let operations: Operation[];
beforeAll(async () => {
  world = await startWorld();
  operations = await operationsOf(world.operator.url);
  await atRest();
}, 120_000);
afterAll(() => world.platform.stop());

/** What goes on by itself, and says nothing of whether a request was carried out. */
const beside = ['audit_seals', 'data_keys'];

async function snapshot(sql: Sql): Promise<Record<string, string>> {
  const tables = await sql<
    { name: string }[]
  >`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`;
  const rows = await sql.unsafe<{ name: string; content: string }[]>(
    tables
      .filter(({ name }) => !beside.includes(name))
      .map(
        ({ name }) =>
          `SELECT '${name}' AS name, md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) AS content FROM "${name}" t`,
      )
      .join(' UNION ALL '),
  );
  return Object.fromEntries(rows.map(({ name, content }) => [name, content]));
}

/** Until nothing is written any more. */
async function atRest(): Promise<void> {
  let before = await snapshot(world.platform.sql);
  let still = 0;
  await until('the platform to come to rest', async () => {
    const now = await snapshot(world.platform.sql);
    still = JSON.stringify(now) === JSON.stringify(before) ? still + 1 : 0;
    before = now;
    return still >= 25;
  });
}

/** Walks all operations; whatever each of them finds wrong is told at once. */
async function each(check: (operation: Operation, given: RouteCase) => Promise<void>): Promise<void> {
  const wrong: string[] = [];
  for (const operation of operations) {
    const given = cases[operation.id];
    if (!given) continue;
    await check(operation, given).catch((error: unknown) =>
      wrong.push(`${operation.id}: ${error instanceof Error ? error.message : error}`),
    );
  }
  expect(wrong).toEqual([]);
}

function expectProblem(answer: Answered, status: number, code: string): void {
  const problem = answer.headers.get('content-type')?.includes('problem+json') ? JSON.parse(answer.text) : {};
  expect({ status: answer.status, code: problem.code, inBody: problem.status }, answer.text).toEqual({
    status,
    code,
    inBody: status,
  });
}

async function expectUntouched(perform: () => Promise<void>): Promise<void> {
  const before = await snapshot(world.platform.sql);
  await perform();
  expect(await snapshot(world.platform.sql)).toEqual(before);
}

test('every operation has its cases, and every case its operation', () => {
  const served = operations.map(({ id }) => id).toSorted();
  expect(new Set(served).size).toBe(served.length);
  expect(served.filter((id) => !(id in cases))).toEqual([]);
  expect(Object.keys(cases).filter((id) => !served.includes(id))).toEqual([]);
});

test('a request without the body that it must have is refused, whatever it is for', async () => {
  for (const operation of operations.filter(({ takesBody }) => takesBody)) {
    const params = Object.fromEntries(pathNames(operation).map((name) => [name, 'nothing-there']));
    const api = whoMay(operation, world, world.ours);
    const { status, text } = await ask(operation, api, { params }, placeQuery(operation, world.ours));
    expect([400, 404], `${operation.id}: ${status} ${text}`).toContain(status);
  }
});

test('every operation says which permission it wants', () => {
  for (const { id, permission } of operations) {
    expect([id, permission === 'public' || permission in permissions]).toEqual([id, true]);
  }
  expect(operations.filter(({ permission }) => permission === 'public').map(({ id }) => id)).toEqual([
    'get-health',
    'get-ready',
    'get-login',
    'get-batch-schema',
  ]);
});

describe('a request is refused and leaves nothing', () => {
  test('unauthenticated: without a token, or with a wrong one', async () => {
    await expectUntouched(() =>
      each(async (operation, { what }) => {
        if (operation.permission === 'public') return;
        for (const token of ['', 'mw_wrong']) {
          const api = { url: world.operator.url, token };
          const answer = await ask(operation, api, what(world.ours, world), placeQuery(operation, world.ours));
          expectProblem(answer, 401, 'unauthenticated');
          expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
        }
      }),
    );
  });

  test('forbidden: to whoever has a role there that is too low', async () => {
    await each(async (operation, { what, without }) => {
      const api = whoMayNot(operation, world, world.ours);
      // Who has the lowest role may it; who has none does not see it.
      if (!api || without?.forbidden) return;
      await expectUntouched(async () => {
        const answer = await ask(operation, api, what(world.ours, world), placeQuery(operation, world.ours));
        expectProblem(answer, 403, 'forbidden');
      });
    });
  });

  test('not visible: to whoever has no role there, however high elsewhere, it does not exist', async () => {
    await each(async (operation, { what, without }) => {
      if (operation.permission === 'public' || without?.['not visible']) return;
      const { at, role } = permissions[operation.permission];
      // The platform is known to all and closed to most: forbidden. What is one's own is of no other.
      if (at === 'platform') return;
      const hidden = what(world.ours, world);
      if (at === 'self' && !hidden.params) return;
      await expectUntouched(async () => {
        const { admin } = world.theirs;
        const place = placeQuery(operation, world.ours);
        if (Object.keys(place).length > 0) expectProblem(await ask(operation, admin, hidden, place), 404, 'not_found');
        // What operators alone may is forbidden wherever one is, and tells nothing of what there is.
        if (!hidden.params || role === 'operator') return;
        expectProblem(await ask(operation, admin, hidden, placeQuery(operation, world.theirs)), 404, 'not_found');
      });
    });
  });

  test('invalid: with an id, a body or a parameter that cannot be', async () => {
    await each(async (operation, { what, without }) => {
      if (without?.invalid) return;
      const api = whoMay(operation, world, world.ours);
      const parts = what(world.ours, world);
      const query = placeQuery(operation, world.ours);
      const wrongQuery = [{ limit: '0' }, { resource: 'no-id' }, { hash: 'no-hash' }].find((one) =>
        Object.keys(one).every((name) => queryNames(operation).includes(name)),
      );
      const wrong: [object, Record<string, string>][] = [
        ...(operation.takesBody ? [[{ ...parts, body: '[' }, query] satisfies [object, Record<string, string>]] : []),
        ...(wrongQuery ? [[parts, { ...query, ...wrongQuery }] satisfies [object, Record<string, string>]] : []),
        ...(queryNames(operation).includes('cursor')
          ? [[parts, { ...query, cursor: '!' }] satisfies [object, Record<string, string>]]
          : []),
        ...(pathNames(operation).length > 0
          ? [
              [
                { ...parts, params: Object.fromEntries(pathNames(operation).map((name) => [name, 'x'.repeat(300)])) },
                query,
              ] satisfies [object, Record<string, string>],
            ]
          : []),
      ];
      expect(wrong.length).toBeGreaterThan(0);
      await expectUntouched(async () => {
        for (const [given, where] of wrong) expectProblem(await ask(operation, api, given, where), 400, 'invalid');
      });
    });
  });
});

describe('a request is carried out', () => {
  test('happy: for whoever has the role that it wants, and no more', async () => {
    await each(async (operation, { what, happy }) => {
      const api = whoMay(operation, world, world.ours);
      const parts = (await happy.parts?.(world.ours, world)) ?? what(world.ours, world);
      const answer = await ask(operation, api, parts, placeQuery(operation, world.ours));
      expect(answer.status, answer.text).toBe(happy.status);
    });
  }, 120_000);
});

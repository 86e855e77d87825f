import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Database, isDatabaseAway, openDatabase } from '../../src/db/client.ts';
import { type FrozenProxy, startFrozenProxy } from '../harness/frozen-proxy.ts';
import { certificate, startTlsFront } from '../harness/tls-front.ts';
import { until } from '../harness/until.ts';

const patience = { lockMs: 200, statementMs: 500, idleTransactionMs: 200 };
const opened: { close(): unknown }[] = [];
let proxy: FrozenProxy;
let plain: URL;

beforeAll(async () => {
  plain = new URL(inject('parts').postgresUrl);
  const front = await tlsFront('S');
  proxy = await startFrozenProxy({ host: '127.0.0.1', port: front });
});
afterAll(async () => {
  proxy.thaw();
  for (const each of opened) await each.close();
  proxy.stop();
});

async function tlsFront(says: string): Promise<number> {
  const { port, stop } = await startTlsFront({ host: plain.hostname, port: Number(plain.port) }, Buffer.from(says));
  opened.push({ close: stop });
  return port;
}

function open(port: number, query: string, host = '127.0.0.1'): Database {
  const url = new URL(plain);
  url.host = `${host}:${port}`;
  const database = openDatabase(`${url.href}?${query}`, { patience, connections: { statements: 2, transactions: 1 } });
  opened.unshift(database);
  return database;
}

const failure = (act: Promise<unknown>): Promise<Error> =>
  act.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: Error) => error,
  );

test('over TLS a database is read and written, however much it answers', async () => {
  const { sql } = open(proxy.port, 'sslmode=require');
  const [row] = await sql<{ text: string }[]>`SELECT repeat('x', 3000000) AS text`;
  expect(row?.text).toHaveLength(3_000_000);
  expect(await sql.begin((transaction) => transaction`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
});

test('over TLS a transaction left open is ended, and the next begins anew', async () => {
  const { sql } = open(proxy.port, 'sslmode=require');
  const other = open(proxy.port, 'sslmode=require');
  const error = await failure(
    sql.begin(async (transaction) => {
      const [row] = await transaction<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
      await until('its session to be ended', async () => {
        const rows = await other.sql`SELECT FROM pg_stat_activity WHERE pid = ${row?.pid ?? 0}`;
        return rows.length === 0;
      });
      await transaction`SELECT 1`;
    }),
  );
  expect(isDatabaseAway(error)).toBe(true);
  expect(await sql.begin((transaction) => transaction`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
});

test('over TLS a database that freezes fails those who wait for it, also who only connects, until it answers again', async () => {
  const { sql } = open(proxy.port, 'sslmode=require');
  await sql`SELECT 1`;
  proxy.freeze();
  const connecting = open(proxy.port, 'sslmode=require');
  const errors = await Promise.all([failure(sql`SELECT 1`), failure(sql`SELECT 2`), failure(connecting.sql`SELECT 3`)]);
  expect(errors.map(isDatabaseAway)).toEqual([true, true, true]);
  proxy.thaw();
  expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  expect(await connecting.sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

test('who has to have TLS gets none but TLS', async () => {
  const { sql } = open(Number(plain.port), 'sslmode=require');
  expect((await failure(sql`SELECT 1`)).message).toContain('has no TLS, and DATABASE_URL asks for it');
  expect(await open(Number(plain.port), 'sslmode=prefer').sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  const stuffed = await tlsFront('SN');
  expect((await failure(open(stuffed, 'sslmode=require').sql`SELECT 1`)).message).toContain('said more before TLS');
});

test('a certificate that nobody vouches for is refused where it is to be checked', async () => {
  expect(await failure(open(proxy.port, 'sslmode=verify-full').sql`SELECT 1`)).toMatchObject({
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  setDefaultCACertificates([...getCACertificates(), certificate]);
  for (const host of ['127.0.0.1', 'localhost'])
    expect(await open(proxy.port, 'sslmode=verify-full', host).sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import {
  type AddressWish,
  type Assignment,
  assignAddress,
  releaseAddresses,
} from '../../src/db/queries/address-claims.ts';
import { addressDifferences, subnetUse } from '../../src/db/queries/address-use.ts';
import { growSubnet, splitSubnet } from '../../src/db/queries/subnet-changes.ts';
import { readSubnet } from '../../src/db/queries/subnet-shapes.ts';
import { isAddressIn } from '../../src/domain/address-space.ts';
import { createDatabase } from '../harness/databases.ts';
import { insertSubnet } from '../harness/subnets.ts';

let sql: Sql;
beforeAll(async () => {
  const url = await createDatabase(inject('parts').postgresUrl);
  sql = postgres(url, { max: 24, onnotice: () => undefined });
});
afterAll(() => sql.end({ timeout: 1 }));

const key = (place = '') => ({ owner: randomUUID(), place });
const assign = (subnetId: string, wish: Omit<AddressWish, 'subnetId'> = {}, owner = key()): Promise<Assignment> =>
  assignAddress(sql, owner, { subnetId, ...wish });
const times = <Result>(count: number, once: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => once(index)));
const useOf = async (id: string) => subnetUse(sql, await readSubnet(sql, id));
const addresses = (given: readonly Assignment[]): string[] => given.map(({ address }) => address);

/** A transaction that is left open until the test is over with it. */
async function open(perform: (transaction: postgres.TransactionSql) => Promise<unknown>): Promise<() => Promise<void>> {
  const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ended = sql
    .begin(async (transaction) => {
      await perform(transaction);
      begun.resolve();
      await over.promise;
      throw new Error('aborted');
    })
    .catch(() => undefined);
  await Promise.race([begun.promise, ended]);
  return async () => {
    over.resolve();
    await ended;
  };
}

test.each(['10.0.0.0/23', '10.0.0.0/16', '2001:db8::/64'])(
  'of 200 clients at once in %s each gets an address of its own',
  async (cidr) => {
    const subnet = await insertSubnet(sql, cidr);
    const given = await times(200, () => assign(subnet));
    expect(new Set(addresses(given)).size).toBe(200);
    expect(await useOf(subnet)).toMatchObject({ used: 200, quarantined: 0 });
    expect(await addressDifferences(sql)).toEqual([]);
  },
);

test('static and dynamic requests at once, for the same addresses, never get one twice', async () => {
  const subnet = await insertSubnet(sql, '10.1.0.0/24');
  const wanted = (index: number): string => `10.1.0.${10 + (index % 50)}`;
  const results = await times(200, (index) =>
    assign(subnet, index % 2 === 0 ? {} : { address: wanted(index) }).catch((error: unknown) => error),
  );
  const given = results.filter((result) => !(result instanceof Error)) as Assignment[];
  expect(new Set(addresses(given)).size).toBe(given.length);
  expect(given.filter(({ kind }) => kind === 'dynamic')).toHaveLength(100);
  for (const refused of results.filter((result) => result instanceof Error)) {
    expect(refused).toMatchObject({ code: 'conflict', message: expect.stringContaining('has it') });
  }
  expect(await addressDifferences(sql)).toEqual([]);
});

test('the same key gets the same address, however many ask at once, and gives it back once', async () => {
  const subnet = await insertSubnet(sql, '10.2.0.0/24', { quarantineSeconds: 60 });
  const owner = key();
  const given = await times(50, () => assign(subnet, {}, owner));
  expect(new Set(addresses(given)).size).toBe(1);
  expect(await useOf(subnet)).toMatchObject({ used: 1 });
  await expect(assign(subnet, { address: '10.2.0.77' }, owner)).rejects.toMatchObject({ code: 'conflict' });
  const released = await times(10, () => releaseAddresses(sql, owner.owner));
  expect(released.flat()).toEqual([given[0]?.address]);
  expect(await useOf(subnet)).toMatchObject({ used: 0, quarantined: 1 });
});

test('places of one owner have addresses of their own, and are given back together or alone', async () => {
  const subnet = await insertSubnet(sql, '10.2.0.0/24');
  const { owner } = key();
  const [one, other] = [
    await assign(subnet, {}, { owner, place: 'a' }),
    await assign(subnet, {}, { owner, place: 'b' }),
  ];
  expect(one.address).not.toBe(other.address);
  expect(await releaseAddresses(sql, owner, 'a')).toEqual([one.address]);
  expect(await releaseAddresses(sql, owner)).toEqual([other.address]);
});

test('an address in quarantine is nobody’s; after it, it is given again', async () => {
  const subnet = await insertSubnet(sql, '10.3.0.0/29', { quarantineSeconds: 3600 });
  const owner = key();
  const { address } = await assign(subnet, {}, owner);
  await times(4, () => assign(subnet));
  await releaseAddresses(sql, owner.owner);
  await expect(assign(subnet, { address })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/stays in quarantine until \d{4}-/),
  });
  await expect(assign(subnet)).rejects.toMatchObject({ code: 'capacity' });
  await sql`UPDATE address_assignments SET quarantine_until = now() WHERE subnet_id = ${subnet} AND released_at IS NOT NULL`;
  expect(await assign(subnet)).toMatchObject({ address });
  expect(await addressDifferences(sql)).toEqual([]);
});

test('an address that is asked for by name is to be had the moment that its quarantine is over', async () => {
  const subnet = await insertSubnet(sql, '10.3.0.0/24');
  const owner = key();
  await assign(subnet, { address: '10.3.0.99' }, owner);
  await releaseAddresses(sql, owner.owner);
  expect(await assign(subnet, { address: '10.3.0.99' })).toMatchObject({ address: '10.3.0.99', kind: 'static' });
});

test('a subnet without an address left says how many are what, and what would help', async () => {
  const subnet = await insertSubnet(sql, '10.4.0.0/28', { gateway: '10.4.0.1', quarantineSeconds: 600 });
  const owner = key();
  await assign(subnet, {}, owner);
  await times(12, () => assign(subnet));
  await releaseAddresses(sql, owner.owner);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => assign(subnet)));
  for (const result of results) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'capacity',
        message: expect.stringMatching(
          /of 16, 12 are in use, 3 reserved and 1 in quarantine, the first of them until .*grow the subnet/,
        ),
      },
    });
  }
  expect(await useOf(subnet)).toMatchObject({
    total: 16,
    used: 12,
    reserved: 3,
    quarantined: 1,
    free: 0,
    percent: 100,
  });
});

test('nobody gets the base, the broadcast address, the gateway or what is reserved; by name one gets what is not dynamic', async () => {
  const subnet = await insertSubnet(sql, '10.5.0.0/27', {
    gateway: '10.5.0.30',
    reserved: [{ from: '10.5.0.4', to: '10.5.0.9' }],
    dynamicRange: { from: '10.5.0.8', to: '10.5.0.11' },
  });
  for (const address of ['10.5.0.0', '10.5.0.31', '10.5.0.30', '10.5.0.5', '10.6.0.1', '2001:db8::1']) {
    await expect(assign(subnet, { address })).rejects.toMatchObject({ code: 'invalid' });
  }
  expect(addresses([await assign(subnet), await assign(subnet)])).toEqual(['10.5.0.10', '10.5.0.11']);
  await expect(assign(subnet)).rejects.toMatchObject({ code: 'capacity' });
  expect(await assign(subnet, { address: '10.5.0.2' })).toMatchObject({ address: '10.5.0.2' });
});

test.each(['10.7.0.0/29', '10.7.0.0/24', '10.7.0.0/16', '2001:db8:7::/64'])(
  'a transaction that hangs open, with an address of %s in hand, keeps nobody waiting',
  async (cidr) => {
    const subnet = await insertSubnet(sql, cidr);
    const close = await open((transaction) => assignAddress(transaction, key(), { subnetId: subnet }));
    const began = performance.now();
    const given = await times(4, () => assign(subnet));
    expect(performance.now() - began).toBeLessThan(3000);
    await close();
    expect(new Set(addresses(given)).size).toBe(4);
    expect(await useOf(subnet)).toMatchObject({ used: 4 });
    expect(await addressDifferences(sql)).toEqual([]);
  },
);

test('what only a hanging transaction holds is waited for as long as one has patience, and is then there', async () => {
  const subnet = await insertSubnet(sql, '10.8.0.0/29');
  await times(4, () => assign(subnet));
  const close = await open((transaction) => assignAddress(transaction, key(), { subnetId: subnet }));
  const impatient = assignAddress(sql, key(), { subnetId: subnet }, 0);
  await expect(impatient).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('Try again') });
  await close();
  expect(await assign(subnet)).toMatchObject({ address: expect.stringMatching(/^10\.8\.0\./) });
});

test('many bad claims at once, of one taken address, keep no good one from its own', async () => {
  const subnet = await insertSubnet(sql, '10.9.0.0/20');
  await assign(subnet, { address: '10.9.1.1' });
  const [good] = await Promise.all([
    times(60, () => assign(subnet)),
    times(60, () => assign(subnet, { address: '10.9.1.1' }).catch(() => undefined)),
  ]);
  expect(new Set(addresses(good)).size).toBe(60);
  expect(await addressDifferences(sql)).toEqual([]);
});

test('an IPv6 subnet of 2^64 has a block for what is used of it, and no more', async () => {
  const subnet = await insertSubnet(sql, '2001:db8:1::/64');
  await assign(subnet, { address: '2001:db8:1::ffff:0:1' });
  const { address } = await assign(subnet);
  expect(address).toMatch(/^2001:db8:1::/);
  const [blocks] = await sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM address_blocks WHERE subnet_id = ${subnet}`;
  expect(blocks?.count).toBeLessThan(20);
  expect((await useOf(subnet)).total).toBe(2 ** 64);
});

test('of two subnets of a VRF that overlap, made at once, one is refused; in another VRF it may be', async () => {
  const one = { vrf: `shared-${randomUUID()}` };
  const made = await Promise.allSettled([
    insertSubnet(sql, '10.20.0.0/16', one),
    insertSubnet(sql, '10.20.3.0/24', one),
  ]);
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(made.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { constraint_name: 'subnets_overlap' },
  });
  await insertSubnet(sql, '10.20.3.0/24', { vrf: `other-${randomUUID()}` });
});

test('a subnet that is split takes each of its addresses to the part that it is in', async () => {
  const subnet = await insertSubnet(sql, '10.30.0.0/18', {
    gateway: '10.30.0.1',
    dynamicRange: { from: '10.30.0.100', to: '10.30.40.0' },
  });
  const owners = Array.from({ length: 4 }, () => key());
  for (const [index, owner] of owners.entries()) await assign(subnet, { address: `10.30.${16 * index + 3}.7` }, owner);
  const parts = await sql.begin((transaction) => splitSubnet(transaction, subnet, 2));
  expect(parts.map(({ cidr }) => cidr)).toEqual(['10.30.0.0/20', '10.30.16.0/20', '10.30.32.0/20', '10.30.48.0/20']);
  expect(parts[0]?.id).toBe(subnet);
  expect(await addressDifferences(sql)).toEqual([]);
  for (const [index, owner] of owners.entries()) {
    const part = parts[index]?.id ?? '';
    expect(await useOf(part)).toMatchObject({ used: 1, total: 4096 });
    expect(await assign(part, {}, owner)).toMatchObject({ subnetId: part, address: `10.30.${16 * index + 3}.7` });
    expect(isAddressIn(parts[index]?.cidr ?? '', (await assign(part)).address)).toBe(true);
  }
  expect((await readSubnet(sql, parts[1]?.id ?? '')).gateway).toBe('10.30.16.1');
});

test('a split that would take an address from who has it is refused, and changes nothing', async () => {
  const subnet = await insertSubnet(sql, '10.31.0.0/24');
  await assign(subnet, { address: '10.31.0.127' });
  const split = sql.begin((transaction) => splitSubnet(transaction, subnet, 1));
  await expect(split).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('10.31.0.127') });
  expect((await readSubnet(sql, subnet)).cidr).toBe('10.31.0.0/24');
  expect((await assign(subnet)).address).toBe('10.31.0.10');
});

test('a subnet grows unless another of its VRF is in the way, and gives what it has gained', async () => {
  const vrf = `growing-${randomUUID()}`;
  const subnet = await insertSubnet(sql, '10.40.1.0/29', { vrf });
  await insertSubnet(sql, '10.40.0.0/24', { vrf });
  await times(5, () => assign(subnet));
  await expect(assign(subnet)).rejects.toMatchObject({ code: 'capacity' });
  expect(await sql.begin((transaction) => growSubnet(transaction, subnet, 24))).toBe('10.40.1.0/24');
  expect((await assign(subnet)).address).toBe('10.40.1.10');
  expect(await assign(subnet, { address: '10.40.1.7' })).toMatchObject({ address: '10.40.1.7' });
  await expect(sql.begin((transaction) => growSubnet(transaction, subnet, 23))).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('10.40.0.0/24'),
  });
  expect(await addressDifferences(sql)).toEqual([]);
});

test('claims while a subnet is split and grown lose nothing and get nothing twice', async () => {
  const subnet = await insertSubnet(sql, '10.52.0.0/22');
  const changes = async (): Promise<void> => {
    await sql.begin((transaction) => growSubnet(transaction, subnet, 20)).catch(() => undefined);
    await sql.begin((transaction) => splitSubnet(transaction, subnet, 1)).catch(() => undefined);
  };
  const [given] = await Promise.all([times(150, () => assign(subnet)), changes()]);
  expect(new Set(addresses(given)).size).toBe(150);
  expect(await addressDifferences(sql)).toEqual([]);
});

test('whatever is assigned, released, freed, split and grown, in any order, a recount finds the same', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ do: 'assign' as const }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), at: fc.integer({ min: 0, max: 260 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant({ do: 'grow' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'split' as const }) },
  );
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const subnet = await insertSubnet(sql, '10.60.0.0/26');
    const owners: string[] = [];
    for (const each of steps) {
      const owner = randomUUID();
      owners.push(owner);
      const doing = {
        assign: () => assign(subnet, {}, { owner, place: '' }),
        take: () => assign(subnet, { address: `10.60.0.${'at' in each ? each.at % 256 : 0}` }, { owner, place: '' }),
        release: () => releaseAddresses(sql, owners['at' in each ? each.at % owners.length : 0] ?? ''),
        grow: () =>
          sql.begin(async (t) => growSubnet(t, subnet, Number((await readSubnet(sql, subnet)).cidr.split('/')[1]) - 1)),
        split: () => sql.begin((t) => splitSubnet(t, subnet, 1)),
      };
      await doing[each.do]().catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && /conflict|invalid|capacity/.test(String(error.code))))
          throw error;
      });
    }
    expect(await addressDifferences(sql)).toEqual([]);
    const twice = await sql`SELECT a.address FROM address_assignments a JOIN subnets s ON s.resource_id = a.subnet_id
      WHERE a.freed_at IS NULL GROUP BY s.vrf_id, a.address HAVING count(*) > 1`;
    expect(twice).toEqual([]);
  });
  await fc.assert(property, { numRuns: 25 });
});

test('a block that is wrong is shown, with what it should be', async () => {
  const subnet = await insertSubnet(sql, '10.70.0.0/16');
  await assign(subnet);
  await sql`UPDATE address_blocks SET taken = set_bit(taken, 40, 1) WHERE subnet_id = ${subnet} AND first = '10.70.0.0'`;
  const [difference] = await addressDifferences(sql);
  expect(difference).toMatchObject({ subnetId: subnet, first: '10.70.0.0' });
  expect([difference?.recorded?.[40], difference?.counted[40]]).toEqual(['1', '0']);
});

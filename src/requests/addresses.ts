import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { assignAddress, releaseAddresses } from '../db/queries/address-claims.ts';
import { audited } from '../db/queries/audit.ts';
import { giveQuota, takeQuota } from '../db/queries/quota-takes.ts';
import { knownResources } from '../db/queries/resources.ts';
import { findAddress, findSubnet } from '../db/queries/subnets.ts';
import type { QuotaUse } from '../domain/quota.ts';
import type { Address, AddressCreate } from '../domain/subnet.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';
import { whyNot } from './refusals.ts';
import { actOf, holdUsable, insertPassive, refusalOf, tell } from './subnets.ts';
import { notFound } from './target.ts';

export async function addressIn(sql: Sql, caller: Caller, reference: string): Promise<Address> {
  const address = await findAddress(sql, caller.project.id, reference);
  if (!address) throw notFound('address', reference);
  return address;
}

/** Reserves an address of a subnet for the project; its network cannot be deleted while it is. */
export async function createAddress(sql: Sql, caller: Caller, create: AddressCreate): Promise<Address> {
  const [id, { name, address, hostname = name }] = [newId(), create];
  const subnet = await findSubnet(sql, caller.project.id, create.subnet);
  if (!subnet) {
    const detail = `There is no subnet "${create.subnet}" in this project.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/subnet', detail }] });
  }
  const find = await knownResources(sql, caller.project.id, [{ kind: 'network', reference: subnet.network.id }]);
  const network = find({ kind: 'network', reference: subnet.network.id });
  if (!network) throw notFound('network', subnet.network.name);
  try {
    await audited(sql, actOf(caller, 'address.create', { id, name }), async (transaction) => {
      await holdUsable(transaction, network);
      const passive = { id, kind: 'address', name, place: network, requested: create, quota } as const;
      await insertPassive(transaction, caller, passive);
      await transaction`INSERT INTO resource_uses (user_id, used_id, position) VALUES (${id}, ${network.id}, 0)`;
      const wish = { subnetId: subnet.id, address, hostname };
      const given = await assignAddress(transaction, { owner: id, place: '' }, wish, patienceMs);
      // Last: every request of the project waits for this row.
      if (!(await takeQuota(transaction, caller.project.id, quota))) throw await whyNot(transaction, caller, quota, []);
      await tell(transaction, caller, 'address.created', { id, name }, 'available', { address: given.address });
    });
  } catch (error) {
    throw refusalOf(error, 'address', name);
  }
  return await addressIn(sql, caller, id);
}

/** What an address takes of the quota. */
const quota = { addresses: 1 } as const satisfies QuotaUse;

/** Somebody waits for the answer. */
const patienceMs = 2000;

export async function removeAddress(sql: Sql, caller: Caller, reference: string): Promise<void> {
  const { id, name } = await addressIn(sql, caller, reference);
  await audited(sql, actOf(caller, 'address.delete', { id, name }), async (transaction) => {
    const [gone] = await transaction<{ quota: QuotaUse }[]>`
      UPDATE resources SET status = 'deleted', deleted_at = now(), updated_at = now() WHERE id = ${id} AND deleted_at IS NULL RETURNING quota`;
    if (!gone) throw notFound('address', reference);
    await releaseAddresses(transaction, id);
    await transaction`DELETE FROM resource_uses WHERE user_id = ${id}`;
    await giveQuota(transaction, caller.project.id, gone.quota);
    await tell(transaction, caller, 'address.deleted', { id, name }, 'deleted');
  });
}

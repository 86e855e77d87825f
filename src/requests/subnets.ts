import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { isOverlap, violatedUnique } from '../db/client.ts';
import { openFirstBlocks } from '../db/queries/address-blocks.ts';
import { audited } from '../db/queries/audit.ts';
import { insertEvent } from '../db/queries/outbox.ts';
import { knownResources } from '../db/queries/resources.ts';
import { endSubnet, growSubnet, splitSubnet } from '../db/queries/subnet-changes.ts';
import { readSubnet } from '../db/queries/subnet-shapes.ts';
import { findSubnet } from '../db/queries/subnets.ts';
import { ensureVrf } from '../db/queries/vrfs.ts';
import { usableStates } from '../domain/life.ts';
import type { QuotaUse } from '../domain/quota.ts';
import type { Subnet, SubnetCreate } from '../domain/subnet.ts';
import { MillwrightError } from '../errors.ts';
import type { Caller } from './caller.ts';
import { subnetRow } from './subnet-row.ts';
import { notFound } from './target.ts';

/** What a request for a subnet or an address, done at once, leaves in the audit log. */
export const actOf = ({ organization, project, actor, origin }: Caller, action: string, resource: Named) => ({
  organizationId: organization.id,
  projectId: project.id,
  actor,
  origin,
  action,
  resource: { kind: action.split('.')[0] ?? '', ...resource },
});
interface Named {
  readonly id: string;
  readonly name: string;
}

export const tell = (
  sql: TransactionSql,
  { organization, project }: Caller,
  type: string,
  { id, name }: Named,
  status: string | null,
  data: object = {},
): Promise<void> =>
  insertEvent(sql, {
    organizationId: organization.id,
    projectId: project.id,
    type,
    resource: { id, kind: type.split('.')[0] ?? '', name, status },
    data,
  });

export async function subnetIn(sql: Sql | TransactionSql, caller: Caller, reference: string): Promise<Subnet> {
  const subnet = await findSubnet(sql, caller.project.id, reference);
  if (!subnet) throw notFound('subnet', reference);
  return subnet;
}

/** Adds a subnet to a network, in that network's VRF. */
export async function createSubnet(sql: Sql, caller: Caller, create: SubnetCreate): Promise<Subnet> {
  const [id, { name, cidr, network: reference }] = [newId(), create];
  const find = await knownResources(sql, caller.project.id, [{ kind: 'network', reference }]);
  const network = find({ kind: 'network', reference });
  if (!network) {
    const detail = `There is no network "${reference}" in this project.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/network', detail }] });
  }
  try {
    return await audited(sql, actOf(caller, 'subnet.create', { id, name }), async (transaction) => {
      await holdUsable(transaction, network);
      const [other] = await transaction<{ vrfId: string }[]>`
        SELECT vrf_id AS "vrfId" FROM subnets WHERE network_id = ${network.id} ORDER BY resource_id LIMIT 1`;
      const vrfId = other?.vrfId ?? (await ensureVrf(transaction, caller.project.id, network.id));
      const row = { ...subnetRow(id, create), vrf_id: vrfId, network_id: network.id };
      await insertPassive(transaction, caller, { id, kind: 'subnet', name, place: network, requested: create });
      await transaction`
        INSERT INTO subnets SELECT k.* FROM jsonb_populate_record(NULL::subnets, ${JSON.stringify(row)}::text::jsonb) k`;
      await openFirstBlocks(transaction, await readSubnet(transaction, id));
      await tell(transaction, caller, 'subnet.created', { id, name }, 'available', { cidr });
      return await subnetIn(transaction, caller, id);
    });
  } catch (error) {
    throw refusalOf(error, 'subnet', name, cidr);
  }
}

/** A resource that no provider is told of: there at once, and held by no job. */
export async function insertPassive(
  sql: TransactionSql,
  { organization, project }: Caller,
  {
    place,
    quota = {},
    ...resource
  }: {
    readonly id: string;
    readonly kind: 'subnet' | 'address';
    readonly name: string;
    readonly place: { readonly region: string; readonly provider: string };
    readonly requested: object;
    /** What it has taken, and gives back when it is gone. */
    readonly quota?: QuotaUse;
  },
): Promise<void> {
  await sql`
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, provider, region, requested, quota)
    VALUES (${resource.id}, ${organization.id}, ${project.id}, ${resource.kind}, ${resource.name}, 'available',
      ${place.provider}, ${place.region}, ${JSON.stringify(resource.requested)}::text::jsonb, ${JSON.stringify(quota)}::text::jsonb)`;
}

/** Keeps a network from being deleted until the transaction has ended; refused where it is not there to be used. */
export async function holdUsable(sql: TransactionSql, { id, name }: Named): Promise<void> {
  const [held] = await sql<{ status: string }[]>`
    SELECT status FROM resources WHERE id = ${id} AND deleted_at IS NULL FOR SHARE`;
  if (held && usableStates.some((state) => state === held.status)) return;
  throw new MillwrightError(
    'conflict',
    `The network "${name}" is ${held?.status ?? 'deleted'} and cannot be used now.`,
  );
}

export function refusalOf(error: unknown, kind: string, name: string, cidr = ''): unknown {
  if (violatedUnique(error) === 'resources_name_key') {
    const detail = `There is already a ${kind} "${name}" in this project. Choose another name, or delete that one first.`;
    return new MillwrightError('conflict', detail);
  }
  if (!isOverlap(error)) return error;
  const detail = `The ${kind} "${name}" cannot have ${cidr}: a subnet of the same VRF has addresses of that. Choose another block.`;
  return new MillwrightError('conflict', detail);
}

/** Only one in which nobody has an address, and not the last of its network: that goes with the network. */
export async function removeSubnet(sql: Sql, caller: Caller, reference: string): Promise<void> {
  const { id, name } = await subnetIn(sql, caller, reference);
  await audited(sql, actOf(caller, 'subnet.delete', { id, name }), async (transaction) => {
    await endSubnet(transaction, id);
    await tell(transaction, caller, 'subnet.deleted', { id, name }, 'deleted');
  });
}

export async function growIn(sql: Sql, caller: Caller, reference: string, prefix: number): Promise<Subnet> {
  const { id, name } = await subnetIn(sql, caller, reference);
  return await audited(sql, actOf(caller, 'subnet.grow', { id, name }), async (transaction) => {
    const cidr = await growSubnet(transaction, id, prefix);
    await tell(transaction, caller, 'subnet.grown', { id, name }, 'available', { cidr });
    return await subnetIn(transaction, caller, id);
  });
}

/** The parts, in the order of their addresses; the first is what the subnet itself has become. */
export async function splitIn(sql: Sql, caller: Caller, reference: string, parts: number): Promise<Subnet[]> {
  const { id, name } = await subnetIn(sql, caller, reference);
  return await audited(sql, actOf(caller, 'subnet.split', { id, name }), async (transaction) => {
    const made = await splitSubnet(transaction, id, Math.log2(parts));
    const views: Subnet[] = [];
    for (const part of made) {
      await tell(transaction, caller, part.id === id ? 'subnet.split' : 'subnet.created', part, 'available', {
        cidr: part.cidr,
      });
      views.push(await subnetIn(transaction, caller, part.id));
    }
    return views;
  });
}

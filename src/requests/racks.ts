import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { findHostGroup, findRack } from '../db/queries/racks.ts';
import { isId } from '../domain/common.ts';
import type { HostGroup, HostMarks, Rack, RackCreate, RackPlace } from '../domain/rack.ts';
import { MillwrightError, refusedFor } from '../errors.ts';
import { type Actor, actOn, onPlatform } from './acting.ts';
import type { Catalog } from './catalog.ts';
import { noRegion } from './offered.ts';
import { there } from './target.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

export async function createRack(sql: Sql, actor: Actor, catalog: Catalog, body: RackCreate): Promise<Rack> {
  const { name, region, heightUnits } = body;
  if (!catalog.regions.some((known) => known.name === region)) throw refusedFor('invalid', [noRegion(catalog, region)]);
  const id = newId();
  await audited(sql, actOn(onPlatform(actor), 'rack.create', { id, name }), async (transaction) => {
    await transaction`INSERT INTO racks (id, name, region, height_units) VALUES (${id}, ${name}, ${region}, ${heightUnits})`;
  }).catch((error: unknown) => {
    throw violatedUnique(error) === 'racks_name_key' ? taken('rack', name) : error;
  });
  return there(await findRack(sql, id), 'rack', name);
}

/** Only one that is empty. */
export async function deleteRack(sql: Sql, actor: Actor, reference: string): Promise<void> {
  const rack = there(await findRack(sql, reference), 'rack', reference);
  await audited(sql, actOn(onPlatform(actor), 'rack.delete', rack), async (transaction) => {
    await forgetDeleted(transaction);
    const [host] = await transaction<{ name: string }[]>`
      SELECT h.name FROM rack_units u JOIN resources h ON h.id = u.host_id WHERE u.rack_id = ${rack.id} ORDER BY u.unit LIMIT 1`;
    if (host)
      throw new MillwrightError(
        'conflict',
        `In the rack "${rack.name}" stands the host "${host.name}". Take it out first.`,
      );
    const [compute] = await transaction<{ name: string }[]>`
      SELECT name FROM compute_hosts WHERE rack_id = ${rack.id} ORDER BY name LIMIT 1`;
    if (compute)
      throw new MillwrightError(
        'conflict',
        `In the rack "${rack.name}" stands the compute host "${compute.name}". Take it out first.`,
      );
    await transaction`DELETE FROM racks WHERE id = ${rack.id}`;
  });
}

/** Puts a host into a rack, or into other units of it: it stands in one place. */
export async function placeHost(
  sql: Sql,
  actor: Actor,
  reference: string,
  hostId: string,
  place: RackPlace,
): Promise<void> {
  const rack = there(await findRack(sql, reference), 'rack', reference);
  const { unit, heightUnits } = place;
  if (unit + heightUnits - 1 > rack.heightUnits) {
    const detail = `The rack "${rack.name}" has ${rack.heightUnits} units: ${heightUnits} from unit ${unit} on end above it.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/unit', detail }] });
  }
  await audited(sql, actOn(onPlatform(actor), 'rack.place', rack), async (transaction) => {
    const host = await lockHost(transaction, hostId);
    if (host.region !== rack.region) {
      throw new MillwrightError(
        'conflict',
        `The host "${host.name}" is in region "${host.region}", the rack "${rack.name}" in "${rack.region}".`,
      );
    }
    await forgetDeleted(transaction);
    await transaction`DELETE FROM rack_units WHERE host_id = ${host.id}`;
    await transaction`
      INSERT INTO rack_units (rack_id, unit, host_id)
      SELECT ${rack.id}, generate_series(${unit}::int, ${unit + heightUnits - 1}::int), ${host.id}`;
  }).catch((error: unknown) => {
    if (violatedUnique(error) === undefined) throw error;
    const last = unit + heightUnits - 1;
    throw new MillwrightError(
      'conflict',
      `Another host stands in the units ${unit} to ${last} of the rack "${rack.name}". Look at its elevation.`,
    );
  });
}

export async function unplaceHost(sql: Sql, actor: Actor, reference: string, hostId: string): Promise<void> {
  const rack = there(await findRack(sql, reference), 'rack', reference);
  await audited(sql, actOn(onPlatform(actor), 'rack.unplace', rack), async (transaction) => {
    const gone =
      await transaction`DELETE FROM rack_units WHERE rack_id = ${rack.id} AND host_id = ${hostId} RETURNING unit`;
    if (gone.length === 0)
      throw new MillwrightError('not_found', `There is no host "${hostId}" in the rack "${rack.name}".`);
  });
}

export async function createHostGroup(sql: Sql, actor: Actor, name: string): Promise<HostGroup> {
  const id = newId();
  await audited(sql, actOn(onPlatform(actor), 'host-group.create', { id, name }), async (transaction) => {
    await transaction`INSERT INTO host_groups (id, name) VALUES (${id}, ${name})`;
  }).catch((error: unknown) => {
    throw violatedUnique(error) === 'host_groups_name_key' ? taken('host group', name) : error;
  });
  return there(await findHostGroup(sql, id), 'host group', name);
}

export async function deleteHostGroup(sql: Sql, actor: Actor, reference: string): Promise<void> {
  const group = there(await findHostGroup(sql, reference), 'host group', reference);
  await audited(sql, actOn(onPlatform(actor), 'host-group.delete', group), async (transaction) => {
    await transaction`DELETE FROM host_group_members WHERE group_id = ${group.id}`;
    await transaction`
      UPDATE compute_hosts SET groups = array_remove(groups, ${group.name}), shape = shape + 1, changed_in = pg_current_xact_id()
      WHERE ${group.name} = ANY(groups)`;
    await transaction`DELETE FROM host_groups WHERE id = ${group.id}`;
  });
}

/** A host that is in the group, or is not, already stays so. */
export async function setGroupMember(
  sql: Sql,
  actor: Actor,
  reference: string,
  hostId: string,
  isIn: boolean,
): Promise<void> {
  const group = there(await findHostGroup(sql, reference), 'host group', reference);
  const action = isIn ? 'host-group.add' : 'host-group.remove';
  await audited(sql, actOn(onPlatform(actor), action, group), async (transaction) => {
    if (!isIn) {
      await transaction`DELETE FROM host_group_members WHERE group_id = ${group.id} AND host_id = ${hostId}`;
      return;
    }
    const { id } = await lockHost(transaction, hostId);
    await transaction`INSERT INTO host_group_members (group_id, host_id) VALUES (${group.id}, ${id}) ON CONFLICT DO NOTHING`;
  });
}

/** What people say of a host: it keeps nothing that is under way. */
export async function markHost(sql: Sql, actor: Actor, hostId: string, marks: HostMarks): Promise<void> {
  const [host] = await sql<
    Named[]
  >`SELECT id, name FROM resources WHERE id = ${hostId} AND kind = 'bare-metal-host' AND deleted_at IS NULL`;
  const marked = there(host, 'host', hostId);
  await audited(sql, actOn(onPlatform(actor), 'bare-metal-host.mark', marked), async (transaction) => {
    await lockHost(transaction, hostId);
    await transaction`UPDATE bare_metal_hosts SET ${transaction({ ...marks })} WHERE resource_id = ${hostId}`;
  });
}

async function lockHost(sql: TransactionSql, id: string): Promise<Named & { readonly region: string }> {
  const [host] = isId(id)
    ? await sql<(Named & { region: string })[]>`
      SELECT id, name, region FROM resources WHERE id = ${id} AND kind = 'bare-metal-host' AND deleted_at IS NULL FOR UPDATE`
    : [];
  return there(host, 'host', id);
}

/** What was given up stands nowhere any more. */
async function forgetDeleted(sql: TransactionSql): Promise<void> {
  await sql`DELETE FROM rack_units u USING resources h WHERE h.id = u.host_id AND h.deleted_at IS NOT NULL`;
}

const taken = (kind: string, name: string): MillwrightError =>
  new MillwrightError('conflict', `There is a ${kind} "${name}" already. Take another name.`);

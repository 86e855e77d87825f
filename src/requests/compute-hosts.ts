import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { findComputeHost } from '../db/queries/compute-hosts.ts';
import { measures } from '../domain/candidate.ts';
import type { ComputeHost, ComputeHostCreate, ComputeHostUpdate } from '../domain/compute-host.ts';
import { type Fault, MillwrightError, refusedFor } from '../errors.ts';
import { type Actor, actOn, onPlatform } from './acting.ts';
import type { Catalog } from './catalog.ts';
import { providerIn } from './offered.ts';
import { there } from './target.ts';
import { merged } from './update.ts';

const kind = 'compute host';

export async function createComputeHost(
  sql: Sql,
  actor: Actor,
  catalog: Catalog,
  body: ComputeHostCreate,
): Promise<ComputeHost> {
  const id = newId();
  const { name, rack, provider: _, ...rest } = body;
  const found = providerIn(catalog, body);
  if ('fault' in found) throw refusedFor('invalid', [found.fault]);
  const { provider } = found;
  const act = { ...actOn(onPlatform(actor), 'compute-host.create', { id, name }), details: body };
  await audited(sql, act, async (transaction) => {
    const rackId = await lookUp(transaction, body.region, body);
    const row = { ...columnsOf(rest), id, name, region: body.region, provider, rack_id: rackId };
    await insert(transaction, row);
  }).catch((error: unknown) => {
    if (violatedUnique(error) !== 'compute_hosts_name_key') throw error;
    throw new MillwrightError('conflict', `There is a compute host "${name}" already. Take another name.`);
  });
  return there(await findComputeHost(sql, id), kind, name);
}

export async function updateComputeHost(
  sql: Sql,
  actor: Actor,
  reference: string,
  change: ComputeHostUpdate,
): Promise<ComputeHost> {
  const { id, name } = there(await findComputeHost(sql, reference), kind, reference);
  const act = { ...actOn(onPlatform(actor), 'compute-host.update', { id, name }), details: change };
  await audited(sql, act, async (transaction) => {
    const before = await lock(transaction, id, reference);
    refuseIfTooSmall(before, change);
    const rackId =
      change.rack === undefined && !change.groups ? undefined : await lookUp(transaction, before.region, change);
    const { rack, labels, ...rest } = change;
    const row = {
      ...columnsOf({ ...rest, ...(labels ? { labels: merged(before.labels, labels) } : {}) }),
      ...(rack === undefined ? {} : { rack_id: rackId ?? null }),
    };
    await update(transaction, id, row);
  });
  return there(await findComputeHost(sql, id), kind, reference);
}

/** Only one on which nothing is placed. */
export async function deleteComputeHost(sql: Sql, actor: Actor, reference: string): Promise<void> {
  const host = there(await findComputeHost(sql, reference), kind, reference);
  await audited(sql, actOn(onPlatform(actor), 'compute-host.delete', host), async (transaction) => {
    const { name, vms } = await lock(transaction, host.id, reference);
    if (vms > 0)
      throw new MillwrightError(
        'conflict',
        `On the compute host "${name}" are ${vms} VMs. Put it into maintenance, and delete them or make them anew elsewhere first.`,
      );
    await transaction`DELETE FROM compute_hosts WHERE id = ${host.id}`;
  });
}

/** Its claims wait until the change is made, or are made before it. */
async function lock(sql: TransactionSql, id: string, reference: string): Promise<ComputeHost> {
  await sql`SELECT FROM compute_hosts WHERE id = ${id} FOR UPDATE`;
  return there(await findComputeHost(sql, id), kind, reference);
}

/** The rack that is named, and whether the groups are there. */
async function lookUp(
  sql: TransactionSql,
  region: string,
  { rack, groups = [] }: Pick<ComputeHostUpdate, 'rack' | 'groups'>,
): Promise<string | null> {
  const faults: Fault[] = [];
  const [found] = rack
    ? await sql<{ id: string; region: string }[]>`SELECT id, region FROM racks WHERE name = ${rack} FOR SHARE`
    : [];
  if (rack && !found) faults.push({ pointer: '/rack', detail: `There is no rack "${rack}".` });
  if (found && found.region !== region) {
    faults.push({ pointer: '/rack', detail: `The rack "${rack}" is in region "${found.region}", not in "${region}".` });
  }
  const known = await sql<{ name: string }[]>`SELECT name FROM host_groups WHERE name = ANY(${[...groups]}) FOR SHARE`;
  groups.forEach((group, index) => {
    if (!known.some(({ name }) => name === group))
      faults.push({ pointer: `/groups/${index}`, detail: `There is no host group "${group}".` });
  });
  if (faults.length > 0) throw refusedFor('invalid', faults);
  return found?.id ?? null;
}

/** What is claimed cannot be taken away. */
function refuseIfTooSmall(before: ComputeHost, change: ComputeHostUpdate): void {
  const cores = change.vcpus ?? before.vcpus;
  const total = {
    vcpus: Math.floor(cores * (change.cpuRatio ?? before.cpuRatio)),
    memoryMib: change.memoryMib ?? before.memoryMib,
    diskGib: change.diskGib ?? before.diskGib,
    gpus: change.gpus ?? before.gpus,
  };
  const short = measures.filter((measure) => total[measure] < before.used[measure]);
  if (short.length === 0) return;
  const faults = short.map((measure) => ({
    pointer: `/${measure}`,
    detail: `VMs on "${before.name}" take ${before.used[measure]} of ${measure}, and it would have ${total[measure]}.`,
  }));
  throw refusedFor('conflict', faults);
}

const columnNames = {
  labels: 'labels',
  groups: 'groups',
  vcpus: 'vcpus',
  memoryMib: 'memory_mib',
  diskGib: 'disk_gib',
  gpus: 'gpus',
  cpuRatio: 'cpu_ratio',
  maintenance: 'maintenance',
} as const;
type Row = Readonly<Record<string, unknown>>;

const columnsOf = (fields: object): Row =>
  Object.fromEntries(
    Object.entries(columnNames).flatMap(([field, column]) => {
      const value: unknown = Reflect.get(fields, field);
      return value === undefined ? [] : [[column, value]];
    }),
  );

async function insert(sql: TransactionSql, row: Row): Promise<void> {
  const columns = Object.keys(row).join(', ');
  await sql.unsafe(
    `INSERT INTO compute_hosts (${columns}) SELECT ${columns} FROM jsonb_populate_record(NULL::compute_hosts, $1::text::jsonb)`,
    [JSON.stringify(row)],
  );
}

async function update(sql: TransactionSql, id: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  const from = columns.map((column) => `p.${column}`).join(', ');
  await sql.unsafe(
    `UPDATE compute_hosts h SET (shape, changed_in, ${columns.join(', ')}) =
      (SELECT h.shape + 1, pg_current_xact_id(), ${from} FROM jsonb_populate_record(h, $2::text::jsonb) p) WHERE h.id = $1`,
    [id, JSON.stringify(row)],
  );
}

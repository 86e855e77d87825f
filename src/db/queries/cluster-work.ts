import type { Sql, TransactionSql } from 'postgres';
import { type MachineGroup, machinesIn } from '../../domain/cluster-machines.ts';
import type { BootstrapSpec, ClusterNode, JobState } from '../../domain/job.ts';
import { type QuotaUse, someQuota } from '../../domain/quota.ts';
import type { Trail } from '../../domain/trail.ts';
import { giveQuota } from './quota-takes.ts';

/** A cluster as the activities of its job need it. */
interface ClusterRow {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly provider: string;
  readonly image: string;
  readonly sshKeys: string[];
  /** Ids. */
  readonly networks: string[];
  readonly organization: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string; readonly name: string };
}

export interface MachineRow {
  readonly name: string;
  readonly flavor: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createJobId: string;
  readonly deleteJobId: string;
  /** Null where no such job has been accepted. */
  readonly createState: JobState | null;
  readonly deleteState: JobState | null;
  /** Null where it has none, or no more. */
  readonly vmId: string | null;
}

export async function clusterForWork(sql: Sql, id: string): Promise<ClusterRow> {
  const [row] = await sql<ClusterRow[]>`
    SELECT r.id, r.name, r.region, r.provider, k.image, k.ssh_keys AS "sshKeys",
      array(SELECT u.used_id FROM resource_uses u JOIN resources n ON n.id = u.used_id AND n.kind = 'network'
        WHERE u.user_id = r.id ORDER BY u.position) AS networks,
      jsonb_build_object('id', o.id, 'name', o.name) AS organization, jsonb_build_object('id', p.id, 'name', p.name) AS project
    FROM resources r JOIN clusters k ON k.resource_id = r.id
      JOIN organizations o ON o.id = r.organization_id JOIN projects p ON p.id = r.project_id
    WHERE r.id = ${id}`;
  if (!row) throw new Error(`cluster ${id} is not in the database`);
  return row;
}

export const trailOf = async (sql: Sql, jobId: string): Promise<Trail | undefined> => {
  const [row] = await sql<{ trail: Trail | null }[]>`SELECT input -> 'trail' AS trail FROM jobs WHERE id = ${jobId}`;
  return row?.trail ?? undefined;
};

/** The machines that a cluster has or is to have, with their jobs; the control plane first. */
export async function machinesForWork(sql: Sql, clusterId: string): Promise<readonly MachineRow[]> {
  return await sql<MachineRow[]>`
    SELECT m.name, m.flavor, m.labels, m.create_job_id AS "createJobId", m.delete_job_id AS "deleteJobId",
      c.state AS "createState", d.state AS "deleteState", v.id AS "vmId"
    FROM cluster_machines m LEFT JOIN jobs c ON c.id = m.create_job_id LEFT JOIN jobs d ON d.id = m.delete_job_id
      LEFT JOIN resources v ON v.id = coalesce(c.resource_id, m.vm_id) AND v.deleted_at IS NULL
    WHERE m.cluster_id = ${clusterId} ORDER BY m.role, m.pool NULLS FIRST, m.ordinal`;
}

/** Another job is to do it: the one before has ended without. */
export async function renewMachineJob(
  sql: Sql,
  clusterId: string,
  name: string,
  verb: 'create' | 'delete',
): Promise<string> {
  const column = sql(verb === 'create' ? 'create_job_id' : 'delete_job_id');
  const [row] = await sql<{ id: string }[]>`
    UPDATE cluster_machines SET ${column} = uuidv7() WHERE cluster_id = ${clusterId} AND name = ${name} RETURNING ${column} AS id`;
  if (!row) throw new Error(`cluster ${clusterId} has no machine ${name}`);
  return row.id;
}

/** A machine is this VM, which from now on cannot be deleted by itself. */
export async function holdMachine(sql: Sql, clusterId: string, name: string, vmId: string): Promise<void> {
  await sql`
    WITH machine AS (UPDATE cluster_machines SET vm_id = ${vmId} WHERE cluster_id = ${clusterId} AND name = ${name})
    INSERT INTO resource_uses (user_id, used_id, position)
    VALUES (${clusterId}, ${vmId}, (SELECT coalesce(max(position) + 1, 0) FROM resource_uses WHERE user_id = ${clusterId}))
    ON CONFLICT DO NOTHING`;
}

/** So that its cluster itself can delete it. */
export async function letGoOfMachine(sql: Sql, clusterId: string, vmId: string): Promise<void> {
  await sql`DELETE FROM resource_uses WHERE user_id = ${clusterId} AND used_id = ${vmId}`;
}

export async function nodesForWork(sql: Sql, clusterId: string): Promise<BootstrapSpec['nodes']> {
  return await sql<BootstrapSpec['nodes'][number][]>`
    SELECT name, vm_id AS key, role FROM cluster_machines
    WHERE cluster_id = ${clusterId} AND role <> 'bastion' AND vm_id IS NOT NULL ORDER BY role, pool NULLS FIRST, ordinal`;
}

/** Rows for machines that a cluster is to have; those that have one keep it. */
export async function addMachines(
  sql: Sql,
  clusterId: string,
  name: string,
  groups: readonly MachineGroup[],
): Promise<void> {
  await sql.unsafe(
    `INSERT INTO cluster_machines SELECT k.* FROM jsonb_array_elements($2::text::jsonb) m,
      jsonb_populate_record(NULL::cluster_machines, m || jsonb_build_object('cluster_id', $1::uuid,
        'create_job_id', uuidv7(), 'delete_job_id', uuidv7())) k
    ON CONFLICT (cluster_id, name) DO NOTHING`,
    [clusterId, JSON.stringify(machinesIn(name, groups))],
  );
}

export async function forgetMachines(sql: Sql, clusterId: string, names: readonly string[]): Promise<void> {
  await sql`DELETE FROM cluster_machines WHERE cluster_id = ${clusterId} AND name = ANY(${[...names]}::text[])`;
}

/** How each node stands; a machine that is not among them is no node. */
export async function keepNodes(sql: Sql, clusterId: string, nodes: readonly ClusterNode[]): Promise<void> {
  await sql.unsafe(
    `UPDATE cluster_machines m SET node = n.status, version = n.version
    FROM cluster_machines c LEFT JOIN jsonb_to_recordset($2::text::jsonb) AS n(name text, status text, version text) ON n.name = c.name
    WHERE m.cluster_id = $1 AND c.cluster_id = m.cluster_id AND c.name = m.name`,
    [clusterId, JSON.stringify(nodes)],
  );
}

/**
 * Hands on to a machine's VM what its cluster's job took of the quota for it, as far as there is any left: to be called
 * in the transaction in which the VM takes its own.
 */
export async function handOnQuota(
  sql: TransactionSql,
  { clusterId, jobId }: { readonly clusterId: string; readonly jobId: string },
  wanted: QuotaUse,
): Promise<void> {
  const [row] = await sql<{ projectId: string; quota: QuotaUse }[]>`
    SELECT project_id AS "projectId", quota FROM resources WHERE id = ${clusterId} AND current_job_id = ${jobId} FOR UPDATE`;
  if (!row) return;
  const given = someQuota((metric) => Math.min(row.quota[metric] ?? 0, wanted[metric] ?? 0));
  if (Object.keys(given).length === 0) return;
  const left = someQuota((metric) => (row.quota[metric] ?? 0) - (given[metric] ?? 0));
  await sql`UPDATE resources SET quota = ${JSON.stringify(left)}::text::jsonb WHERE id = ${clusterId}`;
  await giveQuota(sql, row.projectId, given);
}

/** What a cluster's provider told of it; the kubeconfig sealed. */
export async function keepCluster(
  sql: Sql,
  clusterId: string,
  kubeconfig: string,
  nodes: readonly ClusterNode[],
): Promise<void> {
  await sql.unsafe(
    `WITH cluster AS (UPDATE clusters SET kubeconfig = $2 WHERE resource_id = $1)
    UPDATE cluster_machines m SET node = n.status, version = n.version
    FROM jsonb_to_recordset($3::text::jsonb) AS n(name text, status text, version text)
    WHERE m.cluster_id = $1 AND m.name = n.name`,
    [clusterId, kubeconfig, JSON.stringify(nodes)],
  );
}

/** Sealed; null until there is one. */
export async function sealedKubeconfig(sql: Sql, clusterId: string): Promise<string | null> {
  const [row] = await sql<{ kubeconfig: string | null }[]>`
    SELECT kubeconfig FROM clusters WHERE resource_id = ${clusterId}`;
  return row?.kubeconfig ?? null;
}

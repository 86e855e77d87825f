import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { openFirstBlocks } from '../../src/db/queries/address-blocks.ts';
import { readSubnet } from '../../src/db/queries/subnet-shapes.ts';
import { ensureVrf } from '../../src/db/queries/vrfs.ts';
import { blockBitsOf } from '../../src/domain/address-space.ts';

interface SubnetOptions {
  readonly vrf?: string;
  readonly gateway?: string | null;
  readonly reserved?: readonly { from: string; to: string }[];
  readonly dynamicRange?: { from: string; to: string } | null;
  readonly quarantineSeconds?: number;
}

/** A subnet as a row alone, in a VRF of its own where none is named. */
export async function insertSubnet(sql: Sql, cidr: string, options: SubnetOptions = {}): Promise<string> {
  const {
    vrf = `vrf-${randomUUID()}`,
    gateway = null,
    reserved = [],
    dynamicRange = null,
    quarantineSeconds = 0,
  } = options;
  const [project] = await sql<{ id: string; organizationId: string }[]>`
    SELECT id, organization_id AS "organizationId" FROM projects ORDER BY id LIMIT 1`;
  const { id: projectId, organizationId } = project ?? { id: '', organizationId: '' };
  const vrfId = await ensureVrf(sql, projectId, vrf);
  const [resource] = await sql<{ id: string }[]>`
    INSERT INTO resources (organization_id, project_id, kind, name, status, provider, region, requested, quota)
    VALUES (${organizationId}, ${projectId}, 'subnet', ${`s-${randomUUID()}`}, 'available', 'simulator', 'tpe-1', '{}', '{}')
    RETURNING id`;
  const id = resource?.id ?? '';
  await sql`
    INSERT INTO subnets (resource_id, vrf_id, cidr, gateway, reserved, dynamic_range, dns_servers, lease_seconds,
      quarantine_seconds, block_bits, shape)
    VALUES (${id}, ${vrfId}, ${cidr}, ${gateway}, ${sql.json([...reserved])}, ${dynamicRange === null ? null : sql.json(dynamicRange)}, '{}', 3600,
      ${quarantineSeconds}, ${blockBitsOf(cidr)}, 0)`;
  await openFirstBlocks(sql, await readSubnet(sql, id));
  return id;
}

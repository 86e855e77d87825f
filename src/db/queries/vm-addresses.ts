import type { Sql } from 'postgres';
import { MillwrightError } from '../../errors.ts';
import { openFirstBlocks } from './address-blocks.ts';
import { assignAddress } from './address-claims.ts';
import { readSubnet } from './subnet-shapes.ts';

/** A resource that a job makes, and the networks in which it is to have an address. */
export interface Addressed {
  readonly jobId: string;
  readonly owner: string;
  readonly hostname: string;
  readonly networks: readonly { readonly key: string; readonly name: string }[];
}

/** A claim holds its resource in its state meanwhile, so that what waits too long is given up and tried again. */
const patienceMs = 2000;

/**
 * An address in each network that has subnets of ours; the same however often it is asked. A network without any is left
 * to its provider. Throws `capacity` where all subnets of one are full, and `conflict` where the job is no longer at work.
 */
export async function assignInNetworks(
  sql: Sql,
  addressed: Addressed,
): Promise<readonly { readonly network: string; readonly address: string }[]> {
  const given = [];
  for (const { key, name } of addressed.networks) {
    const subnets = await sql<{ id: string; isNew: boolean }[]>`
      SELECT s.resource_id AS id, NOT EXISTS (SELECT FROM address_blocks b WHERE b.subnet_id = s.resource_id) AS "isNew"
      FROM subnets s WHERE s.network_id = ${key} AND s.ended_at IS NULL ORDER BY s.resource_id`;
    // Before the claim's transaction, which would otherwise have the first blocks to itself.
    for (const { id, isNew } of subnets) if (isNew) await openFirstBlocks(sql, await readSubnet(sql, id));
    if (subnets.length > 0) given.push({ network: name, address: await assignInFirst(sql, addressed, key, subnets) });
  }
  return given;
}

/** In the first subnet that has room. */
async function assignInFirst(
  sql: Sql,
  { jobId, owner, hostname }: Addressed,
  place: string,
  subnets: readonly { readonly id: string }[],
): Promise<string> {
  const full: MillwrightError[] = [];
  for (const { id: subnetId } of subnets) {
    try {
      return await sql.begin(async (transaction) => {
        const [working] = await transaction`
          SELECT FROM resources WHERE id = ${owner} AND current_job_id = ${jobId} AND deleted_at IS NULL FOR SHARE`;
        if (!working) throw new MillwrightError('conflict', `Job ${jobId} is no longer at work on ${owner}.`);
        return (await assignAddress(transaction, { owner, place }, { subnetId, hostname }, patienceMs)).address;
      });
    } catch (error) {
      if (!(error instanceof MillwrightError && error.code === 'capacity')) throw error;
      full.push(error);
    }
  }
  throw new MillwrightError('capacity', full.map(({ message }) => message).join(' '));
}

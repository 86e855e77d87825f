import type { Sql, TransactionSql } from 'postgres';
import type { SubnetShape } from '../../domain/address-space.ts';
import { MillwrightError } from '../../errors.ts';

/** A subnet as claims and changes of its shape need it. */
export interface StoredSubnet extends SubnetShape {
  readonly id: string;
  readonly name: string;
  readonly vrfId: string;
  /** Counts the changes of its shape. */
  readonly shape: number;
  readonly quarantineSeconds: number;
  readonly hasEnded: boolean;
}

const subnetColumns = `s.resource_id AS id, x.name, s.vrf_id AS "vrfId", text(s.cidr) AS cidr, host(s.gateway) AS gateway,
  s.reserved, s.dynamic_range AS "dynamicRange", s.block_bits AS "blockBits", s.shape,
  s.quarantine_seconds AS "quarantineSeconds", s.ended_at IS NOT NULL AS "hasEnded"`;

export async function readSubnet(sql: Sql | TransactionSql, id: string): Promise<StoredSubnet> {
  const [subnet] = await sql<StoredSubnet[]>`
    SELECT ${sql.unsafe(subnetColumns)} FROM subnets s JOIN resources x ON x.id = s.resource_id WHERE s.resource_id = ${id}`;
  if (!subnet || subnet.hasEnded) throw new MillwrightError('not_found', `There is no subnet ${id}.`);
  return subnet;
}

import { type AddressRange, blockBitsOf, usualGateway } from '../domain/address-space.ts';

/** What may be said of a subnet beside its block; what is left out is as usual. */
interface SubnetSettings {
  readonly cidr: string;
  readonly gateway?: string | null | undefined;
  readonly reserved?: readonly AddressRange[] | undefined;
  readonly dynamicRange?: AddressRange | null | undefined;
  readonly dnsServers?: readonly string[] | undefined;
  readonly domain?: string | null | undefined;
  readonly leaseSeconds?: number | undefined;
  readonly quarantineSeconds?: number | undefined;
}

const usualLeaseSeconds = 3600;
/** Long enough for a neighbour to forget which machine had the address. */
const usualQuarantineSeconds = 60;

/** A subnet as a row of its table, but for its network and VRF. */
export const subnetRow = (id: string, { cidr, ...settings }: SubnetSettings) => ({
  resource_id: id,
  cidr,
  gateway: settings.gateway === undefined ? usualGateway(cidr) : settings.gateway,
  reserved: settings.reserved ?? [],
  dynamic_range: settings.dynamicRange ?? null,
  dns_servers: settings.dnsServers ?? [],
  domain: settings.domain ?? null,
  lease_seconds: settings.leaseSeconds ?? usualLeaseSeconds,
  quarantine_seconds: settings.quarantineSeconds ?? usualQuarantineSeconds,
  block_bits: blockBitsOf(cidr),
  shape: 0,
});

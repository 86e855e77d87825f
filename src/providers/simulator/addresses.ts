import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { isAddressIn, spanOf } from '../../domain/address-space.ts';

/** The addresses of a network that a VM may get, counted from its base address. */
export interface HostRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The first ten addresses of a block stay free, as for gateways and name servers; in a block of less than 32 only the
 * base and the gateway do. The last of an IPv4 block is its broadcast address (RFC 919); IPv6 has none.
 */
export function hostRange(cidr: string): HostRange {
  const [base, prefix] = ipaddr.parseCIDR(cidr);
  const isIpv4 = base.kind() === 'ipv4';
  const size = 2 ** ((isIpv4 ? 32 : 128) - prefix);
  return { first: size < 32 ? 2 : 10, last: Math.min(isIpv4 ? size - 2 : size - 1, Number.MAX_SAFE_INTEGER) };
}

/** The address that stands `offset` after the base of a block. */
export function addressAt(cidr: string, offset: number): string {
  const bytes = ipaddr.parseCIDR(cidr)[0].toByteArray();
  // A block has no host bits set (cidrSchema), so that no byte carries over.
  for (let index = bytes.length - 1, rest = offset; rest > 0; index -= 1, rest = Math.floor(rest / 256)) {
    bytes[index] = (bytes[index] ?? 0) + (rest % 256);
  }
  return ipaddr.fromByteArray(bytes).toString();
}

/** Where an address stands in a block; of one outside of it, or too far from its base to count, a number that stands for it. */
export function offsetOf(cidr: string, address: string): number {
  if (isAddressIn(cidr, address)) {
    const offset = spanOf(`${address}/${address.includes(':') ? 128 : 32}`).first - spanOf(cidr).first;
    if (offset <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(offset);
  }
  return -1 - createHash('sha256').update(ipaddr.parse(address).toNormalizedString()).digest().readUIntBE(0, 6);
}

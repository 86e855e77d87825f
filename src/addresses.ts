import ipaddr from 'ipaddr.js';

/** An IPv4 or IPv6 network, as `10.0.0.0/8`. */
export type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A network, or one address as a network of its own; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** An address as it is usually written, an IPv4 one mapped into IPv6 as IPv4; undefined for anything else. */
export const normalAddress = (text: string): string | undefined =>
  ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined;

export function isAmong(address: string, networks: readonly Network[]): boolean {
  const parsed = ipaddr.process(address);
  return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
}

/** Whoever has an IPv6 address has 2^64 of them (RFC 6177): they are one network, /64. An IPv4 address is one of its own. */
export function networkOf(address: string): string {
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}

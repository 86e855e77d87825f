import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isAmong, type Network } from '../addresses.ts';

/** What operators let webhooks reach beside the public internet over https. */
export interface DestinationRules {
  /** Networks whose addresses are reached although they are not public. */
  readonly allowNetworks: readonly Network[];
  readonly allowHttp: boolean;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Public by its range, and yet answered by the cloud that we run in: Azure's own services. */
const innerAddresses = ['168.63.129.16'];
/** All that is given out of IPv6 so far (RFC 4291, 2.4). */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/**
 * Whether a tenant's words may make us connect there: a public unicast address, or one that the operator allows.
 * Loopback, link-local (and with it metadata services), private, unique local, carrier-grade NAT, multicast, reserved
 * and translated addresses are refused; an IPv4 address mapped into IPv6 is taken for what it is.
 */
export function mayConnect(address: string, allowNetworks: readonly Network[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  if (isAmong(address, allowNetworks)) return true;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast)) return false;
  return parsed.range() === 'unicast' && !innerAddresses.includes(parsed.toString());
}

/** What is wrong with a webhook's URL as it is written; undefined where nothing is. */
export function faultOfUrl(text: string, { allowNetworks, allowHttp }: DestinationRules): string | undefined {
  const url = URL.parse(text);
  if (!url) return 'Expected a URL, like "https://example.com/hooks".';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowHttp))
    return `Expected ${allowHttp ? 'http or https' : 'https'}, not "${url.protocol.slice(0, -1)}".`;
  if (url.username !== '' || url.password !== '')
    return 'Expected a URL without user name and password: deliveries are signed instead.';
  const host = hostOf(url);
  const address = isIP(host) ? host : isLocalName(host) ? '127.0.0.1' : undefined;
  if (address !== undefined && !mayConnect(address, allowNetworks)) return refusal(host, address);
  return undefined;
}

/** The addresses to connect to, each of them checked: a name that has an address which is refused is refused whole. */
export async function resolveDestination(
  url: URL,
  { allowNetworks }: DestinationRules,
  signal: AbortSignal,
): Promise<readonly ResolvedAddress[]> {
  const host = hostOf(url);
  const addresses = isIP(host) ? [host] : await addressesOf(host, signal);
  for (const address of addresses) {
    if (!mayConnect(address, allowNetworks)) throw new Error(refusal(host, address));
  }
  return addresses.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 }));
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Always loopback (RFC 6761, 6.3), without asking anybody. */
const isLocalName = (host: string): boolean => /(^|\.)localhost\.?$/i.test(host);

const refusal = (host: string, address: string): string =>
  host === address
    ? `The address ${address} is not one that webhooks may reach.`
    : `The host "${host}" has the address ${address}, which is not one that webhooks may reach.`;

/**
 * Asks DNS by itself first: a name server of a tenant that does not answer would else keep one of the few threads that
 * `lookup` has for the whole process. What DNS does not know may still stand in the machine's own hosts file.
 */
async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  if (isLocalName(host)) return ['127.0.0.1'];
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (addresses.length > 0) return addresses;
    const silent = found.some(
      (one) => one.status === 'rejected' && ['ETIMEOUT', 'ECANCELLED'].includes(codeOf(one.reason)),
    );
    if (silent) throw new Error(`DNS gave no answer for the host "${host}".`);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new Error(`There is no host "${host}".`, { cause });
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

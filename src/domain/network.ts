import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { createFields, nameSchema, resourceFields } from './common.ts';
import { passiveStates } from './life.ts';

/** A CIDR block (RFC 4632, RFC 4291) with no host bits set: IPv4 from /8 to /29, IPv6 from /32 to /64. */
export const cidrSchema = z
  .string()
  .superRefine((text, context) => {
    const fault = cidrFault(text);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  })
  .meta({ examples: ['10.20.0.0/24'] });

function cidrFault(text: string): string | undefined {
  if (!ipaddr.isValidCIDR(text)) return `Expected an address block in CIDR form, like 10.20.0.0/24; found "${text}"`;
  const [address, prefix] = ipaddr.parseCIDR(text);
  // 010.0.0.0/24 is 8.0.0.0/24 to some and 10.0.0.0/24 to others.
  if (address.kind() === 'ipv4' && !ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) {
    return `Expected four decimal numbers without leading zeros, like 10.20.0.0/24; found "${text}"`;
  }
  const [low, high] = address.kind() === 'ipv4' ? [8, 29] : [32, 64];
  if (prefix < low || prefix > high) return `Expected a prefix from /${low} to /${high}; found /${prefix}`;
  const base = (address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(text);
  if (base.toString() !== address.toString())
    return `${text} has host bits set; did you mean ${base.toString()}/${prefix}?`;
  return undefined;
}

/** The body of a create request, and what an operation `network.create` of a batch file holds under `with`. */
export const networkCreateSchema = z
  .strictObject({
    ...createFields,
    cidr: cidrSchema,
    vrf: nameSchema.optional().meta({
      description:
        'Networks of one VRF share a space of addresses, and must not overlap. Where it is left out the network has one of its own.',
      examples: ['default'],
    }),
  })
  .meta({ id: 'NetworkCreate' });
export type NetworkCreate = z.infer<typeof networkCreateSchema>;

export const networkSchema = z
  .object({ ...resourceFields, kind: z.literal('network'), status: z.enum(passiveStates), cidr: z.string() })
  .meta({ id: 'Network' });
export type Network = z.infer<typeof networkSchema>;

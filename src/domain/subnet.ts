import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import {
  type AddressRange,
  assignmentKinds,
  familyOf,
  isAddressIn,
  isRange,
  isReserved,
  type SubnetShape,
} from './address-space.ts';
import { idSchema, nameSchema, referenceSchema, timeSchema } from './common.ts';
import { cidrSchema } from './network.ts';

/** One IPv4 or IPv6 address (RFC 4632, RFC 4291), written as it is shown. */
const addressSchema = z
  .union([z.ipv4(), z.ipv6()], { error: 'Expected an IPv4 or IPv6 address, like 10.20.0.7 or 2001:db8::7' })
  .transform((text) => ipaddr.parse(text).toString());
const rangeSchema = z.strictObject({ from: addressSchema, to: addressSchema });
const domainSchema = z
  .string()
  .max(200)
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'Expected a DNS domain');
const hostnameSchema = domainSchema.meta({ description: 'The name that DNS has for the address.' });

/** The body of a request for a subnet. */
export const subnetCreateSchema = z
  .strictObject({
    name: nameSchema,
    network: referenceSchema.meta({ description: 'The network that it is part of, and whose VRF it is in.' }),
    cidr: cidrSchema,
    gateway: addressSchema
      .nullable()
      .optional()
      .meta({ description: 'The first address after the base where it is left out; null: none.' }),
    reserved: z.array(rangeSchema).max(64).default([]).meta({ description: 'Ranges that nobody gets.' }),
    dynamicRange: rangeSchema.optional().meta({
      description: 'What is given to who asks for any address; all but the first few where it is left out.',
    }),
    dnsServers: z.array(addressSchema).max(8).default([]),
    domain: domainSchema.optional().meta({ description: 'The DNS domain of its hosts.' }),
    leaseSeconds: z.int().min(60).max(31_536_000).default(3600),
    quarantineSeconds: z
      .int()
      .min(0)
      .max(31_536_000)
      .default(60)
      .meta({ description: 'How long an address that was given back is given to nobody.' }),
  })
  .superRefine((body, context) => {
    const issue = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const { cidr, gateway } = body;
    if (!ipaddr.isValidCIDR(cidr)) return;
    const bare: SubnetShape = { cidr, gateway: null, reserved: [], dynamicRange: null, blockBits: 0 };
    if (gateway && !isAddressIn(cidr, gateway)) issue(['gateway'], `${gateway} is not in ${cidr}`);
    else if (gateway && isReserved(bare, gateway))
      issue(['gateway'], `${gateway} is the base or broadcast address of ${cidr}, and no host's`);
    const check = (path: (string | number)[], range: AddressRange): void => {
      const outside = [range.from, range.to].filter((address) => !isAddressIn(cidr, address));
      if (outside.length > 0) issue(path, `${outside.join(' and ')} is not in ${cidr}`);
      else if (!isRange(range))
        issue(path, `A range begins with its lowest address; ${range.from} is above ${range.to}`);
    };
    body.reserved.forEach((range, index) => {
      check(['reserved', index], range);
    });
    if (body.dynamicRange) check(['dynamicRange'], body.dynamicRange);
  })
  .meta({ id: 'SubnetCreate' });
export type SubnetCreate = z.infer<typeof subnetCreateSchema>;

export const subnetGrowSchema = z
  .strictObject({ prefix: z.int().min(8).max(127).meta({ description: 'Shorter than it is now.' }) })
  .meta({ id: 'SubnetGrow' });
export const subnetSplitSchema = z
  .strictObject({
    parts: z
      .int()
      .min(2)
      .max(256)
      .refine((parts) => Number.isInteger(Math.log2(parts)), 'Expected a power of two: 2, 4, 8…')
      .meta({ description: 'Into how many: a power of two.', examples: [2] }),
  })
  .meta({ id: 'SubnetSplit' });

const namedSchema = z.object({ id: idSchema, name: nameSchema });
const shownRange = z.object({ from: z.string(), to: z.string() });
const count = z.number().meta({ description: 'Beyond 2^53, as in an IPv6 subnet, the nearest number.' });

export const subnetSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    network: namedSchema,
    vrf: z.string().nullable().meta({ description: 'Null: the network’s own.' }),
    region: nameSchema,
    cidr: z.string(),
    family: z.union([z.literal(4), z.literal(6)]),
    gateway: z.string().nullable(),
    reserved: z.array(shownRange),
    dynamicRange: shownRange.nullable(),
    dnsServers: z.array(z.string()),
    domain: z.string().nullable(),
    leaseSeconds: z.int(),
    quarantineSeconds: z.int(),
    use: z.object({
      total: count,
      used: count,
      reserved: count,
      quarantined: count,
      free: count,
      percent: z.number().meta({ description: 'Of what is not reserved, what is used or in quarantine.' }),
    }),
    createdAt: timeSchema,
  })
  .meta({ id: 'Subnet' });
export type Subnet = z.infer<typeof subnetSchema>;

/** What is assigned in a subnet, or not free again yet. */
export const assignmentSchema = z
  .object({
    id: idSchema,
    address: z.string(),
    kind: z.enum(assignmentKinds),
    hostname: z.string().nullable(),
    owner: z.object({ id: idSchema, kind: z.string(), name: z.string() }),
    assignedAt: timeSchema,
    releasedAt: timeSchema.nullable(),
    quarantineUntil: timeSchema.nullable(),
  })
  .meta({ id: 'Assignment' });
export type AssignmentView = z.infer<typeof assignmentSchema>;

/** The body of a request for an address of the project's own. */
export const addressCreateSchema = z
  .strictObject({
    name: nameSchema,
    subnet: referenceSchema,
    address: addressSchema.optional().meta({ description: 'This very one; any free one where it is left out.' }),
    hostname: hostnameSchema.optional(),
  })
  .meta({ id: 'AddressCreate' });
export type AddressCreate = z.infer<typeof addressCreateSchema>;

export const addressViewSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    address: z.string(),
    kind: z.enum(assignmentKinds),
    hostname: z.string().nullable(),
    subnet: namedSchema,
    region: nameSchema,
    createdAt: timeSchema,
  })
  .meta({ id: 'Address' });
export type Address = z.infer<typeof addressViewSchema>;

/** What a DHCP server of a region has to know of a host. */
export const leaseSchema = z
  .object({
    id: idSchema,
    key: idSchema.meta({ description: 'What the provider knows the machine by: we know no MAC address of it.' }),
    hostname: z.string().nullable(),
    address: z.string(),
    prefix: z.int(),
    gateway: z.string().nullable(),
    dnsServers: z.array(z.string()),
    domain: z.string().nullable(),
    leaseSeconds: z.int(),
    network: z.string().meta({ description: 'The network’s key at the provider.' }),
  })
  .meta({ id: 'DhcpLease' });
export type Lease = z.infer<typeof leaseSchema>;

/** A host's record, and the name of its reverse (RFC 1035, RFC 3596). */
export const dnsRecordSchema = z
  .object({
    id: idSchema,
    name: z.string(),
    type: z.enum(['A', 'AAAA']),
    address: z.string(),
    ptr: z.string().meta({ examples: ['7.0.20.10.in-addr.arpa'] }),
  })
  .meta({ id: 'DnsRecord' });
export type DnsRecord = z.infer<typeof dnsRecordSchema>;

/** The name under which DNS looks for the host of an address. */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address);
  if (familyOf(address) === 'ipv4') return `${parsed.toString().split('.').reverse().join('.')}.in-addr.arpa`;
  const nibbles = parsed.toByteArray().flatMap((byte) => [byte >> 4, byte & 15]);
  return `${nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join('.')}.ip6.arpa`;
}

import ipaddr from 'ipaddr.js';

/** How an address was given: asked for by name, or any that was free. */
export const assignmentKinds = ['static', 'dynamic'] as const;
export type AssignmentKind = (typeof assignmentKinds)[number];

/** Both ends included. */
export interface AddressRange {
  readonly from: string;
  readonly to: string;
}

/** What decides who may get which address of a subnet. */
export interface SubnetShape {
  readonly cidr: string;
  readonly gateway: string | null;
  /** Given to nobody. */
  readonly reserved: readonly AddressRange[];
  /** Given to who asks for any; null: all but the first few. */
  readonly dynamicRange: AddressRange | null;
  /** A block holds two to the power of this addresses. */
  readonly blockBits: number;
}

type Family = 'ipv4' | 'ipv6';
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

const widthOf = { ipv4: 32, ipv6: 128 } as const;
const everything = 2n ** 128n;
export const largestBlockBits = 6;
/** A subnet has at least so many blocks (two to the power of this), or one for each of its addresses. */
const fewestBlocksBits = 8;

export const familyOf = (address: string): Family => (address.includes(':') ? 'ipv6' : 'ipv4');

const addressNumber = (address: string): bigint =>
  ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

export function addressText(family: Family, number: bigint): string {
  const bytes = Array.from({ length: widthOf[family] / 8 }, (_, index) => Number((number >> BigInt(8 * index)) & 255n));
  return ipaddr.fromByteArray(bytes.reverse()).toString();
}

export const prefixOf = (cidr: string): number => ipaddr.parseCIDR(cidr)[1];

/** The first and the last address of a block in CIDR form. */
export function spanOf(cidr: string): Span {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const first = addressNumber(address.toString());
  return { first, last: first + (1n << BigInt(widthOf[address.kind()] - prefix)) - 1n };
}

const spanOfRange = ({ from, to }: AddressRange): Span => ({ first: addressNumber(from), last: addressNumber(to) });
const isWithin = ({ first, last }: Span, number: bigint): boolean => first <= number && number <= last;
const clipped = (span: Span, { first, last }: Span): Span => ({
  first: span.first > first ? span.first : first,
  last: span.last < last ? span.last : last,
});

export const isAddressIn = (cidr: string, address: string): boolean =>
  familyOf(cidr) === familyOf(address) && isWithin(spanOf(cidr), addressNumber(address));

/**
 * Blocks that are large enough to be few and so many that claims find one that nobody has locked: a small subnet has one
 * for each address.
 */
export function blockBitsOf(cidr: string): number {
  const hostBits = widthOf[familyOf(cidr)] - prefixOf(cidr);
  return Math.max(0, Math.min(largestBlockBits, hostBits - fewestBlocksBits));
}

/**
 * What is given to who asks for any address. Where nothing else is said, the first ten stay free for gateways and name
 * servers; in a block of less than 32 only the base and the one after it do.
 */
export function dynamicSpan({ cidr, dynamicRange }: SubnetShape): Span {
  if (dynamicRange) return spanOfRange(dynamicRange);
  const { first, last } = spanOf(cidr);
  return { first: first + (last - first < 31n ? 2n : 10n), last };
}

/**
 * What nobody gets: the base address (RFC 1122; of IPv6 the routers' anycast address, RFC 4291), the broadcast address
 * of IPv4 (RFC 919), the gateway, and what is reserved. In order, without overlap.
 */
export function reservedSpans({ cidr, gateway, reserved }: SubnetShape): readonly Span[] {
  const subnet = spanOf(cidr);
  const single = (number: bigint): Span => ({ first: number, last: number });
  const spans = [
    single(subnet.first),
    ...(familyOf(cidr) === 'ipv4' ? [single(subnet.last)] : []),
    ...(gateway === null ? [] : [single(addressNumber(gateway))]),
    ...reserved.map(spanOfRange),
  ]
    .map((span) => clipped(span, subnet))
    .filter(({ first, last }) => first <= last)
    .toSorted((one, other) => (one.first < other.first ? -1 : 1));
  const merged: Span[] = [];
  for (const span of spans) {
    const before = merged.at(-1);
    if (before && span.first <= before.last + 1n) {
      merged[merged.length - 1] = { first: before.first, last: before.last > span.last ? before.last : span.last };
    } else merged.push(span);
  }
  return merged;
}

export const isRange = ({ from, to }: AddressRange): boolean => addressNumber(from) <= addressNumber(to);

export const isSameAddress = (one: string, other: string): boolean =>
  familyOf(one) === familyOf(other) && addressNumber(one) === addressNumber(other);

export const sizeOf = ({ first, last }: Span): bigint => last - first + 1n;
export const reservedCount = (shape: SubnetShape): bigint =>
  reservedSpans(shape).reduce((sum, span) => sum + sizeOf(span), 0n);

export const isReserved = (shape: SubnetShape, address: string): boolean =>
  reservedSpans(shape).some((span) => isWithin(span, addressNumber(address)));

/** The first address of the block that an address is in, and its place there, from 0. */
export function blockOf({ blockBits }: Pick<SubnetShape, 'blockBits'>, address: string): { first: string; at: number } {
  const number = addressNumber(address);
  const first = (number >> BigInt(blockBits)) << BigInt(blockBits);
  return { first: addressText(familyOf(address), first), at: Number(number - first) };
}

export interface NewBlock {
  readonly first: string;
  readonly reserved: string;
  readonly static_only: string;
}

/** Blocks as they are before anything of them is taken: 64 bits each, those beyond their size reserved. */
export function newBlocks(shape: SubnetShape, firsts: readonly string[]): NewBlock[] {
  const [spans, dynamic, size] = [reservedSpans(shape), dynamicSpan(shape), 1 << shape.blockBits];
  const staticSpans = [
    { first: 0n, last: dynamic.first - 1n },
    { first: dynamic.last + 1n, last: everything },
  ];
  return firsts.map((first) => {
    const base = addressNumber(first);
    return { first, reserved: bits(spans, base, size, '1'), static_only: bits(staticSpans, base, size, '0') };
  });
}

function bits(spans: readonly Span[], base: bigint, size: number, beyond: string): string {
  const block = { first: base, last: base + BigInt(size) - 1n };
  const near = spans.filter(({ first, last }) => first <= block.last && last >= block.first);
  const bit = (at: number): string => (near.some((span) => isWithin(span, base + BigInt(at))) ? '1' : '0');
  const within = near.length === 0 ? '0'.repeat(size) : Array.from({ length: size }, (_, at) => bit(at)).join('');
  return within + beyond.repeat(64 - size);
}

/** First addresses of blocks that are not there yet, in order: those between `after` and `before` with addresses to give. */
export function missingBlocks(
  shape: SubnetShape,
  gap: { readonly after: string | null; readonly before: string | null },
  atMost: number,
): readonly string[] {
  const size = 1n << BigInt(shape.blockBits);
  const { first, last } = dynamicSpan(shape);
  const begin = gap.after === null ? first : addressNumber(gap.after) + size;
  const end = gap.before === null ? last : addressNumber(gap.before) - 1n;
  const from = ((begin > first ? begin : first) / size) * size;
  const to = end < last ? end : last;
  const found: string[] = [];
  const spans = reservedSpans(shape);
  for (let number = from; number <= to && found.length < atMost; ) {
    const whole = spans.find((span) => span.first <= number && number + size - 1n <= span.last);
    if (!whole) found.push(addressText(familyOf(shape.cidr), number));
    number = whole ? ((whole.last + 1n) / size) * size : number + size;
  }
  return found;
}

/** The parts of a subnet that is split into two to the power of `bits`, in order. */
export function partsOf(cidr: string, bits: number): readonly string[] {
  const { first } = spanOf(cidr);
  const prefix = prefixOf(cidr) + bits;
  const size = 1n << BigInt(widthOf[familyOf(cidr)] - prefix);
  return Array.from(
    { length: 2 ** bits },
    (_, index) => `${addressText(familyOf(cidr), first + BigInt(index) * size)}/${prefix}`,
  );
}

/** The block of so short a prefix that a subnet is in. */
export function grownTo(cidr: string, prefix: number): string {
  const family = familyOf(cidr);
  const shift = BigInt(widthOf[family] - prefix);
  return `${addressText(family, (spanOf(cidr).first >> shift) << shift)}/${prefix}`;
}

/** The parts of ranges that are within a block. */
export function rangesWithin(cidr: string, ranges: readonly AddressRange[]): AddressRange[] {
  return ranges.flatMap((range) => {
    const { first, last } = clipped(spanOfRange(range), spanOf(cidr));
    if (first > last) return [];
    return [{ from: addressText(familyOf(cidr), first), to: addressText(familyOf(cidr), last) }];
  });
}

/** The address that a gateway has where nothing else is said: the one after the base. */
export const usualGateway = (cidr: string): string => addressText(familyOf(cidr), spanOf(cidr).first + 1n);

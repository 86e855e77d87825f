import { readFileSync, statSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { nameSchema } from '../../domain/common.ts';
import { MillwrightError, ProviderError } from '../../errors.ts';
import type { Bmc } from '../bare-metal.ts';

/** What a region worker opens the driver with. */
export interface RedfishSettings {
  /** The file with the credentials. It is read at each use, so that one that was changed holds at once. */
  readonly credentialsFile: string;
  /** Wipes every disk of the host that is started from it, and turns the host off. */
  readonly cleaningImage?: string | undefined;
  /** How long a change of power may take to land before it is asked for in a stronger way; 60 s. */
  readonly powerLandingMs?: number;
}

const credentialSchema = z.strictObject({
  username: z.string().min(1),
  password: z.string().min(1),
  /** Hosts, addresses or networks: to nothing else is it ever sent. */
  addresses: z.array(z.string().min(1)).min(1),
  /** Takes whatever certificate the controller shows, or none (http). */
  insecure: z.boolean().default(false),
});
const fileSchema = z.strictObject({ credentials: z.record(nameSchema, credentialSchema) });
type Credential = z.infer<typeof credentialSchema>;

/** What one controller is asked with. */
export interface Access {
  readonly base: URL;
  readonly authorization: string;
  readonly insecure: boolean;
}

/** Finds the credential that a host names. Throws `permanent` for one that there is not, or that is not for its address. */
export function accessTo({ credentialsFile }: RedfishSettings, { address, credential: name }: Bmc): Access {
  const credential = readCredentials(credentialsFile)[name];
  if (!credential) {
    throw refused('precondition', `This region's workers have no credential "${name}". Add it to their file of them.`);
  }
  const base = controllerUrl(address);
  if (!credential.addresses.some((allowed) => isWithin(base, allowed))) {
    throw refused(
      'forbidden',
      `The credential "${name}" is not for ${base.host}. Name another one, or add this to its addresses.`,
    );
  }
  if (base.protocol === 'http:' && !credential.insecure) {
    throw refused(
      'forbidden',
      `The credential "${name}" is not sent without TLS to ${base.host}. Use https, or let it say "insecure": true.`,
    );
  }
  const { username, password, insecure } = credential;
  return { base, insecure, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** The controllers that are named one by one, each with its credential's name. */
export function knownControllers({ credentialsFile }: RedfishSettings): Bmc[] {
  return Object.entries(readCredentials(credentialsFile)).flatMap(([credential, { addresses }]) =>
    addresses
      .filter((address) => !address.includes('/') || URL.canParse(address))
      .map((address) => ({ address, credential })),
  );
}

/** Throws `invalid` for a file that cannot be used, without a word of what is in it. */
export function readCredentials(file: string): Readonly<Record<string, Credential>> {
  const unusable = (why: string, cause?: unknown) =>
    new MillwrightError('invalid', `The credentials of Redfish in ${file} cannot be used: ${why}.`, { cause });
  let text: string;
  try {
    // Windows has no such modes.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw unusable(`others than their owner may read or change the file; run "chmod 600 ${file}"`);
    }
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof MillwrightError) throw cause;
    throw unusable(
      cause instanceof Error && 'code' in cause ? `it cannot be read (${cause.code})` : 'it cannot be read',
    );
  }
  const parsed = fileSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data.credentials;
  const faults = parsed.error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`);
  throw unusable(
    `it is not as expected, as {"credentials": {"rack-a": {"username", "password", "addresses"}}}: ${faults.join('; ')}`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `10.0.0.5`, `[fd00::5]:8443`, `https://bmc-1.example.org`. */
function controllerUrl(address: string): URL {
  const text = /^https?:\/\//.test(address) ? address : `https://${isIP(address) === 6 ? `[${address}]` : address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && url.username === '' && url.pathname === '/' && url.search === '' && url.hash === '') return url;
  throw refused('invalid', `"${address}" is no address of a controller, like 10.0.0.5 or https://bmc-1.example.org.`);
}

function isWithin(base: URL, allowed: string): boolean {
  const network = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(allowed);
  if (!network) return URL.canParse(`https://${allowed}`) || URL.canParse(allowed) ? sameHost(base, allowed) : false;
  const [, start = '', bits] = network;
  const host = base.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(start) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(host) === 0 || isIP(start) === 0 || (isIP(host) === 6) !== (family === 'ipv6')) return false;
  const list = new BlockList();
  list.addSubnet(start, Number(bits), family);
  return list.check(host, family);
}

/** An allowed address without a port or scheme is for whatever port. */
function sameHost(base: URL, allowed: string): boolean {
  if (/^https?:\/\//.test(allowed)) return new URL(allowed).origin === base.origin;
  const other = new URL(`https://${isIP(allowed) === 6 ? `[${allowed}]` : allowed}`);
  return other.hostname === base.hostname && (other.port === '' || other.port === base.port);
}

const refused = (code: 'precondition' | 'forbidden' | 'invalid', message: string): ProviderError =>
  new ProviderError('permanent', code, message);

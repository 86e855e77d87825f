import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { HttpCall, JobResult } from '../../src/domain/job.ts';
import { ProviderError } from '../../src/errors.ts';
import { type Answered, exchange, type Outgoing } from '../../src/http-exchange.ts';
import type { CallContext } from '../../src/providers/types.ts';

export interface HttpRules {
  /** `host`, `*.host`, each with `:port` or without: then the scheme's own. Lower case. */
  readonly hosts: readonly string[];
  readonly timeoutMs: number;
  /** How names are resolved; Node's own way where it is left out. */
  readonly lookup?: Resolve;
}

type Resolve = (
  host: string,
  options: LookupAllOptions,
  answer: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

type Outputs = NonNullable<JobResult['outputs']>;

/** So much of an answer is kept. */
const keptBytes = 65_536;
/** Sent once more they change nothing more (RFC 9110, 9.2.2). */
const idempotent: readonly string[] = ['GET', 'HEAD', 'PUT', 'DELETE'];
/** Nothing was sent. */
const unreached: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];
/** Metadata services that have no link-local address: Azure's and, over IPv6, Amazon's. */
const metadata: readonly string[] = ['168.63.129.16', 'fd00:ec2::254'];

/**
 * Makes one call, to a host that the operator allows. Redirects are answers like others, and not followed. No message
 * says anything of headers, bodies or the query. Throws `ProviderError`.
 */
export async function request(key: string, call: HttpCall, rules: HttpRules, context: CallContext): Promise<Outputs> {
  const url = URL.parse(call.url);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ProviderError(
      'permanent',
      'invalid',
      'Its URL is none. Expected one that begins with https:// or http://.',
    );
  }
  const asked = `${call.method} ${url.origin}${url.pathname}`;
  if (!isAllowed(url, rules.hosts)) {
    const message = `The host "${url.host}" is not one that operations may call. An operator allows it by MILLWRIGHT_HTTP_HOSTS of the region's worker.`;
    throw new ProviderError('permanent', 'forbidden', message);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ProviderError('permanent', 'invalid', 'Its URL has a user name or password. Give them in a header.');
  }
  await context.stillMine();
  const late = AbortSignal.timeout(rules.timeoutMs);
  try {
    const answer = await send(url, key, call, {
      lookup: checked(rules.lookup ?? lookup),
      signal: AbortSignal.any([context.signal, late]),
    });
    seeStatus(asked, call, answer);
    return { status: answer.status, headers: headersOf(answer.headers), body: bodyOf(answer) };
  } catch (error) {
    if (error instanceof ProviderError || context.signal.aborted) throw error;
    const code = codeOf(error);
    const why = late.aborted ? `no answer within ${rules.timeoutMs / 1000} s` : code || 'the connection failed';
    if (unreached.includes(code)) throw new ProviderError('transient', 'unavailable', `${asked} was not sent: ${why}.`);
    if (idempotent.includes(call.method)) throw new ProviderError('transient', 'unavailable', `${asked}: ${why}.`);
    throw new ProviderError('ambiguous', 'unavailable', `${asked}: ${why}. It may have been done.`);
  }
}

/** Whether one of these is the URL's host and port. */
export function isAllowed(url: URL, hosts: readonly string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const host = url.hostname.toLowerCase().replace(/\.$/, '');
  return hosts.some((allowed) => {
    const [, name = '', named] = /^(.*?)(?::(\d+))?$/.exec(allowed.startsWith('[') ? '' : allowed) ?? [];
    if (allowed.startsWith('[')) return allowed === host ? url.port === '' : allowed === `${host}:${port}`;
    if (named === undefined ? url.port !== '' : named !== port) return false;
    return name.startsWith('*.') ? isIP(host) === 0 && host.endsWith(name.slice(1)) : name === host;
  });
}

function send(url: URL, key: string, call: HttpCall, way: Pick<Outgoing, 'lookup' | 'signal'>): Promise<Answered> {
  const { body } = call;
  const text = body === undefined || body === null || typeof body === 'string' ? body : JSON.stringify(body);
  return exchange(url, {
    method: call.method,
    headers: {
      ...(text === body ? {} : { 'content-type': 'application/json' }),
      ...lowered(call.headers),
      'idempotency-key': key,
      ...(call.takesBack ? { 'millwright-undo': 'true' } : {}),
    },
    body: text ?? undefined,
    keptBytes,
    ...way,
  });
}

/** How the request is framed is ours to say: a header that says otherwise would smuggle another into it. */
const ours: readonly string[] = ['content-length', 'transfer-encoding', 'connection', 'host', 'upgrade', 'expect'];

const lowered = (headers: HttpCall['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !ours.includes(name)),
  );

/** A cookie is a secret of the session that it opens. */
const headersOf = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || name === 'set-cookie' ? [] : [[name, String(value)] as const],
    ),
  );

/** A name that is allowed does not lead to a metadata service: only an address that is named itself does. */
const checked =
  (resolve: Resolve): LookupFunction =>
  (host, options, answer) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return answer(error, '', 4);
      const inner = addresses.find(({ address }) => isInner(address));
      const [first] = addresses;
      if (inner || !first) {
        const message = `The host "${host}" has the address ${inner?.address}, which is called only where MILLWRIGHT_HTTP_HOSTS names it.`;
        return answer(new ProviderError('permanent', 'forbidden', message), '', 4);
      }
      if (options.all) answer(null, [...addresses]);
      else answer(null, first.address, first.family);
    });
  };

const isInner = (address: string): boolean => {
  const parsed = ipaddr.process(address);
  return parsed.range() === 'linkLocal' || metadata.includes(parsed.toString());
};

function seeStatus(asked: string, { expectStatus }: HttpCall, { status, retryAfterSeconds }: Answered): void {
  const expected = typeof expectStatus === 'number' ? [expectStatus] : expectStatus;
  if (expected ? expected.includes(status) : status >= 200 && status < 300) return;
  const message = `${asked} was answered ${status}${expected ? `; expected ${expected.join(' or ')}` : ''}.`;
  if (status < 500 && status !== 429) throw new ProviderError('permanent', 'conflict', message);
  throw new ProviderError('transient', 'unavailable', message, { retryAfterSeconds });
}

/** What says that it is JSON, and is, is parsed. */
function bodyOf({ headers, text }: Answered): unknown {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const codeOf = (error: unknown): string => {
  const one: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return one instanceof Error && 'code' in one && typeof one.code === 'string' ? one.code : '';
};

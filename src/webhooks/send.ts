import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Outcome } from '../domain/webhook.ts';
import { version } from '../version.ts';
import { type DestinationRules, faultOfUrl, type ResolvedAddress, resolveDestination } from './destination.ts';

export interface SendOptions {
  readonly rules: DestinationRules;
  readonly timeoutMs: number;
  /** Aborted when the attempt is to be given up, as if it had not been made. */
  readonly signal: AbortSignal;
}

/** So much of an answer is kept. */
const keptBytes = 256;

/**
 * Posts a body. The host is resolved and checked here and the connection made to the very addresses that were checked,
 * so that a name which changes in between leads nowhere else. Redirects are answers like others, and not followed. Never
 * throws; what the signal gives up has no outcome.
 */
export async function send(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  { rules, timeoutMs, signal }: SendOptions,
): Promise<Outcome | undefined> {
  const late = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, late]);
  try {
    const fault = faultOfUrl(url, rules);
    if (fault) return failed(fault);
    const parsed = new URL(url);
    const addresses = await resolveDestination(parsed, rules, either);
    return await post(parsed, addresses, headers, body, either);
  } catch (error) {
    if (signal.aborted) return undefined;
    if (late.aborted) return failed(`No answer within ${timeoutMs / 1000} s.`);
    return failed(reasonOf(error));
  }
}

function post(
  url: URL,
  addresses: readonly ResolvedAddress[],
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const [first] = addresses;
  if (!first) return Promise.resolve(failed('The host has no address.'));
  const checked: LookupFunction = (_host, options, answer) => {
    if (options.all) answer(null, [...addresses]);
    else answer(null, first.address, first.family);
  };
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const request = (url.protocol === 'http:' ? http : https).request(url, {
    method: 'POST',
    agent: false,
    lookup: checked,
    signal,
    maxHeaderSize: 16_384,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `millwright/${version}`,
      ...headers,
    },
  });
  request.once('error', reject);
  request.once('response', (answer) => {
    const status = answer.statusCode ?? 0;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      const response = Buffer.concat(chunks).subarray(0, keptBytes).toString('utf8').replaceAll('\0', '');
      const retryAfterSeconds = secondsOf(answer.headers['retry-after']);
      const error = status >= 200 && status < 300 ? null : `The endpoint answered ${status}.`;
      resolve({ status, error, response, retryAfterSeconds });
      answer.destroy();
    };
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= keptBytes) finish();
    });
    answer.once('end', finish);
    answer.once('error', reject);
  });
  request.end(body);
  return promise;
}

const failed = (error: string): Outcome => ({ status: null, error, response: null, retryAfterSeconds: null });

/** Seconds, or a date (RFC 9110, 10.2.3). */
function secondsOf(retryAfter: string | undefined): number | null {
  if (retryAfter === undefined) return null;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? null : Math.max(0, (at - Date.now()) / 1000);
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error instanceof Error ? error.message : String(error);
}

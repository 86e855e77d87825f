import type { LookupFunction } from 'node:net';
import type { Outcome } from '../domain/webhook.ts';
import { exchange } from '../http-exchange.ts';
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

async function post(
  url: URL,
  addresses: readonly ResolvedAddress[],
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const [first] = addresses;
  if (!first) return failed('The host has no address.');
  const checked: LookupFunction = (_host, options, answer) => {
    if (options.all) answer(null, [...addresses]);
    else answer(null, first.address, first.family);
  };
  const { status, text, retryAfterSeconds } = await exchange(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    lookup: checked,
    signal,
    keptBytes,
  });
  const error = status >= 200 && status < 300 ? null : `The endpoint answered ${status}.`;
  return { status, error, response: text, retryAfterSeconds: retryAfterSeconds ?? null };
}

const failed = (error: string): Outcome => ({ status: null, error, response: null, retryAfterSeconds: null });

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error instanceof Error ? error.message : String(error);
}

import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { isAmong, type Network, normalAddress } from '../src/addresses.ts';
import type { ApiEnv } from './env.ts';

/** The address that a request came from; null where it came through no socket, as tests make them. */
export type AddressOf = (context: Context<ApiEnv>) => string | null;

/**
 * The socket's address; where that is a trusted proxy's, the last one in `X-Forwarded-For` that is not: whatever stands
 * before it anybody could have written.
 */
export function addressReader(proxies: readonly Network[]): AddressOf {
  return (context) => {
    const peer = peerOf(context);
    if (peer === null || proxies.length === 0 || !isAmong(peer, proxies)) return peer;
    const hops = (context.req.header('x-forwarded-for') ?? '').split(',').map((hop) => normalAddress(hop.trim()));
    let client: string = peer;
    for (const hop of hops.toReversed()) {
      if (hop === undefined) return client;
      client = hop;
      if (!isAmong(hop, proxies)) return client;
    }
    return client;
  };
}

function peerOf(context: Context<ApiEnv>): string | null {
  try {
    return normalAddress(getConnInfo(context).remote.address ?? '') ?? null;
  } catch {
    return null;
  }
}

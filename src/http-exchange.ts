import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { version } from './version.ts';

export interface Outgoing {
  readonly method: string;
  /** By names in lower case; `host` and the length of the body are not among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Left out where there is none, which is not the same as an empty one. */
  readonly body?: string | undefined;
  /** Gives the addresses to connect to: whoever calls has checked them. */
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
  /** So much of the answer is read, at most. */
  readonly keptBytes: number;
}

export interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Without what a database cannot store. */
  readonly text: string;
  /** What its Retry-After says. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Makes one HTTP request, over a connection of its own, and reads its answer as far as it is kept. Redirects are answers
 * like others, and not followed. Rejects where there is no answer, with what the connection failed by.
 */
export function exchange(url: URL, { keptBytes, body, headers, ...options }: Outgoing): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const request = (url.protocol === 'http:' ? http : https).request(url, {
    ...options,
    agent: false,
    maxHeaderSize: 16_384,
    headers: {
      'user-agent': `millwright/${version}`,
      ...headers,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
  });
  request.once('error', reject);
  request.once('response', (answer) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      resolve({
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        text: Buffer.concat(chunks).subarray(0, keptBytes).toString('utf8').replaceAll('\0', ''),
        retryAfterSeconds: secondsOf(answer.headers['retry-after']),
      });
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

/** Seconds, or a date (RFC 9110, 10.2.3). */
function secondsOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Access } from './settings.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly json: unknown;
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Enough for the largest collection of a controller, and for no attack. */
const maximumBytes = 8 * 1024 * 1024;

/**
 * One request to a controller, its answer read to the end; rejects where there is none. Not `fetch`: that cannot be told
 * for one request alone which certificates to take.
 */
export function exchange(access: Access, question: Question, signal: AbortSignal): Promise<Answer> {
  const { method, path, body, headers } = question;
  const content = body === undefined ? undefined : JSON.stringify(body);
  const send = access.base.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      new URL(path, access.base),
      {
        method,
        signal,
        ...(access.insecure ? { rejectUnauthorized: false } : {}),
        // Controllers close idle connections without a word: none is used twice.
        agent: false,
        headers: {
          Accept: 'application/json',
          'OData-Version': '4.0',
          Authorization: access.authorization,
          ...(content === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(content) }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maximumBytes) incoming.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        incoming.on('error', reject);
        incoming.on('aborted', () => reject(new Error('the connection was cut before the end of the answer')));
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
            json: jsonOf(Buffer.concat(chunks).toString('utf8')),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

function jsonOf(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

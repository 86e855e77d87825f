import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { MillwrightError } from '../errors.ts';

/** How connections are to be encrypted: as libpq's `sslmode` has it (PostgreSQL documentation, 32.19 "SSL Support"). */
export interface Encryption {
  /** Without TLS where the server has none. */
  readonly optional: boolean;
  /** The server's certificate is checked, against the authorities that Node knows (`NODE_EXTRA_CA_CERTS` adds to them). */
  readonly verified: boolean;
  /** TLS at once, without asking first (`sslnegotiation=direct`, PostgreSQL 17). */
  readonly direct: boolean;
}

/** What a `DATABASE_URL` asks for by `sslmode` or `ssl`; `undefined` for no TLS. An unknown word is taken for the strictest. */
export function encryptionOf(url: string): Encryption | undefined {
  // A URL of several hosts is no URL to Node.
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const mode = query.get('sslrootcert') === 'system' ? 'verify-full' : (query.get('sslmode') ?? query.get('ssl'));
  if (!mode || mode === 'disable' || mode === 'false') return undefined;
  return {
    optional: mode === 'prefer' || mode === 'allow',
    verified: !['require', 'prefer', 'allow'].includes(mode),
    direct: query.get('sslnegotiation') === 'direct',
  };
}

/** Its length, and the code that asks for TLS (PostgreSQL documentation, 54.7 "Message Formats", SSLRequest). */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const yes = 'S'.charCodeAt(0);

/**
 * Begins TLS on a new connection, before the client's first message; what is written to what it gives waits for the
 * handshake, whose errors come as that one's `error`. Throws where the server has no TLS and has to have it, and where the
 * connection ends before it has said so.
 */
export async function encrypt(
  socket: Socket,
  host: string,
  { optional, verified, direct }: Encryption,
): Promise<Socket> {
  if (!direct) {
    socket.write(sslRequest);
    if (!(await offersTls(socket))) {
      if (optional) return socket;
      socket.destroy();
      throw new MillwrightError(
        'unavailable',
        `PostgreSQL at ${host} has no TLS, and DATABASE_URL asks for it (sslmode).`,
      );
    }
  }
  const encrypted = connect({
    socket,
    host,
    ...(isIP(host) ? {} : { servername: host }),
    ...(direct ? { ALPNProtocols: ['postgresql'] } : {}),
    rejectUnauthorized: verified,
  });
  socket.on('error', (error) => encrypted.destroy(error));
  return encrypted;
}

async function offersTls(socket: Socket): Promise<boolean> {
  const over = new AbortController();
  const closed = once(socket, 'close', { signal: over.signal }).then(() => {
    throw Object.assign(new Error('The connection to PostgreSQL was closed.'), { code: 'ECONNRESET' });
  });
  closed.catch(() => undefined);
  try {
    const [answer] = await Promise.race([once(socket, 'data', { signal: over.signal }), closed]);
    if (!Buffer.isBuffer(answer) || answer[0] !== yes) return false;
    if (answer.length === 1) return true;
    socket.destroy();
    // Whoever stands between could have said it (CVE-2021-23222).
    throw new MillwrightError('unavailable', 'PostgreSQL, or somebody in its name, said more before TLS than it may.');
  } finally {
    over.abort();
  }
}

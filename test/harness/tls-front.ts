import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Of `localhost` and 127.0.0.1, signed by itself; good for nothing but tests. */
export const certificate = readFileSync(new URL('tls/certificate.pem', import.meta.url), 'utf8');
const key = readFileSync(new URL('tls/key.pem', import.meta.url), 'utf8');

/** Stands before a PostgreSQL and speaks TLS for it, with `says` for an answer to who asks whether it does. */
export async function startTlsFront(target: { host: string; port: number }, says: Buffer) {
  const sockets = new Set<Socket>();
  const server = createServer(async (client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    const [request] = await once(client, 'data');
    client.write(says);
    const upstream = connect(target);
    sockets.add(upstream);
    upstream.on('error', () => undefined);
    const clear = new TLSSocket(client, { isServer: true, cert: certificate, key });
    clear.on('error', () => undefined);
    clear.on('close', () => upstream.destroy());
    upstream.on('close', () => clear.destroy());
    if (request.length === 8) clear.pipe(upstream).pipe(clear);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

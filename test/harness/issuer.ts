import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { DeviceGrants } from './device-grant.ts';

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** An OpenID Connect issuer on this machine: discovery, keys, tokens that it signs, and logins from the command line. */
export class Issuer {
  readonly audience = 'millwright';
  readonly logins = new DeviceGrants((claims) => this.sign({ ...claims }));
  /** Metadata that it does not tell of. */
  readonly without = new Set<string>();
  #server: Server;
  #port = 0;
  #key: Key | undefined;
  /** How often its keys were asked for. */
  asked = 0;

  constructor() {
    this.#server = this.#newServer();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#key ??= await newKey('first');
    this.#server = this.#newServer();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** From now on it signs with another key, and knows the one before no more. */
  async rotate(kid: string): Promise<void> {
    this.#key = await newKey(kid);
  }

  async sign(claims: Readonly<Record<string, unknown>>, header: object = {}): Promise<string> {
    if (!this.#key) throw new Error('not started');
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, aud: this.audience, sub: 'alice', iat: now, exp: now + 300, ...claims };
    return await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: this.#key.kid, ...header })
      .sign(this.#key.privateKey);
  }

  #metadata() {
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/keys`,
      id_token_signing_alg_values_supported: ['ES256'],
      device_authorization_endpoint: `${this.url}/device`,
      token_endpoint: `${this.url}/token`,
      revocation_endpoint: `${this.url}/revoke`,
    };
  }

  #newServer(): Server {
    return createServer(async (request, answer) => {
      answer.setHeader('content-type', 'application/json');
      if (request.url === '/.well-known/openid-configuration') {
        const known = Object.entries(this.#metadata()).filter(([name]) => !this.without.has(name));
        answer.end(JSON.stringify(Object.fromEntries(known)));
      } else if (request.url === '/keys' && this.#key) {
        this.asked += 1;
        const { kid, publicKey } = this.#key;
        answer.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }] }));
      } else {
        const found = await this.logins.answer(request.url ?? '', new URLSearchParams(await text(request)), this.url);
        answer.writeHead(found?.status ?? 404).end(JSON.stringify(found?.body ?? {}));
      }
    });
  }
}

async function newKey(kid: string): Promise<Key> {
  return { kid, ...(await generateKeyPair('ES256', { extractable: true })) };
}

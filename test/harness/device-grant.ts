import { randomUUID } from 'node:crypto';

interface Grant {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly scope: string;
  state: 'waiting' | 'confirmed' | 'denied' | 'expired';
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: object;
}
type Form = URLSearchParams;

const refusal = (error: string): TokenAnswer => ({
  status: 400,
  body: { error, error_description: `that is ${error}` },
});

/**
 * The device and token endpoints of an issuer (RFC 8628, RFC 6749 section 6, RFC 7009). Refresh tokens are good once: one
 * that comes back is taken for stolen, and ends the login, as most issuers do.
 */
export class DeviceGrants {
  /** How long codes and access tokens last, and how much longer than that is said of the latter; polls to slow down. */
  readonly settings = { codeSeconds: 60, tokenSeconds: 300, boastSeconds: 0, slowDowns: 0, intervalSeconds: 0.02 };
  readonly clientId = 'millwright-cli';
  /** Every token given, in order. */
  readonly given: string[] = [];
  readonly revoked: string[] = [];
  refreshes = 0;
  #grants: Grant[] = [];
  #good = new Set<string>();
  readonly #sign: (claims: object) => Promise<string>;

  constructor(sign: (claims: object) => Promise<string>) {
    this.#sign = sign;
  }

  /** What the person at the browser does. */
  decide(userCode: string, state: Grant['state']): void {
    const grant = this.#grants.find((candidate) => candidate.userCode === userCode);
    if (!grant) throw new Error(`no such code: ${userCode}`);
    grant.state = state;
  }

  /** As when an administrator ends all sessions. */
  endAll(): void {
    this.#good.clear();
  }

  async answer(path: string, form: Form, url: string): Promise<TokenAnswer | undefined> {
    if (!['/device', '/token', '/revoke'].includes(path)) return undefined;
    if (form.get('client_id') !== this.clientId) return { status: 401, body: { error: 'invalid_client' } };
    if (path === '/device') return this.#begin(form, url);
    if (path === '/token') return await this.#token(form);
    const token = form.get('token') ?? '';
    this.revoked.push(token);
    this.#good.delete(token);
    return { status: 200, body: {} };
  }

  #begin(form: Form, url: string): TokenAnswer {
    const grant: Grant = {
      deviceCode: randomUUID(),
      userCode: randomUUID().slice(0, 8).toUpperCase(),
      scope: form.get('scope') ?? '',
      state: 'waiting',
    };
    this.#grants.push(grant);
    const { codeSeconds, intervalSeconds } = this.settings;
    return {
      status: 200,
      body: {
        device_code: grant.deviceCode,
        user_code: grant.userCode,
        verification_uri: `${url}/activate`,
        verification_uri_complete: `${url}/activate?user_code=${grant.userCode}`,
        expires_in: codeSeconds,
        interval: intervalSeconds,
      },
    };
  }

  async #token(form: Form): Promise<TokenAnswer> {
    if (form.get('grant_type') === 'refresh_token') {
      this.refreshes += 1;
      if (this.#good.delete(form.get('refresh_token') ?? '')) return await this.#give();
      this.endAll();
      return refusal('invalid_grant');
    }
    const grant = this.#grants.find(({ deviceCode }) => deviceCode === form.get('device_code'));
    if (this.settings.slowDowns > 0) {
      this.settings.slowDowns -= 1;
      return refusal('slow_down');
    }
    switch (grant?.state) {
      case 'confirmed':
        return await this.#give();
      case 'denied':
        return refusal('access_denied');
      case 'expired':
        return refusal('expired_token');
      case 'waiting':
        return refusal('authorization_pending');
      case undefined:
        return refusal('invalid_grant');
    }
  }

  async #give(): Promise<TokenAnswer> {
    const exp = Math.floor(Date.now() / 1000) + this.settings.tokenSeconds;
    const claims = { sub: 'ada', email: 'ada@example.com', email_verified: true };
    const access = await this.#sign({ ...claims, exp, jti: randomUUID() });
    const refresh = randomUUID();
    this.#good.add(refresh);
    this.given.push(access, refresh);
    return {
      status: 200,
      body: {
        access_token: access,
        refresh_token: refresh,
        id_token: await this.#sign({ ...claims, aud: this.clientId }),
        token_type: 'Bearer',
        expires_in: this.settings.tokenSeconds + this.settings.boastSeconds,
      },
    };
  }
}

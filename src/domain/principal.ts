import type { Rights } from './access.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Who asks: known by a token of ours, or by one of the OIDC issuer's. */
export interface Principal {
  readonly kind: 'user' | 'service-account' | 'platform';
  /** Of the user or service account; null for the platform's own token, which belongs to neither. */
  readonly id: string | null;
  /** An e-mail address, a service account's name, or the name of the platform's token. */
  readonly name: string;
  /** Null where the OIDC issuer's token was given. */
  readonly tokenId: string | null;
  /** When its token ends, if it does. */
  readonly expiresAt: string | null;
  readonly rights: Rights;
  /** What a request means that names none. */
  readonly organization: Named | null;
  readonly project: (Named & { readonly organization: Named }) | null;
}

import type { Client } from '@temporalio/client';
import type { Registry } from 'prom-client';
import type { Network } from '../src/addresses.ts';
import type { Database } from '../src/db/client.ts';
import type { JobLimits } from '../src/domain/job.ts';
import type { Principal } from '../src/domain/principal.ts';
import type { StartableJob } from '../src/domain/start.ts';
import type { Fault } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { ActingPlace, Actor } from '../src/requests/acting.ts';
import type { Caller } from '../src/requests/caller.ts';
import type { Catalog } from '../src/requests/catalog.ts';
import type { TokenOptions } from '../src/requests/tokens.ts';
import type { KeyRing } from '../src/secrets/key-ring.ts';
import type { Sealer } from '../src/secrets/sealer.ts';
import type { DestinationRules } from '../src/webhooks/destination.ts';
import type { AddressOf } from './address.ts';
import type { Tail } from './events/tail.ts';
import type { Authenticate } from './middleware/authenticate.ts';
import type { OidcOptions } from './oidc.ts';
import type { Places } from './places.ts';
import type { RateLimiter, RateLimits } from './rate-limits.ts';

/** What the API is made of; everything comes from outside, so that tests put their own in. */
export interface ApiDependencies {
  readonly database: Database;
  readonly temporal: Client;
  readonly catalog: () => Promise<Catalog>;
  readonly limits: JobLimits;
  readonly sealer: Sealer;
  readonly payloadKeys: KeyRing;
  /** Where people open the Temporal Web UI, if that is known. */
  readonly temporalUiUrl: string | undefined;
  /** Starts a job's workflow, soon; never throws. */
  readonly start: (job: StartableJob) => void;
  readonly tokens: TokenOptions;
  readonly rateLimits: RateLimits;
  /** Who else's tokens are taken; undefined: nobody's. */
  readonly oidc: OidcOptions | undefined;
  /** Whose word about where a request came from is believed. */
  readonly trustedProxies: readonly Network[];
  /** Aborted when this process is asked to end: streams end, and each connection with its answer. */
  readonly draining: AbortSignal;
  /** What webhooks may reach. */
  readonly webhookRules: DestinationRules;
  /** What happens, for all who watch. */
  readonly tail: Tail;
  /** Takes what is counted and timed. */
  readonly registry: Registry;
  readonly log: Logger;
}

/** What the middleware knows of a request by the time its route runs. */
export interface ApiEnv {
  Variables: {
    requestId: string;
    log: Logger;
    authenticate: Authenticate;
    places: Places;
    limits: RateLimiter;
    addressOf: AddressOf;
    /** All that is wrong with this request by its route's contract. */
    everyFault: () => Promise<Fault[]>;
    /** Who asks; set for every permission. */
    principal: Principal;
    /** Looks the same token up once more; throws where it has come to be refused. For what lasts longer than a request. */
    identifyAgain: () => Promise<Principal>;
    /** The same, for acts: set for every permission. */
    actor: Actor;
    /** Whether the token and what it is granted still let this request through. */
    stillAllowed: () => Promise<boolean>;
    /** Where the request acts; set for permissions on a project or an organisation. */
    place: ActingPlace;
    /** Who acts in which project; set for permissions on a project. */
    caller: Caller;
  };
}

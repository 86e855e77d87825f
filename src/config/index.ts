import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { type Network, parseNetwork } from '../addresses.ts';
import { escalations } from '../domain/incident.ts';
import { MillwrightError } from '../errors.ts';

/** The addresses of a running platform, written to `endpoints.json` in its home by the supervisor. */
const endpointsSchema = z.object({
  api: z.string(),
  temporal: z.string(),
  temporalUi: z.string().nullable(),
  postgres: z.string(),
  simulator: z.string(),
  /** Of each role by its name, where it serves `/metrics`, `/healthz` and `/readyz`. */
  metrics: z.record(z.string(), z.string()).default({}),
});
export type Endpoints = z.infer<typeof endpointsSchema>;

const port = z.coerce.number().int().min(0).max(65_535);

const networksOf = (list: string): (Network | undefined)[] =>
  list
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => parseNetwork(part.trim()));
const knownNetworks = (list: string): Network[] => networksOf(list).filter((network) => network !== undefined);

const networkList = z
  .string()
  .default('')
  .refine((list) => networksOf(list).every(Boolean), 'Expected addresses or networks, with commas between');

/** Every environment variable that Millwright reads. Nothing else in the tree reads the environment. */
const environmentSchema = z.object({
  /** State of a platform on embedded parts: data, logs, keys, token, endpoints. */
  MILLWRIGHT_HOME: z.string().min(1).default('.millwright'),
  MILLWRIGHT_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** PostgreSQL; embedded where it is not set. */
  DATABASE_URL: z.string().optional(),
  /** The role that the API and the workers act as in it; on embedded parts one that cannot change the audit log. */
  MILLWRIGHT_DATABASE_ROLE: z.string().min(1).optional(),
  /**
   * How long the API, and the control worker, wait for what another session holds, and for a statement in all; and how
   * long a transaction of theirs may be left open with nothing done in it.
   */
  MILLWRIGHT_API_LOCK_TIMEOUT_MS: z.coerce.number().int().min(10).max(600_000).default(2000),
  MILLWRIGHT_API_STATEMENT_TIMEOUT_MS: z.coerce.number().int().min(10).max(600_000).default(8000),
  MILLWRIGHT_WORKER_LOCK_TIMEOUT_MS: z.coerce.number().int().min(10).max(20_000).default(2000),
  // A control activity has 30 s.
  MILLWRIGHT_WORKER_STATEMENT_TIMEOUT_MS: z.coerce.number().int().min(10).max(25_000).default(20_000),
  // A revival talks to Temporal for up to 8 s with its transaction open.
  MILLWRIGHT_IDLE_TRANSACTION_TIMEOUT_MS: z.coerce.number().int().min(10_000).max(3_600_000).default(15_000),
  /** `host:port` of Temporal's frontend; a development server of our own where it is not set. */
  TEMPORAL_ADDRESS: z.string().optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('millwright'),
  /** Where people open the Temporal Web UI; links are left out where it is not known. */
  TEMPORAL_UI_URL: z.string().optional(),
  MILLWRIGHT_API_HOST: z.string().default('127.0.0.1'),
  MILLWRIGHT_API_PORT: port.default(7400),
  /** Asked to end, the API says that it is not ready and goes on taking requests for so long: a load balancer has to notice. */
  MILLWRIGHT_API_DRAIN_MS: z.coerce.number().int().min(0).max(8000).default(0),
  MILLWRIGHT_SIMULATOR_PORT: port.default(7404),
  /** `off` for a Temporal before 1.28, which knows no worker deployments: then any control worker may get any workflow. */
  MILLWRIGHT_WORKER_VERSIONING: z.enum(['on', 'off']).default('on'),
  /**
   * A workflow task lost with its control worker stands still for so long (measured: 3.3 s at 3000), which leaves room for
   * the replay of a long history. One that takes longer is given out again, and never done: starved workers need more.
   */
  MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS: z.coerce.number().int().min(1000).max(120_000).default(3000),
  MILLWRIGHT_SIMULATOR_URL: z.string().default('http://127.0.0.1:7404'),
  /** The keys that encrypt Temporal's payloads; `keys/payload.keys` in the home where it is not set. */
  MILLWRIGHT_PAYLOAD_KEY_FILE: z.string().optional(),
  /** The keys that encrypt the keys of the database's secrets; `keys/secret.keys` in the home where it is not set. */
  MILLWRIGHT_SECRET_KEY_FILE: z.string().optional(),
  /** How often a step that fails transiently is tried, and the bounds of the pause between tries. */
  MILLWRIGHT_STEP_ATTEMPTS: z.coerce.number().int().min(1).max(1000).default(10),
  MILLWRIGHT_STEP_PAUSE_SECONDS: z.coerce.number().min(0.01).max(3600).default(1),
  MILLWRIGHT_STEP_PAUSE_MAX_SECONDS: z.coerce.number().min(0.01).max(3600).default(30),
  /** How long a step may take in all, and a job whose request does not say. */
  MILLWRIGHT_STEP_TIMEOUT_SECONDS: z.coerce.number().int().min(1).default(86_400),
  MILLWRIGHT_JOB_TIMEOUT_SECONDS: z.coerce.number().int().min(1).default(604_800),
  /** How long an undo waits for a worker of its region before the job is held: nobody waits for a create that is not wanted. */
  MILLWRIGHT_UNDO_WAIT_SECONDS: z.coerce.number().int().min(1).default(900),
  /** A batch goes on in another workflow once the history of the one it is in has so many events. */
  MILLWRIGHT_BATCH_EVENTS: z.coerce.number().int().min(20).max(20_000).default(4000),
  /** A step under way for longer, or a job that nobody has begun for longer, is late: it raises an incident. */
  MILLWRIGHT_STEP_LATE_SECONDS: z.coerce.number().min(0.1).default(600),
  MILLWRIGHT_START_LATE_SECONDS: z.coerce.number().min(0.1).default(60),
  /** In use of a limit, in percent with commas between: from each on there is an incident. Empty: from none. */
  MILLWRIGHT_QUOTA_ALERT_PERCENT: z
    .string()
    .default('80,95')
    .transform((list) => [
      ...new Set(
        list
          .split(',')
          .filter((part) => part.trim() !== '')
          .map(Number),
      ),
    ])
    .pipe(z.array(z.number().int().min(1).max(100)).max(10)),
  /** How often each region's providers are compared with what should be there; 0: only when somebody asks for it. */
  MILLWRIGHT_RECONCILE_SECONDS: z.coerce.number().int().min(0).max(604_800).default(600),
  /** Where more than this share of them is found wrong (and more than a few), it is rather the list: none of it is believed. */
  MILLWRIGHT_RECONCILE_SUSPECT_SHARE: z.coerce.number().min(0).max(1).default(0.2),
  /** An incident that nobody has acknowledged is told of again after each of these minutes, with commas between; empty: never. */
  MILLWRIGHT_ESCALATE_MINUTES: z
    .string()
    .default('15,60')
    .transform((list) =>
      list
        .split(',')
        .filter((part) => part.trim() !== '')
        .map(Number),
    )
    .pipe(z.array(z.number().min(0).max(525_600)).max(escalations.length)),
  /** A job under way for longer is looked after: where its workflow is gone it is given a new one. */
  MILLWRIGHT_LOST_AFTER_SECONDS: z.coerce.number().min(0.1).default(60),
  /** The file with the credentials of the controllers of bare metal, which region workers alone hold; without it they have no driver `redfish`. */
  MILLWRIGHT_REDFISH_CREDENTIALS: z.string().min(1).optional(),
  /** The address of the image that wipes every disk of the host started from it, and then turns the host off. */
  MILLWRIGHT_REDFISH_CLEANING_IMAGE: z.url().optional(),
  /** How long one call to a provider may go unanswered. */
  MILLWRIGHT_PROVIDER_TIMEOUT_MS: z.coerce.number().int().min(100).default(5000),
  /** Hosts that operations of batches may call, with commas between: `api.example.org`, `*.example.org`, `host:8443`. Empty: none. */
  MILLWRIGHT_HTTP_HOSTS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((host) => host.trim().toLowerCase())
        .filter((host) => host !== ''),
    )
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/,
            'Expected hosts with commas between, like api.example.org, *.example.org or 10.0.0.5:8443',
          ),
      ),
    ),
  /** How long one call of such an operation may go unanswered. */
  MILLWRIGHT_HTTP_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(30_000),
  /** How far off the end of a new token may be. */
  MILLWRIGHT_TOKEN_MAX_DAYS: z.coerce.number().min(0.001).max(3650).default(365),
  /** An OpenID Connect issuer whose tokens are taken, for this audience; its keys are found by discovery where no address is set. */
  MILLWRIGHT_OIDC_ISSUER: z.url().optional(),
  MILLWRIGHT_OIDC_AUDIENCE: z.string().min(1).optional(),
  MILLWRIGHT_OIDC_JWKS_URL: z.url().optional(),
  /** What `millwright login` calls itself there, a public client with the device flow; without it nobody logs in so. */
  MILLWRIGHT_OIDC_CLIENT_ID: z.string().min(1).optional(),
  MILLWRIGHT_OIDC_SCOPES: z.string().min(1).default('openid profile email offline_access'),
  MILLWRIGHT_OIDC_EMAIL_CLAIM: z.string().min(1).default('email'),
  MILLWRIGHT_OIDC_NAME_CLAIM: z.string().min(1).default('name'),
  /** Requests in a minute to each API process: with one token, and from one address without a valid one. */
  MILLWRIGHT_RATE_LIMIT_TOKEN: z.coerce.number().int().min(1).default(60_000),
  MILLWRIGHT_RATE_LIMIT_ADDRESS: z.coerce.number().int().min(1).default(6000),
  /** Addresses or networks of proxies, with commas between, whose `X-Forwarded-For` is believed. */
  MILLWRIGHT_TRUSTED_PROXIES: networkList,
  /** Networks that webhooks may reach although they are not public, with commas between; and whether by http as well. */
  MILLWRIGHT_WEBHOOK_ALLOW_NETWORKS: networkList,
  MILLWRIGHT_WEBHOOK_ALLOW_HTTP: z.enum(['true', 'false']).default('false'),
  MILLWRIGHT_WEBHOOK_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(15_000),
  /** The pauses before each further attempt of a delivery, in seconds with commas between (those of Standard Webhooks). */
  MILLWRIGHT_WEBHOOK_RETRY_SECONDS: z
    .string()
    .default('5,300,1800,7200,18000,36000,50400,72000,86400')
    .transform((list) => list.split(',').map(Number))
    .pipe(z.array(z.number().min(0).max(604_800)).max(50)),
  /** A webhook whose every attempt has failed for so long is disabled. */
  MILLWRIGHT_WEBHOOK_DISABLE_AFTER_HOURS: z.coerce.number().min(0).default(120),
  /** Events older than this are deleted, once every webhook has had them. */
  MILLWRIGHT_EVENT_KEEP_DAYS: z.coerce.number().min(0.00001).default(30),
  /** For the command line: the API and the token to use, instead of those in the home. */
  MILLWRIGHT_URL: z.string().optional(),
  MILLWRIGHT_TOKEN: z.string().optional(),
  /** Where a role serves metrics, health and readiness; 0 takes a free port and logs it. */
  MILLWRIGHT_METRICS_HOST: z.string().default('127.0.0.1'),
  MILLWRIGHT_METRICS_PORT: port.default(0),
  /** Where spans are sent by OTLP over HTTP; none are made where neither is set. Other OTEL_* variables are the exporter's own. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  /** Below these the command line keeps its logins (XDG Base Directory Specification). */
  XDG_CONFIG_HOME: z.string().optional(),
  HOME: z.string().optional(),
  NO_COLOR: z.string().optional(),
});

type Environment = z.infer<typeof environmentSchema>;

export interface Config extends Environment {
  /** Absolute path of MILLWRIGHT_HOME. */
  readonly home: string;
  /** Where the command line keeps what is its user's own; undefined where nothing says who that is. */
  readonly userFolder: string | undefined;
  readonly payloadKeyFile: string;
  readonly trustedProxies: readonly Network[];
  readonly webhookAllowNetworks: readonly Network[];
  readonly secretKeyFile: string;
}

/** Reads the environment once; every variable that is wrong is named in one error. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environmentSchema.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => ({ pointer: `/${issue.path.join('/')}`, detail: issue.message }));
    const list = faults.map((fault) => `${fault.pointer.slice(1)}: ${fault.detail}`).join('; ');
    throw new MillwrightError('invalid', `The environment has settings that cannot be used: ${list}.`, { faults });
  }
  const home = resolve(parsed.data.MILLWRIGHT_HOME);
  return {
    ...parsed.data,
    home,
    userFolder: userFolderOf(parsed.data),
    trustedProxies: knownNetworks(parsed.data.MILLWRIGHT_TRUSTED_PROXIES),
    webhookAllowNetworks: knownNetworks(parsed.data.MILLWRIGHT_WEBHOOK_ALLOW_NETWORKS),
    payloadKeyFile: parsed.data.MILLWRIGHT_PAYLOAD_KEY_FILE ?? join(home, 'keys', 'payload.keys'),
    secretKeyFile: parsed.data.MILLWRIGHT_SECRET_KEY_FILE ?? join(home, 'keys', 'secret.keys'),
  };
}

/** A relative XDG_CONFIG_HOME counts for nothing, says its specification. */
function userFolderOf({ XDG_CONFIG_HOME: folder, HOME: home }: Environment): string | undefined {
  if (folder && isAbsolute(folder)) return join(folder, 'millwright');
  return home ? join(home, '.config', 'millwright') : undefined;
}

/** The setting, or an error that names it. */
export function required(value: string | undefined, name: string): string {
  if (value) return value;
  throw new MillwrightError(
    'invalid',
    `${name} is not set. Set it, or start the platform with "millwright up", which does.`,
  );
}

/** The addresses of the platform in this home, if one has been started there. */
export function readEndpoints(home: string): Endpoints | undefined {
  const file = join(home, 'endpoints.json');
  if (!existsSync(file)) return undefined;
  const parsed = endpointsSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  return parsed.success ? parsed.data : undefined;
}

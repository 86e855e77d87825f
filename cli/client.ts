import { z } from 'zod';
import {
  type AuditAct,
  type AuditHead,
  type AuditReport,
  auditActSchema,
  auditReportSchema,
} from '../src/domain/audit.ts';
import { type BareMetalHost, bareMetalHostSchema } from '../src/domain/bare-metal-host.ts';
import {
  type BatchDetail,
  type BatchSummary,
  type BatchView,
  batchDetailSchema,
  batchSchema,
  batchSummarySchema,
} from '../src/domain/batch.ts';
import { type Bucket, bucketSchema, type ShownKey, shownKeySchema } from '../src/domain/bucket.ts';
import { type Cluster, clusterSchema, kubeconfigSchema } from '../src/domain/cluster.ts';
import type { ResourceUpdate } from '../src/domain/common.ts';
import { type Event, eventSchema } from '../src/domain/event.ts';
import { type Incident, incidentSchema } from '../src/domain/incident.ts';
import {
  hasEnded,
  type JobEvent,
  type JobView,
  jobEventSchema,
  jobSchema,
  type Settlement,
} from '../src/domain/job.ts';
import { type Act, plural, type ResourceKind } from '../src/domain/kinds.ts';
import { type Network, networkSchema } from '../src/domain/network.ts';
import { type Region, regionSchema, type Worker, workerSchema } from '../src/domain/operations.ts';
import { type Plan, planSchema } from '../src/domain/plan.ts';
import {
  type Quota,
  type QuotaDifference,
  type QuotaLimits,
  quotaDifferenceSchema,
  quotaSchema,
  type quotaScopes,
} from '../src/domain/quota.ts';
import { type Snapshot, snapshotSchema } from '../src/domain/snapshot.ts';
import { type Vm, vmConsoleSchema, vmSchema } from '../src/domain/vm.ts';
import { type Volume, volumeSchema } from '../src/domain/volume.ts';
import { AddressClient } from './address-client.ts';
import { BatchClient } from './batch-client.ts';
import { type BatchInput, bodyOfBatch } from './batch-input.ts';
import { ComputeHostClient } from './compute-host-client.ts';
import { followEvents } from './events.ts';
import { type Ask, Http, type HttpOptions } from './http.ts';
import { IdentityClient } from './identity-client.ts';
import { RackClient } from './rack-client.ts';
import { ReconcileClient } from './reconcile-client.ts';
import { WebhookClient } from './webhook-client.ts';

/** Resources as the API shows them. */
export interface Views {
  readonly vm: Vm;
  readonly network: Network;
  readonly cluster: Cluster;
  readonly volume: Volume;
  readonly snapshot: Snapshot;
  readonly bucket: Bucket;
  readonly 'bare-metal-host': BareMetalHost;
}
const viewSchemas: { readonly [Kind in ResourceKind]: z.ZodType<Views[Kind]> } = {
  vm: vmSchema,
  network: networkSchema,
  cluster: clusterSchema,
  volume: volumeSchema,
  snapshot: snapshotSchema,
  bucket: bucketSchema,
  'bare-metal-host': bareMetalHostSchema,
};

/** The answer to a request that begins a job. */
export interface Accepted<Resource> {
  readonly resource: Resource;
  readonly job: JobView;
  /** An access key that was made, and its secret. */
  readonly key?: ShownKey | undefined;
}

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** Which events are meant, as the API takes it. */
type EventQuery = Readonly<Partial<Record<'type' | 'kind' | 'resource' | 'job' | 'cursor' | 'since', string>>>;

interface JobFilter {
  readonly state: string | undefined;
  readonly resource: string | undefined;
  readonly batch: string | undefined;
}

interface ResourceFilter {
  readonly status?: string | undefined;
  readonly region?: string | undefined;
  /** Each as `key=value`. */
  readonly label?: readonly string[] | undefined;
}

const acceptedOf = <Resource>(resource: z.ZodType<Resource>): z.ZodType<Accepted<Resource>> =>
  z.object({ resource, job: jobSchema, key: shownKeySchema.optional() });
const pageOf = <Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

const tenant = 'api/tenant/v1';
const operations = 'api/ops/v1';
/** The most that the API gives at once. */
const largestPage = 500;

/** The API as functions. Each throws ApiProblem where the API refuses, ConnectionError where it cannot be asked. */
export class Client {
  readonly #http: Http;
  readonly #options: HttpOptions;
  /** Who may do what. */
  readonly identity: IdentityClient;
  readonly webhooks: WebhookClient;
  readonly oneBatch: BatchClient;
  readonly addresses: AddressClient;
  readonly racks: RackClient;
  readonly computeHosts: ComputeHostClient;
  readonly reconcile: ReconcileClient;

  constructor(options: HttpOptions) {
    this.#http = new Http(options);
    this.#options = options;
    this.identity = new IdentityClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
    this.webhooks = new WebhookClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
    this.racks = new RackClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
    this.computeHosts = new ComputeHostClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
    this.reconcile = new ReconcileClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
    this.addresses = new AddressClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
    this.oneBatch = new BatchClient(this.#http, (item, ask, limit) => this.#list(item, ask, limit));
  }

  list<Kind extends ResourceKind>(kind: Kind, limit: number, filter: ResourceFilter = {}): Promise<Views[Kind][]> {
    return this.#list(viewSchemas[kind], { path: `${tenant}/${plural[kind]}`, query: { ...filter } }, limit);
  }

  get<Kind extends ResourceKind>(kind: Kind, reference: string): Promise<Views[Kind]> {
    return this.#http.json(viewSchemas[kind], { path: pathOf(kind, reference) });
  }

  kubeconfig(cluster: string): Promise<{ kubeconfig: string }> {
    return this.#http.json(kubeconfigSchema, { path: `${pathOf('cluster', cluster)}/kubeconfig` });
  }

  create<Kind extends ResourceKind>(kind: Kind, body: object, idempotencyKey: string): Promise<Accepted<Views[Kind]>> {
    return this.#http.json(acceptedOf(viewSchemas[kind]), {
      method: 'POST',
      path: `${tenant}/${plural[kind]}`,
      body: JSON.stringify(body),
      contentType: 'application/json',
      idempotencyKey,
    });
  }

  update<Kind extends ResourceKind>(kind: Kind, reference: string, change: ResourceUpdate): Promise<Views[Kind]> {
    return this.#http.json(viewSchemas[kind], {
      method: 'PATCH',
      path: pathOf(kind, reference),
      body: JSON.stringify(change),
      contentType: 'application/json',
    });
  }

  delete<Kind extends ResourceKind>(
    kind: Kind,
    reference: string,
    idempotencyKey: string,
    how: { readonly onFailure?: string | undefined; readonly force?: string | undefined } = {},
  ): Promise<Accepted<Views[Kind]>> {
    return this.#http.json(acceptedOf(viewSchemas[kind]), {
      method: 'DELETE',
      path: pathOf(kind, reference),
      query: { ...how },
      idempotencyKey,
    });
  }

  act<Kind extends ResourceKind>(
    kind: Kind,
    reference: string,
    verb: Act,
    body: object,
    idempotencyKey: string,
  ): Promise<Accepted<Views[Kind]>> {
    return this.#http.json(acceptedOf(viewSchemas[kind]), {
      method: 'POST',
      path: `${pathOf(kind, reference)}/${verb}`,
      body: JSON.stringify(body),
      contentType: 'application/json',
      idempotencyKey,
    });
  }

  /** Cancels what is being done to a host. */
  abort(host: string, reason: string): Promise<JobView> {
    return this.#http.json(jobSchema, {
      method: 'POST',
      path: `${pathOf('bare-metal-host', host)}/abort`,
      body: JSON.stringify({ reason }),
      contentType: 'application/json',
    });
  }

  vmConsoleLog(reference: string, lines: number): Promise<{ readonly lines: readonly string[] }> {
    return this.#http.json(vmConsoleSchema, {
      path: `${pathOf('vm', reference)}/console-log`,
      query: { lines: String(lines) },
    });
  }

  jobs(filter: JobFilter, limit: number): Promise<JobView[]> {
    return this.#list(jobSchema, { path: `${tenant}/jobs`, query: { ...filter } }, limit);
  }

  job(id: string): Promise<JobView> {
    return this.#http.json(jobSchema, { path: `${tenant}/jobs/${encodeURIComponent(id)}` });
  }

  /** Has no idempotency key: a second one would find the job not held any more, so a lost answer is not asked for again. */
  settle(id: string, action: Settlement, reason: string): Promise<JobView> {
    return this.#http.json(jobSchema, {
      method: 'POST',
      path: `${tenant}/jobs/${encodeURIComponent(id)}/settle`,
      body: JSON.stringify({ action, reason }),
      contentType: 'application/json',
    });
  }

  cancel(id: string, reason: string): Promise<JobView> {
    return this.#http.json(jobSchema, {
      method: 'POST',
      path: `${tenant}/jobs/${encodeURIComponent(id)}/cancel`,
      body: JSON.stringify({ reason }),
      contentType: 'application/json',
    });
  }

  incidents(filter: { readonly state: string | undefined }, limit: number): Promise<Incident[]> {
    return this.#list(incidentSchema, { path: `${tenant}/incidents`, query: { ...filter } }, limit);
  }

  /** Of the platform and of all tenants. */
  allIncidents(filter: { readonly state: string | undefined }, limit: number): Promise<Incident[]> {
    return this.#list(incidentSchema, { path: `${operations}/incidents`, query: { ...filter } }, limit);
  }

  /** `of`: in the project, or (an operator's) wherever it is. */
  acknowledge(id: string, note: string, of: 'project' | 'any'): Promise<Incident> {
    const path = `${of === 'any' ? operations : tenant}/incidents/${encodeURIComponent(id)}/acknowledge`;
    return this.#http.json(incidentSchema, {
      ...{ method: 'POST', path, body: JSON.stringify({ note }) },
      contentType: 'application/json',
    });
  }

  applyBatch(
    input: BatchInput,
    { idempotencyKey, planHash }: { readonly idempotencyKey: string; readonly planHash: string | undefined },
  ): Promise<Accepted<BatchDetail>> {
    return this.#http.json(acceptedOf(batchDetailSchema), {
      method: 'POST',
      path: `${tenant}/batches`,
      query: { planHash },
      ...bodyOfBatch(input),
      idempotencyKey,
      file: input.name,
    });
  }

  /** What applying it would do; nothing is written. */
  planBatch(input: BatchInput): Promise<Plan> {
    return this.#http.json(planSchema, {
      method: 'POST',
      path: `${tenant}/batches`,
      query: { dryRun: 'true' },
      ...bodyOfBatch(input),
      file: input.name,
    });
  }

  validateBatch(input: BatchInput): Promise<BatchSummary> {
    return this.#http.json(batchSummarySchema, {
      method: 'POST',
      path: `${tenant}/batches/validate`,
      ...bodyOfBatch(input),
      file: input.name,
    });
  }

  batches(limit: number): Promise<BatchView[]> {
    return this.#list(batchSchema, { path: `${tenant}/batches` }, limit);
  }

  batch(reference: string): Promise<BatchDetail> {
    return this.#http.json(batchDetailSchema, { path: `${tenant}/batches/${encodeURIComponent(reference)}` });
  }

  /** `everywhere`: of every organisation, else of the project named, else of the organisation. */
  acts(everywhere: boolean, filter: Readonly<Record<string, string | undefined>>, limit: number): Promise<AuditAct[]> {
    return this.#list(
      auditActSchema,
      { path: `${everywhere ? operations : tenant}/audit`, query: { ...filter } },
      limit,
    );
  }

  verifyAudit(kept: AuditHead | undefined): Promise<AuditReport> {
    return this.#http.json(auditReportSchema, { path: `${operations}/audit/verification`, query: { ...kept } });
  }

  /** Of the project and of its organisation. */
  quota(): Promise<Quota[]> {
    return this.#list(quotaSchema, { path: `${tenant}/quota` }, Number.POSITIVE_INFINITY);
  }

  /** Setting the same limits twice changes nothing, so a lost answer may be asked for again. */
  setQuota(
    scope: (typeof quotaScopes)[number],
    reference: string,
    limits: QuotaLimits,
    reason: string | undefined,
  ): Promise<Quota> {
    return this.#http.json(quotaSchema, {
      method: 'PATCH',
      path: `${operations}/${scope}s/${encodeURIComponent(reference)}/quota`,
      body: JSON.stringify({ limits, reason }),
      contentType: 'application/json',
    });
  }

  quotaDifferences(): Promise<QuotaDifference[]> {
    return this.#list(quotaDifferenceSchema, { path: `${operations}/quota/differences` }, Number.POSITIVE_INFINITY);
  }

  regions(): Promise<Region[]> {
    return this.#list(regionSchema, { path: `${operations}/regions` }, Number.POSITIVE_INFINITY);
  }

  workers(): Promise<Worker[]> {
    return this.#list(workerSchema, { path: `${operations}/workers` }, Number.POSITIVE_INFINITY);
  }

  /** What happens to a job from its beginning to its end; see followEvents. */
  events(jobId: string, signal: AbortSignal, sayAway: (why: string) => void): AsyncGenerator<JobEvent> {
    return followEvents({
      ...this.#asking,
      path: `${tenant}/jobs/${encodeURIComponent(jobId)}/events`,
      schema: jobEventSchema,
      signal,
      isLast: (event) => event.jobId === jobId && hasEnded(event.state),
      hasEndedSince: async () => hasEnded((await this.job(jobId)).state),
      sayAway,
    });
  }

  /** What happens in the project, from where the filter says or from now, until the signal. */
  projectEvents(filter: EventQuery, signal: AbortSignal, sayAway: (why: string) => void): AsyncGenerator<Event> {
    return followEvents({
      ...this.#asking,
      path: `${tenant}/events/watch`,
      query: { ...filter },
      schema: eventSchema,
      signal,
      isLast: () => false,
      hasEndedSince: async () => false,
      sayAway,
    });
  }

  /** What has happened in the project, from where the filter says or from the oldest that is kept. */
  pastEvents(filter: EventQuery, limit: number): Promise<Event[]> {
    return this.#list(eventSchema, { path: `${tenant}/events`, query: { ...filter } }, limit);
  }

  get #asking() {
    return { http: this.#http, options: this.#options };
  }

  async #list<Item>(item: z.ZodType<Item>, ask: Ask, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const from = cursor === undefined ? {} : { cursor, since: undefined };
      const query = { ...ask.query, limit: Math.min(largestPage, limit - items.length), ...from };
      const page = await this.#http.json(pageOf(item), { ...ask, query });
      items.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && items.length < limit);
    return items;
  }
}

const pathOf = (kind: ResourceKind, reference: string): string =>
  `${tenant}/${plural[kind]}/${encodeURIComponent(reference)}`;

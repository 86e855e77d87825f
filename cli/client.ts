import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type BatchDetail, type BatchView, batchDetailSchema, batchSchema } from '../src/domain/batch.ts';
import {
  hasEnded,
  type JobEvent,
  type JobView,
  jobEventSchema,
  jobSchema,
  type Settlement,
} from '../src/domain/job.ts';
import { plural, type ResourceKind } from '../src/domain/kinds.ts';
import { type Network, networkSchema } from '../src/domain/network.ts';
import { type Vm, vmSchema } from '../src/domain/vm.ts';
import { type Volume, volumeSchema } from '../src/domain/volume.ts';
import { MillwrightError } from '../src/errors.ts';
import { ConnectionError } from './errors.ts';
import { type Ask, assertForm, Http, type HttpOptions, longestPauseMs } from './http.ts';
import { type Region, regionSchema, type Worker, workerSchema } from './operations.ts';
import { readEvents } from './sse.ts';

/** Resources as the API shows them. */
export interface Views {
  readonly vm: Vm;
  readonly network: Network;
  readonly volume: Volume;
}
const viewSchemas: { readonly [Kind in ResourceKind]: z.ZodType<Views[Kind]> } = {
  vm: vmSchema,
  network: networkSchema,
  volume: volumeSchema,
};

/** The answer to a request that begins a job. */
export interface Accepted<Resource> {
  readonly resource: Resource;
  readonly job: JobView;
}

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

export interface JobFilter {
  readonly state: string | undefined;
  readonly resource: string | undefined;
  readonly batch: string | undefined;
}

const acceptedOf = <Resource>(resource: z.ZodType<Resource>): z.ZodType<Accepted<Resource>> =>
  z.object({ resource, job: jobSchema });
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

  constructor(options: HttpOptions) {
    this.#http = new Http(options);
    this.#options = options;
  }

  list<Kind extends ResourceKind>(kind: Kind, limit: number): Promise<Views[Kind][]> {
    return this.#list(viewSchemas[kind], { path: `${tenant}/${plural[kind]}` }, limit);
  }

  get<Kind extends ResourceKind>(kind: Kind, reference: string): Promise<Views[Kind]> {
    return this.#http.json(viewSchemas[kind], { path: pathOf(kind, reference) });
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

  delete<Kind extends ResourceKind>(
    kind: Kind,
    reference: string,
    idempotencyKey: string,
  ): Promise<Accepted<Views[Kind]>> {
    return this.#http.json(acceptedOf(viewSchemas[kind]), {
      method: 'DELETE',
      path: pathOf(kind, reference),
      idempotencyKey,
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

  /** `file` is what the user calls the text, for the faults in it. */
  applyBatch(text: string, file: string, idempotencyKey: string): Promise<Accepted<BatchDetail>> {
    return this.#http.json(acceptedOf(batchDetailSchema), {
      method: 'POST',
      path: `${tenant}/batches`,
      body: text,
      contentType: 'application/yaml',
      idempotencyKey,
      file,
    });
  }

  batches(limit: number): Promise<BatchView[]> {
    return this.#list(batchSchema, { path: `${tenant}/batches` }, limit);
  }

  batch(reference: string): Promise<BatchDetail> {
    return this.#http.json(batchDetailSchema, { path: `${tenant}/batches/${encodeURIComponent(reference)}` });
  }

  regions(): Promise<Region[]> {
    return this.#list(regionSchema, { path: `${operations}/regions` }, Number.POSITIVE_INFINITY);
  }

  workers(): Promise<Worker[]> {
    return this.#list(workerSchema, { path: `${operations}/workers` }, Number.POSITIVE_INFINITY);
  }

  /**
   * Every event of a job, and of its operations if it is a batch's, from the first to the last. Goes on where it was
   * when the connection drops, as when the API restarts, and says so once. Ends with the job, or with the signal.
   */
  async *events(jobId: string, signal: AbortSignal, sayAway: (why: string) => void): AsyncGenerator<JobEvent> {
    const { patience, platform } = this.#options;
    const path = `${tenant}/jobs/${encodeURIComponent(jobId)}/events`;
    let lastEventId: string | undefined;
    let away = { since: Date.now(), said: false, pauseMs: patience.firstPauseMs };
    while (!signal.aborted) {
      const before = lastEventId;
      try {
        for await (const { id, data } of readEvents(this.#http.stream({ path, lastEventId }, signal))) {
          lastEventId = id ?? lastEventId;
          away = { since: Date.now(), said: false, pauseMs: patience.firstPauseMs };
          const event: unknown = JSON.parse(data);
          assertForm(jobEventSchema, event, platform);
          yield event;
          if (event.jobId === jobId && hasEnded(event.state)) return;
        }
        if (lastEventId === before && hasEnded((await this.job(jobId)).state)) return;
        away.since = Date.now();
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error) || Date.now() - away.since > patience.followMs) throw error;
        if (!away.said) sayAway(error.message);
        away.said = true;
      }
      await pause(away.pauseMs, undefined, { signal }).catch(() => undefined);
      away.pauseMs = Math.min(away.pauseMs * 2, longestPauseMs);
    }
  }

  async #list<Item>(item: z.ZodType<Item>, ask: Ask, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const query = { ...ask.query, limit: Math.min(largestPage, limit - items.length), cursor };
      const page = await this.#http.json(pageOf(item), { ...ask, query });
      items.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && items.length < limit);
    return items;
  }
}

const pathOf = (kind: ResourceKind, reference: string): string =>
  `${tenant}/${plural[kind]}/${encodeURIComponent(reference)}`;

/** The API is away, and may be back in a moment. */
function isPassing(error: unknown): error is MillwrightError {
  if (error instanceof ConnectionError) return error.kind !== 'hopeless';
  return error instanceof MillwrightError && error.code === 'unavailable';
}

import { z } from 'zod';
import {
  type BatchBasic,
  type BatchDetail,
  type BatchOperationView,
  batchBasicSchema,
  batchDetailSchema,
  batchOperationSchema,
} from '../src/domain/batch.ts';
import { type Timeline, timelineSchema } from '../src/domain/batch-timeline.ts';
import { jobSchema, type Settlement } from '../src/domain/job.ts';
import { type Plan, planSchema } from '../src/domain/plan.ts';
import { type BatchInput, bodyOfBatch } from './batch-input.ts';
import type { Accepted } from './client.ts';
import type { Ask, Http } from './http.ts';

const deletionSchema = z.object({ resource: batchDetailSchema, job: jobSchema });

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;

/** What is asked of one batch, by its id or its name, as functions. */
export class BatchClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  /** Without its operations: small, however large the batch. */
  basic(reference: string): Promise<BatchBasic> {
    return this.#http.json(batchBasicSchema, { path: pathOf(reference), query: { view: 'basic' } });
  }

  /** Those in these states, or all where none are named. */
  operations(reference: string, states: readonly string[], limit: number): Promise<BatchOperationView[]> {
    const ask = { path: pathOf(reference, 'operations'), query: { state: states } };
    return this.#list(batchOperationSchema, ask, limit);
  }

  timeline(reference: string): Promise<Timeline> {
    return this.#http.json(timelineSchema, { path: pathOf(reference, 'timeline') });
  }

  /** Has no idempotency key, like all decisions: a second one would find things changed by the first. */
  steer(reference: string, act: 'pause' | 'resume' | 'cancel', reason: string): Promise<void> {
    return this.#decide(pathOf(reference, act), { reason });
  }

  /** Has what is not done of it be done as this file says. */
  resumeAs(reference: string, file: BatchInput, reason: string): Promise<void> {
    return this.#http.send({
      method: 'POST',
      path: pathOf(reference, 'resume'),
      query: { reason },
      ...bodyOfBatch(file),
      file: file.name,
    });
  }

  /** Of one of its operations that waits for somebody's word. */
  answer(reference: string, operation: string, act: 'approve' | 'reject', reason: string): Promise<void> {
    return this.#decide(pathOf(reference, 'operations', encodeURIComponent(operation), act), { reason });
  }

  /** Of one of its operations that is held. */
  settle(reference: string, operation: string, action: Settlement, reason: string): Promise<void> {
    return this.#decide(pathOf(reference, 'operations', encodeURIComponent(operation), 'settle'), { action, reason });
  }

  #decide(path: string, body: object): Promise<void> {
    return this.#http.send({ method: 'POST', path, body: JSON.stringify(body), contentType: 'application/json' });
  }

  /** Deletes what it made, by a new batch. */
  delete(reference: string, idempotencyKey: string): Promise<Accepted<BatchDetail>> {
    return this.#http.json(deletionSchema, { method: 'DELETE', path: pathOf(reference), idempotencyKey });
  }

  /** What deleting it would do. */
  planDelete(reference: string): Promise<Plan> {
    // Nothing is written, so that it may be asked for again.
    const ask = { method: 'DELETE', path: pathOf(reference), query: { dryRun: 'true' } } as const;
    return this.#http.json(planSchema, ask);
  }

  /** As a picture. */
  timelineSvg(reference: string, show: 'gantt' | 'graph'): Promise<string> {
    return this.#http.text({ path: pathOf(reference, 'timeline'), query: { format: 'svg', show } });
  }
}

const pathOf = (reference: string, ...more: readonly string[]): string =>
  ['api/tenant/v1/batches', encodeURIComponent(reference), ...more].join('/');

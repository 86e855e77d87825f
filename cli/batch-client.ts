import type { z } from 'zod';
import {
  type BatchBasic,
  type BatchOperationView,
  batchBasicSchema,
  batchOperationSchema,
} from '../src/domain/batch.ts';
import { type Timeline, timelineSchema } from '../src/domain/batch-timeline.ts';
import type { Ask, Http } from './http.ts';

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

  /** As a picture. */
  timelineSvg(reference: string): Promise<string> {
    return this.#http.text({ path: pathOf(reference, 'timeline'), query: { format: 'svg' } });
  }
}

const pathOf = (reference: string, ...more: readonly string[]): string =>
  ['api/tenant/v1/batches', encodeURIComponent(reference), ...more].join('/');

import type { z } from 'zod';
import { type Drift, driftSchema, type Reconciliation, reconciliationSchema } from '../src/domain/drift.ts';
import type { Ask, Http } from './http.ts';

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;
type Query = Readonly<Record<string, string | undefined>>;

const base = 'api/ops/v1/reconciliations';

/** What providers have otherwise, and when they are compared, as the API has it. */
export class ReconcileClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  drift = (query: Query, limit: number): Promise<Drift[]> =>
    this.#list(driftSchema, { path: 'api/tenant/v1/drift', query }, limit);
  allDrift = (query: Query, limit: number): Promise<Drift[]> =>
    this.#list(driftSchema, { path: 'api/ops/v1/drift', query }, limit);
  scopes = (limit: number): Promise<Reconciliation[]> => this.#list(reconciliationSchema, { path: base }, limit);

  decide = (
    region: string,
    provider: string,
    verb: 'run' | 'pause' | 'resume',
    body?: object,
  ): Promise<Reconciliation> => {
    const path = `${base}/${encodeURIComponent(region)}/${encodeURIComponent(provider)}/${verb}`;
    const sent = body ? { body: JSON.stringify(body), contentType: 'application/json' } : {};
    return this.#http.json(reconciliationSchema, { method: 'POST', path, ...sent });
  };
}

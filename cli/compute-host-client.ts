import type { z } from 'zod';
import { type ComputeHost, computeHostSchema } from '../src/domain/compute-host.ts';
import { type VmPlacement, vmPlacementSchema } from '../src/domain/placement.ts';
import type { Ask, Http } from './http.ts';

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;

const base = 'api/ops/v1/compute-hosts';
const pathOf = (host: string): string => `${base}/${encodeURIComponent(host)}`;

/** Compute hosts, and where VMs stand among them, as the API has them. */
export class ComputeHostClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  hosts = (limit: number): Promise<ComputeHost[]> => this.#list(computeHostSchema, { path: base }, limit);
  get = (host: string): Promise<ComputeHost> => this.#http.json(computeHostSchema, { path: pathOf(host) });
  create = (body: object): Promise<ComputeHost> => this.#http.json(computeHostSchema, this.#with('POST', base, body));
  update = (host: string, change: object): Promise<ComputeHost> =>
    this.#http.json(computeHostSchema, this.#with('PATCH', pathOf(host), change));
  delete = (host: string): Promise<void> => this.#http.send({ method: 'DELETE', path: pathOf(host) });
  placement = (vmId: string): Promise<VmPlacement> =>
    this.#http.json(vmPlacementSchema, { path: `api/ops/v1/vms/${encodeURIComponent(vmId)}/placement` });

  #with(method: 'POST' | 'PATCH', path: string, body: object): Ask {
    return { method, path, body: JSON.stringify(body), contentType: 'application/json' };
  }
}

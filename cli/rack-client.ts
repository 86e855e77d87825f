import type { z } from 'zod';
import { type BareMetalHost, bareMetalHostSchema } from '../src/domain/bare-metal-host.ts';
import {
  type Elevation,
  elevationSchema,
  type HostGroup,
  type HostMarks,
  hostGroupSchema,
  type Rack,
  type RackPlace,
  rackSchema,
} from '../src/domain/rack.ts';
import type { Ask, Http } from './http.ts';

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;

const base = 'api/ops/v1';
const part = encodeURIComponent;

/** Racks, groups of hosts, and what is marked on hosts, as the API has them. A host is meant by its id. */
export class RackClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  racks = (limit: number): Promise<Rack[]> => this.#list(rackSchema, { path: `${base}/racks` }, limit);
  create = (body: object): Promise<Rack> => this.#http.json(rackSchema, this.#with('POST', 'racks', body));
  elevation = (rack: string): Promise<Elevation> =>
    this.#http.json(elevationSchema, { path: `${base}/racks/${part(rack)}/elevation` });
  delete = (rack: string): Promise<void> => this.#http.send({ method: 'DELETE', path: `${base}/racks/${part(rack)}` });
  place = (rack: string, hostId: string, place: RackPlace): Promise<void> =>
    this.#http.send(this.#with('PUT', `racks/${part(rack)}/hosts/${part(hostId)}`, place));
  remove = (rack: string, hostId: string): Promise<void> =>
    this.#http.send({ method: 'DELETE', path: `${base}/racks/${part(rack)}/hosts/${part(hostId)}` });

  groups = (limit: number): Promise<HostGroup[]> => this.#list(hostGroupSchema, { path: `${base}/host-groups` }, limit);
  createGroup = (name: string): Promise<HostGroup> =>
    this.#http.json(hostGroupSchema, this.#with('POST', 'host-groups', { name }));
  deleteGroup = (group: string): Promise<void> =>
    this.#http.send({ method: 'DELETE', path: `${base}/host-groups/${part(group)}` });
  setMember = (group: string, hostId: string, isIn: boolean): Promise<void> =>
    this.#http.send({
      method: isIn ? 'PUT' : 'DELETE',
      path: `${base}/host-groups/${part(group)}/hosts/${part(hostId)}`,
    });

  mark = (hostId: string, marks: HostMarks): Promise<BareMetalHost> =>
    this.#http.json(bareMetalHostSchema, this.#with('PUT', `bare-metal-hosts/${part(hostId)}/marks`, marks));

  #with(method: 'POST' | 'PUT', path: string, body: object): Ask {
    return { method, path: `${base}/${path}`, body: JSON.stringify(body), contentType: 'application/json' };
  }
}

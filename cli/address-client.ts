import { z } from 'zod';
import {
  type Address,
  type AssignmentView,
  addressViewSchema,
  assignmentSchema,
  type Subnet,
  subnetSchema,
} from '../src/domain/subnet.ts';
import type { Ask, Http } from './http.ts';

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;

const subnets = 'api/tenant/v1/subnets';
const addresses = 'api/tenant/v1/addresses';
const one = (base: string, reference: string): string => `${base}/${encodeURIComponent(reference)}`;
const partsSchema = z.object({ parts: z.array(subnetSchema) });

/** The subnets and reserved addresses of a project, as the API has them. */
export class AddressClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  subnets = (network: string | undefined, limit: number): Promise<Subnet[]> =>
    this.#list(subnetSchema, { path: subnets, query: { network } }, limit);
  subnet = (reference: string): Promise<Subnet> => this.#http.json(subnetSchema, { path: one(subnets, reference) });
  assigned = (reference: string, limit: number): Promise<AssignmentView[]> =>
    this.#list(assignmentSchema, { path: `${one(subnets, reference)}/addresses` }, limit);
  createSubnet = (body: object): Promise<Subnet> => this.#post(subnetSchema, subnets, body);
  grow = (reference: string, prefix: number): Promise<Subnet> =>
    this.#post(subnetSchema, `${one(subnets, reference)}/grow`, { prefix });
  split = async (reference: string, parts: number): Promise<Subnet[]> =>
    (await this.#post(partsSchema, `${one(subnets, reference)}/split`, { parts })).parts;
  deleteSubnet = (reference: string): Promise<void> =>
    this.#http.send({ method: 'DELETE', path: one(subnets, reference) });

  addresses = (limit: number): Promise<Address[]> => this.#list(addressViewSchema, { path: addresses }, limit);
  address = (reference: string): Promise<Address> =>
    this.#http.json(addressViewSchema, { path: one(addresses, reference) });
  createAddress = (body: object): Promise<Address> => this.#post(addressViewSchema, addresses, body);
  deleteAddress = (reference: string): Promise<void> =>
    this.#http.send({ method: 'DELETE', path: one(addresses, reference) });

  #post<Answer>(schema: z.ZodType<Answer>, path: string, body: object): Promise<Answer> {
    return this.#http.json(schema, {
      method: 'POST',
      path,
      body: JSON.stringify(body),
      contentType: 'application/json',
    });
  }
}

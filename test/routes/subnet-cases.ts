import { randomUUID } from 'node:crypto';
import type { Parts, RouteCase } from './cases.ts';
import { made, type Tenant } from './world.ts';

const unique = (stem: string): string => `${stem}-${randomUUID().slice(0, 8)}`;
/** Each its own block of the network's VRF. */
let blocks = 0;
const nextBlock = (): string => {
  blocks += 1;
  return `10.77.${blocks}.0/28`;
};
const subnetOf = ({ network }: Tenant) => ({ name: unique('subnet'), network: network.id, cidr: nextBlock() });
const addressOf = ({ network }: Tenant) => ({ name: unique('ip'), subnet: network.name });

const inProject = ({ project }: Tenant): string => `?project=${project.id}`;
const newSubnet = async (tenant: Tenant): Promise<Parts> => {
  const { id } = await made(tenant.admin, `/api/tenant/v1/subnets${inProject(tenant)}`, subnetOf(tenant));
  return { params: { id } };
};
const newAddress = async (tenant: Tenant): Promise<Parts> => {
  const { id } = await made(tenant.admin, `/api/tenant/v1/addresses${inProject(tenant)}`, addressOf(tenant));
  return { params: { id } };
};

/** Of the subnet that came with the tenant's network, and has its name; carried out on one of its own where it changes it. */
const ofSubnet = (status = 200, make?: (tenant: Tenant) => Promise<Parts>, body?: object): RouteCase => ({
  what: ({ network }) => ({ params: { id: network.name }, ...(body ? { body } : {}) }),
  happy: {
    status,
    ...(make ? { parts: async (tenant) => ({ ...(await make(tenant)), ...(body ? { body } : {}) }) } : {}),
  },
});
const creates = (body: (tenant: Tenant) => object): RouteCase => ({
  what: (tenant) => ({ body: body(tenant) }),
  happy: { status: 201 },
});
const list: RouteCase = { what: () => ({}), happy: { status: 200 } };
const inRegion: RouteCase = { what: () => ({ params: { region: 'tpe-1' } }), happy: { status: 200 } };

export const subnetCases: Readonly<Record<string, RouteCase>> = {
  'create-subnet': creates(subnetOf),
  'list-subnets': list,
  'get-subnet': ofSubnet(),
  'list-subnet-addresses': ofSubnet(),
  'grow-subnet': ofSubnet(200, newSubnet, { prefix: 27 }),
  'split-subnet': ofSubnet(200, newSubnet, { parts: 2 }),
  'delete-subnet': ofSubnet(204, newSubnet),
  'create-address': creates(addressOf),
  'list-addresses': list,
  'get-address': { what: ({ address }) => ({ params: { id: address.id } }), happy: { status: 200 } },
  'delete-address': {
    what: ({ address }) => ({ params: { id: address.id } }),
    happy: { status: 204, parts: newAddress },
  },
  'list-dhcp-leases': inRegion,
  'list-dns-records': inRegion,
};

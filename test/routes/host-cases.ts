import { randomUUID } from 'node:crypto';
import { hasEnded } from '../../src/domain/job.ts';
import type { Api } from '../harness/api.ts';
import { computeHost } from '../harness/compute-hosts.ts';
import type { Simulator } from '../harness/simulator.ts';
import { until } from '../harness/until.ts';
import type { Parts, RouteCase } from './cases.ts';
import { made, type Tenant, type World } from './world.ts';

const unique = (stem: string): string => `${stem}-${randomUUID().slice(0, 8)}`;
const imageUrl = 'https://images.example.org/installer.iso';
const hostBody = (name: string) => ({ name, region: 'tpe-1', bmcAddress: name, bmcCredential: 'simulated' });
type Thing = { readonly id: string; readonly name: string };

/** Does something to a tenant's host, as an operator alone may, and waits for its end. */
async function doneBy(operator: Api, project: Thing, path: string, body: object): Promise<Thing> {
  const answer = await operator.tenant('POST', `${path}?project=${project.id}`, body);
  if (answer.status !== 202) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  await until(`${path} to end`, async () => {
    const job = await operator.tenant('GET', `/jobs/${answer.body.job.id}?project=${project.id}`);
    return hasEnded(job.body.state);
  });
  return answer.body.resource;
}

/** A host in a project of its tenant, with a controller that answers. */
export async function enrolled(operator: Api, simulator: Simulator, project: Thing, name: string): Promise<Thing> {
  await simulator.host('tpe-1', name);
  return doneBy(operator, project, '/bare-metal-hosts', hostBody(name));
}

async function newHost({ project }: Tenant, { operator, platform }: World, ...verbs: string[]): Promise<Thing> {
  const host = await enrolled(operator, platform.simulator, project, unique('host'));
  for (const verb of verbs) {
    const body = verb === 'deploy' || verb === 'rescue' ? { imageUrl } : {};
    await doneBy(operator, project, `/bare-metal-hosts/${host.id}/${verb}`, body);
  }
  return host;
}

const act = (verbs: readonly string[], body: object = {}): RouteCase => ({
  what: ({ host }) => ({ params: { id: host.id }, body }),
  happy: {
    status: 202,
    parts: async (tenant, world) => ({ params: { id: (await newHost(tenant, world, ...verbs)).id }, body }),
  },
});
const ready = ['manage', 'provide'];
const active = [...ready, 'deploy'];

const rack = () => ({ name: unique('rack'), region: 'tpe-1', heightUnits: 4 });
const newRack = ({ operator }: World): Promise<Thing> => made(operator, '/api/ops/v1/racks', rack());
const newGroup = ({ operator }: World): Promise<Thing> =>
  made(operator, '/api/ops/v1/host-groups', { name: unique('group') });
/** In a region where no other case has anything placed. */
const computeBody = () => ({ name: unique('host'), region: 'nrt-1', vcpus: 64, memoryMib: 65_536, diskGib: 1000 });
const newComputeHost = ({ operator }: World): Promise<Thing> =>
  made(operator, '/api/ops/v1/compute-hosts', computeBody());
/** Its region has no worker: it is placed, and never made. */
async function placedVm({ operator, ours: { project } }: World): Promise<string> {
  const of = `?project=${project.id}`;
  await computeHost(operator, computeBody(), of);
  const body = { name: unique('vm'), region: 'nrt-1', flavor: 'small', image: 'debian-13' };
  const { id } = (await operator.tenant('POST', `/vms${of}`, body)).body.resource;
  await until(
    'the VM to be placed',
    async () => (await operator.get(`/api/ops/v1/vms/${id}/placement`)).status === 200,
  );
  return id;
}
const list: RouteCase = { what: () => ({}), happy: { status: 200 } };

/** Something asked of a thing that is made for it. */
const ofNew = (
  make: (world: World) => Promise<Thing>,
  status: number,
  parts: (tenant: Tenant) => Pick<Parts, 'body'> & { readonly hostId?: string } = () => ({}),
): RouteCase => {
  const of = (id: string, tenant: Tenant): Parts => {
    const { hostId, ...rest } = parts(tenant);
    return { params: { id, ...(hostId ? { hostId } : {}) }, ...rest };
  };
  return {
    what: (tenant) => of('nothing-of-this', tenant),
    happy: { status, parts: async (tenant, world) => of((await make(world)).id, tenant) },
  };
};
const hostOf = ({ host }: Tenant) => ({ hostId: host.id });

export const hostCases: Readonly<Record<string, RouteCase>> = {
  'create-bare-metal-host': { what: () => ({ body: hostBody(unique('host')) }), happy: { status: 202 } },
  'list-bare-metal-hosts': list,
  'get-bare-metal-host': { what: ({ host }) => ({ params: { id: host.id } }), happy: { status: 200 } },
  'update-bare-metal-host': {
    what: ({ host }) => ({ params: { id: host.id }, body: { labels: { seen: 'yes' } } }),
    happy: { status: 200 },
  },
  'delete-bare-metal-host': {
    what: ({ host }) => ({ params: { id: host.id } }),
    happy: { status: 202, parts: async (tenant, world) => ({ params: { id: (await newHost(tenant, world)).id } }) },
  },
  'manage-bare-metal-host': act([]),
  'inspect-bare-metal-host': act(['manage']),
  'clean-bare-metal-host': act(['manage']),
  'provide-bare-metal-host': act(['manage']),
  'deploy-bare-metal-host': act(ready, { imageUrl }),
  'rebuild-bare-metal-host': act(active),
  'undeploy-bare-metal-host': act(active),
  'rescue-bare-metal-host': act(active, { imageUrl }),
  'unrescue-bare-metal-host': act([...active, 'rescue']),
  'adopt-bare-metal-host': act(['manage']),
  'power-on-bare-metal-host': act(['manage']),
  'power-off-bare-metal-host': act(['manage']),
  'reboot-bare-metal-host': act(['manage']),
  'set-boot-device-bare-metal-host': act(['manage'], { device: 'pxe' }),
  'insert-media-bare-metal-host': act(['manage'], { imageUrl }),
  'eject-media-bare-metal-host': act(['manage']),
  'abort-bare-metal-host': {
    what: ({ host }) => ({ params: { id: host.id }, body: { reason: 'by a test' } }),
    happy: {
      status: 202,
      parts: async (tenant, world) => {
        const { id, name } = await newHost(tenant, world, 'manage');
        await world.platform.simulator.fault({ effect: 'hang', operation: 'bare-metal-host.clean', name, times: 1 });
        await world.operator.tenant('POST', `/bare-metal-hosts/${id}/clean?project=${tenant.project.id}`, {});
        return { params: { id }, body: { reason: 'by a test' } };
      },
    },
  },
  'watch-bare-metal-host': { what: ({ host }) => ({ params: { id: host.id } }), happy: { status: 200 } },

  'list-racks': list,
  'create-rack': { what: () => ({ body: rack() }), happy: { status: 201 } },
  'get-rack': ofNew(newRack, 200),
  'get-rack-elevation': ofNew(newRack, 200),
  'delete-rack': ofNew(newRack, 204),
  'place-host': ofNew(newRack, 204, (tenant) => ({ ...hostOf(tenant), body: { unit: 1 } })),
  'unplace-host': {
    what: ({ host }) => ({ params: { id: 'nothing-of-this', hostId: host.id } }),
    happy: {
      status: 204,
      parts: async ({ host }, world) => {
        const { id } = await newRack(world);
        await world.operator.request('PUT', `/api/ops/v1/racks/${id}/hosts/${host.id}`, { unit: 2 });
        return { params: { id, hostId: host.id } };
      },
    },
  },
  'mark-bare-metal-host': {
    what: ({ host }) => ({ params: { id: host.id }, body: { repair: 'a fan' } }),
    happy: { status: 200 },
  },
  'list-compute-hosts': list,
  'create-compute-host': { what: () => ({ body: computeBody() }), happy: { status: 201 } },
  'get-compute-host': ofNew(newComputeHost, 200),
  'update-compute-host': ofNew(newComputeHost, 200, () => ({ body: { maintenance: 'a fan' } })),
  'delete-compute-host': ofNew(newComputeHost, 204),
  'explain-vm-placement': {
    what: ({ vm }) => ({ params: { id: vm.id } }),
    happy: { status: 200, parts: async (_, world) => ({ params: { id: await placedVm(world) } }) },
  },
  'list-host-groups': list,
  'create-host-group': { what: () => ({ body: { name: unique('group') } }), happy: { status: 201 } },
  'get-host-group': ofNew(newGroup, 200),
  'delete-host-group': ofNew(newGroup, 204),
  'add-to-host-group': ofNew(newGroup, 204, hostOf),
  'remove-from-host-group': ofNew(newGroup, 204, hostOf),
};

import { randomUUID } from 'node:crypto';
import { until } from '../harness/until.ts';
import { driftCases } from './drift-cases.ts';
import { hostCases } from './host-cases.ts';
import { subnetCases } from './subnet-cases.ts';
import { clusterBody, made, type Tenant, type World } from './world.ts';

/** What to put into an operation's request. */
export interface Parts {
  /** Path parameters, by name. */
  readonly params?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as YAML. */
  readonly body?: object | string;
}

/**
 * How an operation is asked for. `what`: of a thing that a tenant has, to be refused to all who may not. `happy`: by
 * whoever may, with its answer's status; where it takes something away, of a thing of its own.
 */
export interface RouteCase {
  readonly what: (tenant: Tenant, world: World) => Parts;
  readonly happy: { readonly status: number; readonly parts?: (tenant: Tenant, world: World) => Promise<Parts> };
  /** Why the operation can have no such case. */
  readonly without?: Readonly<Partial<Record<'invalid' | 'forbidden' | 'not visible', string>>>;
}

const unique = (stem: string): string => `${stem}-${randomUUID().slice(0, 8)}`;
const volume = () => ({ name: unique('vol'), region: 'tpe-1', sizeGib: 1 });
const nothing = (): Parts => ({});
const list: RouteCase = { what: nothing, happy: { status: 200 } };
const noInput = 'it takes no input';
const noSuchName = 'the project is looked for before the request is: what cannot be a name is not found';

const creates = (body: () => object, status = 201): RouteCase => ({
  what: () => ({ body: body() }),
  happy: { status },
});
const of = (pick: (tenant: Tenant, world: World) => { id: string }, status = 200, body?: object): RouteCase => ({
  what: (tenant, world) => ({ params: { id: pick(tenant, world).id }, ...(body ? { body } : {}) }),
  happy: { status },
});

/** An operation that takes something away: what is there is refused, what was made for it goes. */
const removes = (
  pick: (tenant: Tenant, world: World) => { id: string },
  make: (tenant: Tenant, world: World) => Promise<{ id: string }>,
  status = 204,
): RouteCase => ({
  what: (tenant, world) => ({ params: { id: pick(tenant, world).id } }),
  happy: { status, parts: async (tenant, world) => ({ params: { id: (await make(tenant, world)).id } }) },
});

async function newVolume({ member }: Tenant): Promise<{ id: string; jobId: string }> {
  const job = await member.done('POST', '/volumes', volume());
  return { id: job.resource.id, jobId: job.id };
}
const newBucket = async ({ member }: Tenant): Promise<{ id: string }> =>
  (await member.done('POST', '/buckets', { name: unique('bucket'), region: 'tpe-1' })).resource;
async function newBucketWithKey(tenant: Tenant): Promise<{ id: string }> {
  const { id } = await newBucket(tenant);
  await tenant.member.done('POST', `/buckets/${id}/create-key`, { key: 'app' });
  return { id };
}
async function newSnapshot(tenant: Tenant): Promise<{ id: string; volumeId: string }> {
  const { id: volumeId } = await newVolume(tenant);
  const { resource } = await tenant.member.done('POST', '/snapshots', { name: unique('then'), volume: volumeId });
  return { id: resource.id, volumeId };
}
const newVm = async ({ member }: Tenant): Promise<{ id: string }> =>
  (await member.done('POST', '/vms', { name: unique('vm'), region: 'tpe-1', flavor: 'small', image: 'debian-13' }))
    .resource;

const newCluster = async ({ member }: Tenant): Promise<{ id: string }> =>
  (await member.done('POST', '/clusters', clusterBody(unique('k')))).resource;

/** An act: what is there is refused, one of its own, brought to where the act begins, is acted on. */
const acts = (
  pick: (tenant: Tenant, world: World) => { id: string },
  make: (tenant: Tenant) => Promise<{ id: string }>,
  before: readonly string[] = [],
  body: object = {},
): RouteCase => ({
  what: (tenant, world) => ({ params: { id: pick(tenant, world).id }, body }),
  happy: {
    status: 202,
    parts: async (tenant) => {
      const { id } = await make(tenant);
      for (const act of before) await tenant.member.done('POST', `/vms/${id}/${act}`, {});
      return { params: { id }, body };
    },
  },
});
const vmAct = (before: readonly string[] = [], body: object = {}) => acts(({ vm }) => vm, newVm, before, body);

async function newBatch({ member }: Tenant): Promise<{ id: string }> {
  const file = `name: ${unique('batch')}\noperations:\n  - { id: a, type: volume.create, region: tpe-1, with: { name: ${unique('vol')}, sizeGib: 1 } }\n`;
  return (await member.done('POST', '/batches', file)).resource;
}
async function heldJob({ member }: Tenant, { platform }: World): Promise<{ id: string }> {
  const body = { ...volume(), onFailure: 'hold' };
  await platform.simulator.fault({ effect: 'permanent', operation: 'volume.create', name: body.name });
  const answer = await member.tenant('POST', '/volumes', body);
  return await member.jobWhen(answer.body.job.id, ({ state }) => state === 'HELD');
}
const because = { reason: 'by a test' };
/** A batch that waits for an approval of its operation `ok`. */
async function waitingBatch({ member }: Tenant): Promise<{ id: string }> {
  const file = `name: ${unique('waits')}\noperations: [{ id: ok, type: wait.approval, with: { message: May it go on? } }]\n`;
  const { id } = (await member.tenant('POST', '/batches', file)).body.resource;
  await until('the approval to be waited for', async () => {
    const { body } = await member.tenant('GET', `/batches/${id}`);
    return body.counts.WAITING === 1;
  });
  return { id };
}
/** A batch whose operation `ok` is held. */
async function heldBatch({ member }: Tenant, { platform }: World): Promise<{ id: string }> {
  const name = unique('vol');
  await platform.simulator.fault({ effect: 'permanent', operation: 'volume.create', name });
  const file = `name: ${unique('held')}\nonFailure: hold\noperations: [{ id: ok, type: volume.create, region: tpe-1, with: { name: ${name}, sizeGib: 1 } }]\n`;
  const { id } = (await member.tenant('POST', '/batches', file)).body.resource;
  await until('the operation to be held', async () => {
    const { body } = await member.tenant('GET', `/jobs?batch=${id}&state=HELD`);
    return body.items.length === 1;
  });
  return { id };
}
/** Something asked of a batch, or of its operation `ok`. */
const ofBatch = (
  make: (tenant: Tenant, world: World) => Promise<{ id: string }>,
  status = 200,
  body: object = because,
): RouteCase => ({
  what: ({ batch }) => ({ params: { id: batch.id, operationId: 'ok' }, body }),
  happy: {
    status,
    parts: async (tenant, world) => ({ params: { id: (await make(tenant, world)).id, operationId: 'ok' }, body }),
  },
});
async function pausedBatch(tenant: Tenant): Promise<{ id: string }> {
  const { id } = await waitingBatch(tenant);
  await tenant.member.tenant('POST', `/batches/${id}/pause`, because);
  return { id };
}
const created = (path: string, body: () => object) => async (tenant: Tenant, world: World) =>
  made(
    world.operator,
    path.replace('{project}', tenant.project.id).replace('{organization}', tenant.organization.id),
    body(),
  );

const inProject = '?project={project}';
/** One to which nothing is ever sent of itself. */
const quietHook = () => ({ name: unique('hook'), url: 'https://127.0.0.1:9/', types: ['nothing.of-this'] });
const newHook = created(`/api/tenant/v1/webhooks${inProject}`, quietHook);

const ofMember: RouteCase = {
  what: ({ maintainers, maintainer }) => ({ params: { id: maintainers.id, email: maintainer.email } }),
  happy: { status: 204 },
};

/** By operationId. An operation that is not here fails the build; see docs/identity.md, "A new route". */
export const cases: Readonly<Record<string, RouteCase>> = {
  'get-health': { ...list, without: { invalid: noInput } },
  'get-ready': { ...list, without: { invalid: noInput } },
  'get-batch-schema': { ...list, without: { invalid: noInput } },
  'get-login': { what: nothing, happy: { status: 200 }, without: { invalid: noInput } },
  'get-version': { ...list, without: { invalid: noInput } },
  whoami: { ...list, without: { invalid: noInput } },

  'create-vm': creates(() => ({ name: unique('vm'), region: 'tpe-1', flavor: 'small', image: 'debian-13' }), 202),
  'list-vms': list,
  'get-vm': of(({ vm }) => vm),
  'update-vm': of(({ vm }) => vm, 200, { labels: { seen: 'yes' } }),
  'delete-vm': removes(({ vm }) => vm, newVm, 202),
  'get-vm-console-log': of(({ vm }) => vm),
  'start-vm': vmAct(['stop']),
  'stop-vm': vmAct(),
  'reboot-vm': vmAct(),
  'suspend-vm': vmAct(),
  'resume-vm': vmAct(['suspend']),
  'resize-vm': vmAct([], { flavor: 'medium' }),
  'rebuild-vm': vmAct(),
  ...hostCases,
  'create-network': creates(() => ({ name: unique('net'), region: 'tpe-1', cidr: '10.9.0.0/24' }), 202),
  'list-networks': list,
  'get-network': of(({ network }) => network),
  'update-network': of(({ network }) => network, 200, { labels: { seen: 'yes' } }),
  'delete-network': removes(
    ({ network }) => network,
    async ({ member }) =>
      (await member.done('POST', '/networks', { name: unique('net'), region: 'tpe-1', cidr: '10.9.0.0/24' })).resource,
    202,
  ),
  ...subnetCases,
  'create-volume': creates(volume, 202),
  'list-volumes': list,
  'get-volume': of((tenant) => tenant.volume),
  'update-volume': of((tenant) => tenant.volume, 200, { labels: { seen: 'yes' } }),
  'delete-volume': removes((tenant) => tenant.volume, newVolume, 202),
  'attach-volume': {
    what: (tenant) => ({ params: { id: tenant.volume.id }, body: { vm: tenant.vm.id } }),
    happy: {
      status: 202,
      parts: async (tenant) => ({
        params: { id: (await newVolume(tenant)).id },
        body: { vm: (await newVm(tenant)).id },
      }),
    },
  },
  'detach-volume': acts(
    (tenant) => tenant.volume,
    async (tenant) => {
      const { id } = await newVolume(tenant);
      await tenant.member.done('POST', `/volumes/${id}/attach`, { vm: (await newVm(tenant)).id });
      return { id };
    },
  ),
  'grow-volume': acts((tenant) => tenant.volume, newVolume, [], { sizeGib: 2 }),

  'restore-volume': {
    what: (tenant) => ({ params: { id: tenant.volume.id }, body: { snapshot: tenant.snapshot.id } }),
    happy: {
      status: 202,
      parts: async (tenant) => {
        const { id, volumeId } = await newSnapshot(tenant);
        return { params: { id: volumeId }, body: { snapshot: id } };
      },
    },
  },
  'create-cluster': creates(() => clusterBody(unique('k')), 202),
  'list-clusters': list,
  'get-cluster': of(({ cluster }) => cluster),
  'update-cluster': of(({ cluster }) => cluster, 200, { labels: { seen: 'yes' } }),
  'delete-cluster': removes(({ cluster }) => cluster, newCluster, 202),
  'watch-cluster': of(({ cluster }) => cluster),
  'scale-cluster': acts(({ cluster }) => cluster, newCluster, [], { controlPlane: { count: 3 } }),
  'get-kubeconfig': of(({ cluster }) => cluster),
  'create-snapshot': {
    what: ({ volume }) => ({ body: { name: unique('then'), volume: volume.id } }),
    happy: { status: 202 },
  },
  'list-snapshots': list,
  'get-snapshot': of(({ snapshot }) => snapshot),
  'update-snapshot': of(({ snapshot }) => snapshot, 200, { labels: { seen: 'yes' } }),
  'delete-snapshot': removes(({ snapshot }) => snapshot, newSnapshot, 202),
  'watch-snapshot': of(({ snapshot }) => snapshot),

  'create-bucket': { what: () => ({ body: { name: unique('bucket'), region: 'tpe-1' } }), happy: { status: 202 } },
  'list-buckets': list,
  'get-bucket': of(({ bucket }) => bucket),
  'update-bucket': of(({ bucket }) => bucket, 200, { labels: { seen: 'yes' } }),
  'delete-bucket': removes(({ bucket }) => bucket, newBucket, 202),
  'watch-bucket': of(({ bucket }) => bucket),
  'create-key-bucket': acts(({ bucket }) => bucket, newBucket, [], { key: 'app' }),
  'revoke-key-bucket': acts(({ bucket }) => bucket, newBucketWithKey, [], { key: 'app' }),

  'list-jobs': list,
  'get-job': of(({ job }) => job),
  'settle-job': {
    what: (tenant) => ({ params: { id: tenant.heldJob.id }, body: { action: 'rollback', reason: 'by a test' } }),
    happy: {
      status: 200,
      parts: async (tenant, world) => ({
        params: { id: (await heldJob(tenant, world)).id },
        body: { action: 'rollback', reason: 'by a test' },
      }),
    },
  },
  'cancel-job': {
    what: (tenant) => ({ params: { id: tenant.heldJob.id }, body: { reason: 'by a test' } }),
    happy: {
      status: 202,
      parts: async (tenant, world) => ({
        params: { id: (await heldJob(tenant, world)).id },
        body: { reason: 'by a test' },
      }),
    },
  },
  'watch-job': of(({ job }) => job),
  'list-incidents': list,
  ...driftCases(list),
  'list-all-incidents': list,
  'acknowledge-incident': of(({ incident }) => incident, 200, { note: 'by a test' }),
  'acknowledge-any-incident': of(({ incident }) => incident, 200, { note: 'by a test' }),

  'list-events': list,
  'watch-events': list,
  'watch-vm': of(({ vm }) => vm),
  'watch-network': of(({ network }) => network),
  'watch-volume': of((tenant) => tenant.volume),

  'get-quota': { ...list, without: { invalid: noInput } },
  'set-project-quota': of(({ project }) => project, 200, { limits: { vms: 100 } }),
  'get-organization-quota': of(({ organization }) => organization),
  'set-organization-quota': of(({ organization }) => organization, 200, { limits: { vms: 1000 } }),
  'list-quota-differences': { ...list, without: { invalid: noInput } },

  'list-acts': list,
  'list-all-acts': list,
  'verify-audit': list,
  'create-webhook': creates(quietHook),
  'list-webhooks': list,
  'get-webhook': of(({ webhook }) => webhook),
  'update-webhook': of(({ webhook }) => webhook, 200, { kinds: ['vm'] }),
  'delete-webhook': removes(({ webhook }) => webhook, newHook),
  'rotate-webhook': of(({ webhook }) => webhook, 200, {}),
  'ping-webhook': {
    ...of(({ webhook }) => webhook),
    happy: { status: 202, parts: async (tenant, world) => ({ params: { id: (await newHook(tenant, world)).id } }) },
  },
  'list-webhook-deliveries': of(({ webhook }) => webhook),
  'redeliver-webhook': of(({ webhook }) => webhook, 202),
  'redeliver-webhook-delivery': {
    what: ({ webhook, deadLetter }) => ({ params: { id: webhook.id, deliveryId: deadLetter.id } }),
    happy: { status: 202 },
  },

  'create-batch': {
    what: () => ({
      body: `name: ${unique('batch')}\noperations:\n  - { id: a, type: volume.create, region: tpe-1, with: { name: ${unique('vol')}, sizeGib: 1 } }\n`,
    }),
    happy: { status: 202 },
  },
  'validate-batch': {
    what: () => ({ body: `name: x\noperations: [{ id: a, type: volume.delete, with: { name: a } }]\n` }),
    happy: { status: 200 },
  },
  'list-batches': list,
  'get-batch': of(({ batch }) => batch),
  'list-batch-operations': of(({ batch }) => batch),
  'get-batch-timeline': of(({ batch }) => batch),
  'delete-batch': removes(({ batch }) => batch, newBatch, 202),
  'pause-batch': ofBatch(waitingBatch),
  'resume-batch': ofBatch(pausedBatch),
  'cancel-batch': ofBatch(waitingBatch, 202),
  'settle-batch-operation': ofBatch(heldBatch, 200, { action: 'rollback', ...because }),
  'approve-batch-operation': ofBatch(waitingBatch),
  'reject-batch-operation': ofBatch(waitingBatch),

  'list-organizations': list,
  'list-projects': list,
  'create-project': creates(() => ({ name: unique('project') })),
  'get-project': { ...of(({ project }) => project), without: { invalid: noSuchName } },
  'delete-project': {
    ...removes(
      ({ project }) => project,
      created('/api/tenant/v1/projects?organization={organization}', () => ({ name: unique('gone') })),
    ),
    without: { invalid: noSuchName },
  },

  'list-role-bindings': list,
  'create-role-binding': creates(() => ({ role: 'viewer', user: `${unique('someone')}@example.com` })),
  'delete-role-binding': removes(
    ({ binding }) => binding,
    created(`/api/tenant/v1/role-bindings${inProject}`, () => ({
      role: 'viewer',
      user: `${unique('someone')}@example.com`,
    })),
  ),

  'list-service-accounts': list,
  'create-service-account': creates(() => ({ name: unique('account') })),
  'get-service-account': of(({ account }) => account),
  'delete-service-account': removes(
    ({ account }) => account,
    created(`/api/tenant/v1/service-accounts${inProject}`, () => ({ name: unique('gone') })),
  ),
  'list-service-account-tokens': of(({ account }) => account),
  'create-service-account-token': of(({ account }) => account, 201, { name: 'second' }),
  'delete-service-account-token': {
    what: ({ account, accountToken }) => ({ params: { id: account.id, tokenId: accountToken.id } }),
    happy: {
      status: 204,
      parts: async ({ admin, account, project }) => {
        const path = `/api/tenant/v1/service-accounts/${account.id}/tokens?project=${project.id}`;
        return { params: { id: account.id, tokenId: (await made(admin, path, { name: 'gone' })).id } };
      },
    },
  },

  'list-maintainer-groups': list,
  'create-maintainer-group': creates(() => ({ name: unique('team') })),
  'get-maintainer-group': of(({ maintainers }) => maintainers),
  'delete-maintainer-group': removes(
    ({ maintainers }) => maintainers,
    created('/api/tenant/v1/maintainer-groups?organization={organization}', () => ({ name: unique('gone') })),
  ),
  'add-to-maintainer-group': ofMember,
  'remove-from-maintainer-group': ofMember,

  'list-tokens': list,
  'create-token': creates(() => ({ name: unique('token') })),
  'delete-token': {
    what: ({ accountToken }) => ({ params: { id: accountToken.id } }),
    happy: {
      status: 204,
      parts: async ({ viewer }) => ({
        params: { id: (await made(viewer, '/api/tenant/v1/tokens', { name: 'gone' })).id },
      }),
    },
  },

  'list-regions': { ...list, without: { invalid: noInput } },
  'list-workers': { ...list, without: { invalid: noInput } },
  'list-all-organizations': list,
  'create-organization': creates(() => ({ name: unique('org') })),
  'get-organization': of(({ organization }) => organization),
  'delete-organization': removes(
    ({ organization }) => organization,
    created('/api/ops/v1/organizations', () => ({ name: unique('gone') })),
  ),
  'list-all-projects': list,
  'list-users': list,
  'create-user': creates(() => ({ email: `${unique('new')}@example.com` })),
  'get-user': of((_, { user }) => user),
  'delete-user': removes(
    (_, { user }) => user,
    created('/api/ops/v1/users', () => ({ email: `${unique('gone')}@example.com` })),
  ),
  'list-operators': list,
  'create-operator': creates(() => ({ user: `${unique('op')}@example.com` })),
  'delete-operator': removes(
    (_, { operatorBinding }) => operatorBinding,
    created('/api/ops/v1/role-bindings', () => ({ user: `${unique('gone')}@example.com` })),
  ),
  'list-all-tokens': list,
  'revoke-token': removes(
    ({ accountToken }) => accountToken,
    created('/api/tenant/v1/tokens', () => ({ name: 'gone' })),
  ),
};
